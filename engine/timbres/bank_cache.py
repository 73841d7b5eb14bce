# pyright: strict
"""Banks of notes that were made, on the disk: each under its digest, whole or not at all, the oldest ones dropped."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import struct
import time
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from engine.assets import FOLDER_FILE
from engine.errors import PerpetuumError
from engine.files import read_bytes, reason
from engine.output_file import write_text
from engine.progress import tell
from engine.timbres.portrait import PORTRAIT, portray

LIMIT = 512_000_000
"""Bytes that all banks together may take; one of GANSynth takes about 5 MB."""

IN_USE = 3600.0
"""Seconds for which a bank that was used is not dropped; what plays is looked at more often."""

_LARGEST_LIST = 1 << 20
_LARGEST_FILE = 64 << 20
_LIST = ".json"
_GROWING = ".partial"
_LOCK = ".lock"
_LOOK = 0.2
"""Seconds between two looks whether somebody else has made a bank."""
_UNFINISHED = ".unfinished"
"""What a kind of timbre has put aside of a bank that takes hours, so as to go on with it."""
_DAY = 86_400.0
_WEEK = 7 * _DAY


def cache_folder() -> Path:
    """Where banks lie: in systemd's folder for caches, or the user's."""
    given = os.environ.get("CACHE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given).absolute() / "timbres"
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    except RuntimeError:  # whoever runs us has no home
        root = Path("/tmp") / f"perpetuum-{os.getuid()}"
    return root / "perpetuum" / "timbres"


class BankCache:
    """A folder with an instrument's folder for each bank, and beside it a list of what is in that.

    The list is written last: a bank without one, or of which a byte is another than it says, is none.

    Args:
        folder: made when something is kept; None for `cache_folder`.
        limit: bytes.
    """

    def __init__(self, folder: Path | None = None, limit: int = LIMIT) -> None:
        self.folder = folder if folder is not None else cache_folder()
        self._limit = limit

    def find(self, digest: str) -> Path | None:
        """The instrument file of a bank that is here and whole, which is then used; None without. Never raises."""
        bank = self.folder / digest
        try:
            listed: object = json.loads(read_bytes(self._list(digest), _LARGEST_LIST))
            if not isinstance(listed, dict) or FOLDER_FILE not in listed:
                return None
            for name, wanted in cast("dict[str, Any]", listed).items():
                # What stands there may be anything, a path to elsewhere included.
                if "/" in name or _hash(read_bytes(bank / name, _LARGEST_FILE)) != wanted:
                    return None
        except (OSError, ValueError, RecursionError):
            return None
        self.touch(digest)
        return bank / FOLDER_FILE

    def touch(self, digest: str) -> None:
        """A bank is used now."""
        with suppress(OSError):
            os.utime(self._list(digest))

    def keep(self, digest: str, make: Callable[[Path], None]) -> Path:
        """Have a bank made, and keep it; gives its instrument file.

        What another process is making at the time is waited for, and taken. Beside the bank lies its portrait
        (`engine.timbres.portrait`).

        Args:
            digest: its name.
            make: writes the instrument's folder, whole.

        Raises:
            PerpetuumError: it cannot be made, or not be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PerpetuumError(
                f"banks of notes cannot be kept in {self.folder}: {error.strerror}",
                "let XDG_CACHE_HOME name a folder that can be written",
            ) from error
        with self._alone(digest):
            if (there := self.find(digest)) is None:
                there = self._made(digest, make)
        self.trim({digest})
        return there

    def _made(self, digest: str, make: Callable[[Path], None]) -> Path:
        bank = self.folder / digest
        with suppress(OSError):
            self._list(digest).unlink()
        if bank.is_dir():  # not whole: no list, or another one
            shutil.rmtree(bank, ignore_errors=True)
        make(bank)
        if not (bank / PORTRAIT).exists():
            with suppress(PerpetuumError):  # what has none is not held against others
                portray(bank / FOLDER_FILE)
        try:
            listed = {file.name: _hash(file.read_bytes()) for file in sorted(bank.iterdir())}
        except OSError as error:
            raise PerpetuumError(f"the bank {bank} is gone: {error.strerror}") from error
        write_text(self._list(digest), json.dumps(listed))
        return bank / FOLDER_FILE

    @contextmanager
    def _alone(self, digest: str) -> Generator[None]:
        """No other process makes this bank meanwhile; whoever does is waited for, and its end, too, lets us go on.

        Raises:
            PerpetuumError: the folder cannot be written.
        """
        try:
            file = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise PerpetuumError(
                f"banks of notes cannot be kept in {self.folder}: {reason(error)}", "free some space there"
            ) from error
        try:
            # One file for all: of each bank a byte that is nowhere. The lock is the open file's, not the process's: no
            # thread loses it when another one is done.
            place = int.from_bytes(hashlib.sha256(digest.encode()).digest()[:6])
            while True:
                try:
                    fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0))
                    break
                except (BlockingIOError, PermissionError):  # some systems say the one, some the other
                    tell(0.0)
                    time.sleep(_LOOK)
                except OSError:  # a file system without locks: two may make one bank, and the last one keeps it
                    break
            yield
        finally:
            os.close(file)

    def trim(self, spared: Collection[str] = ()) -> None:
        """Drop the banks that were not used for longest until the rest is within the limit. Never raises.

        Args:
            spared: digests that stay, as do those used within `IN_USE`.
        """
        now = time.time()
        used: dict[str, float] = {}
        sizes: dict[str, int] = {}
        with suppress(OSError):
            for path in self.folder.iterdir():
                with suppress(OSError):
                    age = now - path.stat().st_mtime
                    if path.suffix == _LIST:
                        used[path.stem] = age
                    elif path.is_dir() and not path.name.startswith("."):
                        sizes[path.name] = sum(file.stat().st_size for file in path.iterdir())
                        used.setdefault(path.name, age)
                    elif path.name.startswith(".") and _GROWING in path.name and age > _DAY:
                        shutil.rmtree(path, ignore_errors=True)  # of somebody who was killed
                    elif path.suffix == _UNFINISHED and age > _WEEK:
                        path.unlink()  # nobody has gone on with it
        for digest in sorted(used, key=lambda one: -used[one]):
            if sum(sizes.values()) <= self._limit:
                return
            if digest not in spared and used[digest] > IN_USE:
                sizes.pop(digest, None)
                with suppress(OSError):
                    self._list(digest).unlink(missing_ok=True)
                shutil.rmtree(self.folder / digest, ignore_errors=True)

    def __iter__(self) -> Iterator[str]:
        """Digests of what is here, whole or not."""
        with suppress(OSError):
            yield from sorted(path.stem for path in self.folder.glob(f"*{_LIST}"))

    def _list(self, digest: str) -> Path:
        return self.folder / f"{digest}{_LIST}"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
