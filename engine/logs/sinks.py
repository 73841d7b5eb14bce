# pyright: strict
"""Where entries go: a stream, files of bounded size, systemd's journal. One that fails is told by `OSError`."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from engine.logs.entry import LogEntry
from engine.logs.formats import as_datagram, as_json, as_text

JOURNAL = "/run/systemd/journal/socket"


class LogSink(Protocol):
    """Takes entries."""

    def write(self, entry: LogEntry) -> None:
        """Write one.

        Raises:
            OSError: it cannot be written.
        """
        ...

    def close(self) -> None:
        """Take no more."""
        ...


class StreamSink:
    """Writes lines to a descriptor, such as standard error.

    Args:
        descriptor: of the stream; not closed.
        form: makes a line of an entry.
    """

    def __init__(self, descriptor: int = 2, form: Callable[[LogEntry], str] = as_text) -> None:
        self._descriptor = descriptor
        self._form = form

    def write(self, entry: LogEntry) -> None:
        """See `LogSink`."""
        data = (self._form(entry) + "\n").encode("utf-8", "replace")
        while data:
            data = data[os.write(self._descriptor, data) :]

    def close(self) -> None:
        """See `LogSink`."""


class JournalSink:
    """Sends entries with their fields to systemd's journal.

    Args:
        place: of its socket.

    Raises:
        OSError: there is none.
    """

    def __init__(self, place: str = JOURNAL) -> None:
        self._place = place
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            self._socket.connect(place)
        except OSError:
            self._socket.close()
            raise

    def write(self, entry: LogEntry) -> None:
        """See `LogSink`."""
        data = as_datagram(entry)
        try:
            self._socket.send(data)
        except OSError:
            # The journal was started anew. Where it was away for longer than an entry, the kernel has parted us from
            # it, and says "not connected" from then on.
            self._socket.connect(self._place)
            self._socket.send(data)

    def close(self) -> None:
        """See `LogSink`."""
        self._socket.close()


class FileSink:
    """Lines of JSON in `perpetuum.log`, and older ones in `perpetuum.log.1` and so on; all of bounded size.

    Args:
        folder: that holds them; made if it is not there.
        size: bytes after which another begins.
        files: that are kept besides.
    """

    def __init__(self, folder: Path, size: int, files: int) -> None:
        self._path = folder / "perpetuum.log"
        self._size = size
        self._files = files
        self._descriptor: int | None = None
        self._written = 0

    def write(self, entry: LogEntry) -> None:
        """See `LogSink`."""
        data = (as_json(entry) + "\n").encode("utf-8", "replace")
        if self._descriptor is not None and self._written + len(data) > self._size:
            self.close()
            self._turn()
        if self._descriptor is None:
            self._open()
        assert self._descriptor is not None
        try:
            if os.write(self._descriptor, data) < len(data):
                os.ftruncate(self._descriptor, self._written)  # half a line would spoil the next one
                raise OSError(28, "No space left on device")
        except OSError:
            self.close()  # opened anew the next time: the disk may be another one then
            raise
        self._written += len(data)

    def close(self) -> None:
        """See `LogSink`."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, 0o640)
        told = os.fstat(descriptor)
        if not stat.S_ISREG(told.st_mode):
            os.close(descriptor)
            raise OSError(22, f"{self._path} is no file")
        self._descriptor, self._written = descriptor, told.st_size
        if self._written > self._size:
            self.close()
            self._turn()
            self._open()

    def _turn(self) -> None:
        """Let each file have the next number; the last one goes."""
        for number in range(self._files, 0, -1):
            newer = self._path if number == 1 else self._path.with_name(f"perpetuum.log.{number - 1}")
            with suppress(FileNotFoundError):
                newer.replace(self._path.with_name(f"perpetuum.log.{number}"))
        if not self._files:
            self._path.unlink(missing_ok=True)


def json_stream(descriptor: int = 2) -> StreamSink:
    """Lines of JSON to a descriptor."""
    return StreamSink(descriptor, as_json)


def has_journal(descriptor: int = 2) -> bool:
    """Whether systemd's journal takes what is printed (`JOURNAL_STREAM` names device and inode)."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        told = os.fstat(descriptor)
        return (told.st_dev, told.st_ino) == (int(device), int(inode))
    except (OSError, ValueError):
        return False
