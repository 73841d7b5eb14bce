# pyright: strict
"""The state folder: one keeper at a time, and small files that are whole or not there. One that cannot be written costs
memory, never sound."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path

from engine.errors import PerpetuumError
from engine.output_file import sync_folder

log = logging.getLogger(__name__)

LARGEST = 8 << 20
"""Bytes of a file that is read."""


class StateFolder:
    """What an installation remembers.

    Args:
        path: of the folder; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None
        self._said: set[str] = set()

    def lock(self) -> None:
        """Have the folder for ourselves until we end, however that may be.

        A folder that cannot be written is not locked: the music counts more.

        Raises:
            PerpetuumError: another keeper has it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
        except OSError as error:
            self._say("lock", f"the state folder {self.path} cannot be used ({error.strerror}); nothing is remembered")
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = ""
            with suppress(OSError):
                owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise PerpetuumError(
                f"this installation is running already: process {owner or 'unknown'} has {self.path}",
                "stop that one first, or give the other one a state folder of its own",
            ) from None
        self._lock = descriptor
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def make(self) -> None:
        """See to it that there is one; where there cannot be, writing says so."""
        with suppress(OSError):
            self.path.mkdir(parents=True, exist_ok=True)

    def read(self, name: str) -> bytes | None:
        """A file's bytes; None where there is none that can be read."""
        try:
            descriptor = os.open(self.path / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._say(name, f"{self.path / name} cannot be read ({error.strerror}); it is left alone")
            return None
        try:
            with os.fdopen(descriptor, "rb") as file:
                return file.read(LARGEST)
        except OSError as error:
            self._say(name, f"{self.path / name} cannot be read ({error.strerror}); it is left alone")
            return None

    def write(self, name: str, data: bytes, cost: str = "the music goes on without it") -> bool:
        """Write a file whole and onto the disk, or leave it as it was; whether it was written.

        Args:
            name: of the file.
            data: all that is to lie in it.
            cost: what it means if it cannot be written, for the log.
        """
        growing = self.path / f".{name}.{secrets.token_hex(4)}"
        try:
            try:
                with growing.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                growing.replace(self.path / name)
                sync_folder(self.path)
            except BaseException:
                growing.unlink(missing_ok=True)
                raise
        except OSError as error:
            self._say(name, f"{self.path / name} cannot be written ({error.strerror}); {cost}")
            return False
        self._said.discard(name)
        return True

    def remove(self, name: str) -> bool:
        """Remove a file; whether it is gone."""
        try:
            (self.path / name).unlink(missing_ok=True)
            sync_folder(self.path)
        except OSError as error:
            self._say(name, f"{self.path / name} cannot be removed ({error.strerror})")
            return False
        return True

    def close(self) -> None:
        """Let another keeper have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _say(self, name: str, text: str) -> None:
        """Say something once, until it has worked again."""
        if name not in self._said:
            self._said.add(name)
            log.warning("%s", text)
