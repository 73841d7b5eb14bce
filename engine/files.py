"""Files that a user names, opened so that none of them can hold anybody up: a FIFO, a device or a folder is refused."""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from pathlib import Path
from typing import BinaryIO

PIPE_PATIENCE = 10.0
"""Seconds within which a pipe must come to its end."""

_KINDS = {
    stat.S_IFDIR: "it is a folder",
    stat.S_IFIFO: "it is a pipe, not a file",
    stat.S_IFCHR: "it is a device, not a file",
    stat.S_IFBLK: "it is a device, not a file",
    stat.S_IFSOCK: "it is a socket, not a file",
}


def open_regular(path: Path | str) -> BinaryIO:
    """Open a regular file to read it, without buffer; links are followed.

    Never waits: what is no regular file is refused.

    Raises:
        OSError: there is none, it may not be read, or it is no regular file (`strerror` says what it is).
        ValueError: the path has a NUL character in it.
    """
    return os.fdopen(_opened(path, pipes=False), "rb", buffering=0)


def read_bytes(path: Path | str, most: int, pipes: bool = False) -> bytes:
    """The bytes of a regular file; of a larger one no more than `most` + 1, by which it can be told.

    Args:
        path: of the file.
        most: bytes.
        pipes: a pipe is read, too, to its end, for `PIPE_PATIENCE` seconds at most: what the command line names may be
            one.

    Raises:
        OSError: as `open_regular`.
        ValueError: the path has a NUL character in it.
    """
    descriptor = _opened(path, pipes)
    try:
        parts: list[bytes] = []
        left = most + 1
        end = time.monotonic() + PIPE_PATIENCE
        while left > 0 and (part := _next_part(descriptor, path, min(left, 1 << 20), end)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def reason(error: Exception) -> str:
    """Why a file cannot be read, without the path, which the message says already."""
    return getattr(error, "strerror", None) or str(error)


def _opened(path: Path | str, pipes: bool) -> int:
    # Looked at before it is opened, because some devices act when they are (a watchdog restarts the machine), and
    # after, because it may have been replaced. O_NONBLOCK: to open a FIFO without a writer would wait for one.
    _refuse(Path(path).stat(), path, pipes)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _refuse(os.fstat(descriptor), path, pipes)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _refuse(status: os.stat_result, path: Path | str, pipes: bool) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG and not (pipes and kind == stat.S_IFIFO):
        raise OSError(errno.EINVAL, _KINDS.get(kind, "it is not a file"), os.fspath(path))


def _next_part(descriptor: int, path: Path | str, size: int, end: float) -> bytes:
    """The next bytes; none at the end. Those of a pipe are waited for until `end` on the monotonic clock."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.read(descriptor, size)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while (left := end - time.monotonic()) > 0:
        if not poll.poll(left * 1000):
            continue
        try:
            return os.read(descriptor, size)
        except BlockingIOError:  # another reader was quicker
            continue
    raise OSError(errno.ETIMEDOUT, f"this pipe has not come to an end within {PIPE_PATIENCE:g} s", os.fspath(path))
