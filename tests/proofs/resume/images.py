# pyright: strict
"""Small file systems in files: a disk whose state at any moment can be copied. Needs root and loop devices."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SIZE = 96 << 20

SECTOR = 512


def make_image(path: Path) -> None:
    """Make an empty ext4 file system."""
    with path.open("wb") as file:
        file.truncate(SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(path)], check=True)


@dataclass(frozen=True, slots=True)
class Mounted:
    """A file system that is mounted.

    Attributes:
        image: its file.
        place: where it is mounted.
        device: name of its loop device.
    """

    image: Path
    place: Path
    device: str

    @property
    def written(self) -> int:
        """Bytes that were ever written to the device."""
        fields = Path(f"/sys/block/{self.device}/stat").read_text().split()
        return int(fields[6]) * SECTOR

    def copy(self, target: Path) -> None:
        """Copy the disk as it is now; what is only in memory is not in it, as after a power cut."""
        while True:
            before = self._writes
            subprocess.run(["cp", "--sparse=always", str(self.image), str(target)], check=True)
            if self._writes == before:
                return
            time.sleep(0.05)  # something was written meanwhile: no disk was ever like that

    @property
    def _writes(self) -> tuple[str, str]:
        """Writes that were completed, and that are under way."""
        fields = Path(f"/sys/block/{self.device}/stat").read_text().split()
        return fields[4], fields[8]


@contextmanager
def mounted(image: Path, place: Path) -> Generator[Mounted]:
    """Mount an image; whatever happens it is unmounted at the end."""
    place.mkdir(exist_ok=True)
    found = subprocess.run(["losetup", "--find", "--show", str(image)], check=True, capture_output=True, text=True)
    device = found.stdout.strip()
    try:
        subprocess.run(["mount", device, str(place)], check=True)
        try:
            yield Mounted(image, place, Path(device).name)
        finally:
            _unmount(place)
    finally:
        subprocess.run(["losetup", "--detach", device], check=False)


def _unmount(place: Path) -> None:
    for _ in range(100):
        if subprocess.run(["umount", str(place)], check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)  # a process that was killed may still be on its way out
    raise OSError(f"{place} cannot be unmounted")


def missing() -> str:
    """What is needed and not there; empty where all is."""
    return ", ".join(name for name in ("losetup", "mount", "mkfs.ext4") if not shutil.which(name))
