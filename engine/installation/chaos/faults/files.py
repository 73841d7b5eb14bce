# pyright: strict
"""Files that are saved broken, good, or deleted, and disks that are full or stand still."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from abc import abstractmethod
from pathlib import Path

from engine.errors import PerpetuumError
from engine.installation.chaos.fault import Fault
from engine.installation.chaos.processes import tell
from engine.installation.chaos.rig import Rig

READ_AGAIN = 3.0
"""Seconds after SIGHUP in which a file has been read."""


class FileFault(Fault):
    """A file is not what it was, and the installation is told to read again.

    Args:
        name: of the fault.
    """

    lasts = READ_AGAIN

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def spoil(self, path: Path) -> None:
        """Change the file."""

    def path(self, rig: Rig) -> Path:
        """Which file."""
        return rig.copied.file

    def provoke(self, rig: Rig) -> None:
        """Save it, and have it read."""
        self._before = self.path(rig).read_bytes()
        self.spoil(self.path(rig))
        tell([rig.keeper], signal.SIGHUP)

    def undo(self, rig: Rig) -> None:
        """Save it as it was, and have it read."""
        self.path(rig).write_bytes(self._before)
        tell([rig.keeper], signal.SIGHUP)


class Broken(FileFault):
    """It is torn in the middle, with bytes that are no text."""

    def spoil(self, path: Path) -> None:
        """Tear it."""
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] + b"\xff\x00: [")


class Deleted(FileFault):
    """It is gone."""

    def spoil(self, path: Path) -> None:
        """Delete it."""
        path.unlink()


class SavedGood(FileFault):
    """It is saved with other words in it, and all of it still holds."""

    def spoil(self, path: Path) -> None:
        """Add a comment."""
        path.write_bytes(path.read_bytes() + b"\n# saved again\n")


class OfScene(Broken):
    """The same with the file of a scene."""

    def path(self, rig: Rig) -> Path:
        """The file of the first scene."""
        return rig.copied.scenes[0]


class SceneDeleted(Deleted):
    """The same with the file of a scene."""

    def path(self, rig: Rig) -> Path:
        """The file of the first scene."""
        return rig.copied.scenes[0]


class MissingWeights(FileFault):
    """A network's weights are not where the scene says."""

    def path(self, rig: Rig) -> Path:
        """The file of the first scene."""
        return rig.copied.scenes[0]

    def why_not(self, rig: Rig) -> str:
        """Only where the scene has a network in one line that we know."""
        return "" if "kind: melody_rnn" in self.path(rig).read_text("utf-8", "replace") else "no melody_rnn in it"

    def spoil(self, path: Path) -> None:
        """Name weights that are not there."""
        text = path.read_text("utf-8")
        path.write_text(text.replace("kind: melody_rnn", "kind: melody_rnn, weights: nowhere.safetensors", 1), "utf-8")


class Disk(Fault):
    """The disk under the state folder; a small file system of its own.

    Args:
        name: of the fault.
    """

    lasts = 20.0

    def __init__(self, name: str) -> None:
        self.name = name

    def why_not(self, rig: Rig) -> str:
        """Only where the state lies on a small disk of its own."""
        return "" if rig.state.is_mount() else "no loop device can be mounted here (root is needed)"


class DiskFull(Disk):
    """No byte is left."""

    def provoke(self, rig: Rig) -> None:
        """Fill it."""
        with (rig.state / "filled").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 14))
            except OSError:
                return

    def undo(self, rig: Rig) -> None:
        """Make room."""
        (rig.state / "filled").unlink(missing_ok=True)


class DiskStalls(Disk):
    """Whoever writes waits."""

    def why_not(self, rig: Rig) -> str:
        """Only where it can be frozen."""
        return super().why_not(rig) or ("" if shutil.which("fsfreeze") else "fsfreeze is not installed")

    def provoke(self, rig: Rig) -> None:
        """Freeze it."""
        done = subprocess.run(["fsfreeze", "-f", str(rig.state)], capture_output=True, text=True)
        if done.returncode:
            raise PerpetuumError(f"the disk cannot be frozen: {done.stderr.strip()}")

    def undo(self, rig: Rig) -> None:
        """Thaw it."""
        subprocess.run(["fsfreeze", "-u", str(rig.state)], capture_output=True)
        time.sleep(0.1)


FILE_FAULTS: tuple[Fault, ...] = (
    Broken("installation file saved broken"),
    SavedGood("installation file saved good"),
    Deleted("installation file deleted"),
    OfScene("scene file saved broken"),
    SceneDeleted("scene file deleted"),
    MissingWeights("weights missing"),
    DiskFull("disk full"),
    DiskStalls("disk stalls for 20 s"),
)
