"""Files that a user names, opened so that none of them can hold anybody up: a FIFO, a device or a folder is refused.

What the command line names may also be a pipe, or `-` for standard input; see `read_bytes`.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

SavedState = tuple[int, int, int, int]
"""What tells one saved state of a file from another: its device, number, size and time."""

PIPE_PATIENCE = 10.0
"""Seconds within which something must come through a pipe, or its end."""

STANDARD_INPUT = "-"
"""What the command line calls standard input."""

_noted: ContextVar[dict[Path, SavedState | None] | None] = ContextVar("noted", default=None)

_KINDS = {
    stat.S_IFDIR: "it is a folder",
    stat.S_IFIFO: "it is a pipe, not a file",
    stat.S_IFCHR: "it is a device, not a file",
    stat.S_IFBLK: "it is a device, not a file",
    stat.S_IFSOCK: "it is a socket, not a file",
}


def saved_at(path: Path) -> SavedState | None:
    """The saved state of a file; None where no regular file lies."""
    try:
        return _state(path.stat())
    except (OSError, ValueError):
        return None


def status(path: Path) -> os.stat_result:
    """`Path.stat`, which `noting` sees.

    Raises:
        OSError: there is no such file, or it may not be looked at.
        ValueError: the path has a NUL character in it.
    """
    _note(path, None)
    found = path.stat()
    _note(path, _state(found))
    return found


@contextmanager
def noting() -> Iterator[dict[Path, SavedState | None]]:
    """Note which files are read meanwhile in this thread, and in which state: what is made of them changes with them.

    Those that cannot be read have the state None.
    """
    found: dict[Path, SavedState | None] = {}
    outer = _noted.set(found)
    try:
        yield found
    finally:
        _noted.reset(outer)
        if (others := _noted.get()) is not None:
            others.update(found)


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
        pipes: what the command line names may also be a pipe, or `-`: it is read to its end, for which it may keep us
            waiting `PIPE_PATIENCE` seconds at a time.

    Raises:
        OSError: as `open_regular`.
        ValueError: the path has a NUL character in it.
    """
    descriptor = _standard_input() if pipes and is_standard_input(path) else _opened(path, pipes)
    try:
        parts: list[bytes] = []
        left = most + 1
        while left > 0 and (part := _next_part(descriptor, path, min(left, 1 << 20))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def is_standard_input(path: Path | str) -> bool:
    """Whether a command line means standard input."""
    return os.fspath(path) == STANDARD_INPUT


def is_passing(path: Path | str) -> bool:
    """Whether what a command line names can be read only once: standard input, a pipe or the like."""
    try:
        return is_standard_input(path) or stat.S_IFMT(Path(path).stat().st_mode) not in (stat.S_IFREG, stat.S_IFDIR)
    except (OSError, ValueError):
        return False


def folder_of(path: Path) -> Path:
    """Where the relative paths in a file begin: its folder, or this one where the file is a stream of the shell's."""
    streams = (Path("/dev"), Path("/proc"))
    return Path() if any(path.is_relative_to(folder) for folder in streams) else path.parent


def stem_of(path: Path) -> str:
    """The name of a file without its ending, after which others are called; "stdin" for streams of the shell's."""
    return "stdin" if is_standard_input(path) or folder_of(path) != path.parent else path.stem


def reason(error: Exception) -> str:
    """Why a file cannot be read, without the path, which the message says already."""
    return getattr(error, "strerror", None) or str(error)


def _opened(path: Path | str, pipes: bool) -> int:
    # Looked at before it is opened, because some devices act when they are (a watchdog restarts the machine), and
    # after, because it may have been replaced. O_NONBLOCK: to open a FIFO without a writer would wait for one.
    _note(path, None)
    _refuse(Path(path).stat(), path, pipes)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        _refuse(status, path, pipes)
    except OSError:
        os.close(descriptor)
        raise
    _note(path, _state(status))
    return descriptor


def _note(path: Path | str, state: SavedState | None) -> None:
    if (noted := _noted.get()) is not None:
        noted[Path(path)] = state


def _state(status: os.stat_result) -> SavedState | None:
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _standard_input() -> int:
    """A descriptor of standard input.

    Raises:
        OSError: it is a terminal, a device or a folder, or closed.
    """
    try:
        kind = stat.S_IFMT(os.fstat(0).st_mode)
    except OSError as error:
        raise OSError(errno.EBADF, "standard input is closed", STANDARD_INPUT) from error
    if kind not in (stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK):
        what = "it is a terminal: send a file into it, with `<` or `|`" if os.isatty(0) else _KINDS.get(kind)
        raise OSError(errno.EINVAL, what or "it is not a file", STANDARD_INPUT)
    return os.dup(0)


def _refuse(status: os.stat_result, path: Path | str, pipes: bool) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG and not (pipes and kind == stat.S_IFIFO):
        raise OSError(errno.EINVAL, _KINDS.get(kind, "it is not a file"), os.fspath(path))


def _next_part(descriptor: int, path: Path | str, size: int) -> bytes:
    """The next bytes; none at the end. Those of a pipe are waited for."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.read(descriptor, size)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    end = time.monotonic() + PIPE_PATIENCE
    while (left := end - time.monotonic()) > 0:
        if not poll.poll(left * 1000):
            continue
        try:
            return os.read(descriptor, size)
        except BlockingIOError:  # another reader was quicker
            continue
    message = f"for {PIPE_PATIENCE:g} s nothing has come through this pipe, not its end either"
    raise OSError(errno.ETIMEDOUT, message, os.fspath(path))
