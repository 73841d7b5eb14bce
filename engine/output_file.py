"""How files are written: the one place in the project that makes one, whole or not at all.

A file grows beside its target, under a name that nobody else has, and gets the target's name when it is complete and
on the disk. Only a regular file is ever replaced. A link is followed, and what it leads to is replaced; a FIFO or a
character device, such as `/dev/null` or `/dev/stdout`, is written to when all is there; a folder, a disk or a socket is
refused.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from io import BufferedRandom, FileIO
from pathlib import Path
from types import TracebackType
from typing import IO

from engine.errors import PerpetuumError

_LONGEST_NAME = 200
"""Bytes of a target's name that the name of the growing file repeats; file systems end at 255."""


class RawFile(FileIO):
    """A file that remembers why it could not be written: libraries pass on less of an `OSError` than it says."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "r+b")
        self.error: OSError | None = None

    def write(self, data: object, /) -> int:
        """See `FileIO.write`; all of it, or an error.

        Raises:
            OSError: no space, a limit, a broken disk.
        """
        view = memoryview(data).cast("B")  # pyright: ignore[reportArgumentType]
        done = 0
        try:
            while done < len(view):
                done += super().write(view[done:])
        except OSError as error:
            self.error = error
            raise
        return done


def _kind(mode: int) -> str:
    """What is no regular file, in words."""
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFBLK: "a disk",
        stat.S_IFSOCK: "a socket",
        stat.S_IFIFO: "a FIFO",
        stat.S_IFCHR: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no file")


class Target:
    """A place to write to, looked at before any work is done for it.

    Attributes:
        path: as it was given.
        place: the regular file that will appear; None where a device or FIFO is written to.
        there: device and inode of the file that is there now and will be replaced, or None.

    Args:
        path: as it was given.
        endings: of names that can be written, like ".wav"; empty for any. A device may be called anything.

    Raises:
        PerpetuumError: it can never be written: a folder, a disk, a path into nowhere, no permission, another ending.
    """

    def __init__(self, path: Path, endings: Sequence[str] = ()) -> None:
        self.path = path
        self.place: Path | None = None
        self.there: tuple[int, int] | None = None
        self._mode: int | None = None
        self._owner: tuple[int, int] | None = None
        try:
            self._look(endings)
        except (OSError, ValueError) as error:
            raise cannot_write(path, error) from error

    def _look(self, endings: Sequence[str]) -> None:
        path = self.path
        linked = path.is_symlink()
        if linked and (owner := _planted(path)) is not None:
            raise PerpetuumError(
                f"cannot write {path}: it is a link that belongs to another user ({owner}), in a folder for everybody",
                "name another file",
            )
        try:
            found = path.stat()
        except FileNotFoundError:
            found = None
        if found is not None and (stat.S_ISFIFO(found.st_mode) or stat.S_ISCHR(found.st_mode)):
            return
        if found is not None and not stat.S_ISREG(found.st_mode):
            hint = "name a file in it" if stat.S_ISDIR(found.st_mode) else "name a file"
            raise PerpetuumError(f"cannot write {path}: it is {_kind(found.st_mode)}", hint)
        if endings:
            check_ending(path, endings)
        place = Path(os.path.realpath(path)) if linked else path
        if found is not None:
            there = place.stat()
            if (there.st_dev, there.st_ino) != (found.st_dev, found.st_ino):
                raise PerpetuumError(f"cannot write {path}: what it leads to has no name any more", "name a file")
            if not os.access(place, os.W_OK):
                raise PerpetuumError(f"cannot write {path}: it is write-protected", "name another file")
            self.there = (there.st_dev, there.st_ino)
            self._mode, self._owner = stat.S_IMODE(there.st_mode) & 0o777, (there.st_uid, there.st_gid)
        folder = place.parent
        if not folder.is_dir():
            raise PerpetuumError(
                f"cannot write {path}: there is no folder {folder}", "make it first, or name another place"
            )
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PerpetuumError(f"cannot write {path}: the folder {folder} may not be written", "name another place")
        self.place = place

    def grow(self, ending: str | None = None) -> tuple[Path, RawFile]:
        """A new file beside the target, open for reading and writing.

        Args:
            ending: of its name, behind the target's; without it a hidden name that nobody else has.

        Raises:
            OSError: it cannot be made.
        """
        assert self.place is not None
        name = os.fsdecode(os.fsencode(self.place.name)[:_LONGEST_NAME])
        for number in range(1, 10_000):
            if ending is None:
                growing = self.place.with_name(f".{name}.{secrets.token_hex(4)}.partial")
            else:
                growing = self.place.with_name(f"{name}{ending}{number if number > 1 else ''}")
            with suppress(FileExistsError):
                return growing, self._made(growing)
        raise FileExistsError(f"too many files called {name}{ending}")

    def _made(self, growing: Path) -> RawFile:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = RawFile(os.open(growing, flags, 0o666))
        if self._mode is not None and self._owner is not None:
            with suppress(OSError):  # whose it is only root can say
                os.fchown(file.fileno(), *self._owner)
            with suppress(OSError):
                os.fchmod(file.fileno(), self._mode)
        return file

    def take_place(self, growing: Path, file: RawFile) -> None:
        """Give a complete file the target's name, in one step, and its bytes to the disk before.

        Raises:
            OSError: it cannot be done.
        """
        assert self.place is not None
        with suppress(FileNotFoundError):
            now = self.place.lstat()
            if not stat.S_ISREG(now.st_mode):
                raise FileExistsError(f"it has become {_kind(now.st_mode)}")
        os.fsync(file.fileno())
        growing.replace(self.place)
        sync_folder(self.place.parent)


class OutputFile:
    """A file that is written, in a `with`: complete and under its name at the end, or not there at all.

    Attributes:
        file: to write to; it can be read and sought in.

    Args:
        path: of the file.
        endings: see `Target`.

    Raises:
        PerpetuumError: it can never be written, or it could not be.
    """

    def __init__(self, path: Path, endings: Sequence[str] = ()) -> None:
        self.path = path
        self.target = Target(path, endings)
        self._through: int | None = None
        self._growing: Path | None = None
        try:
            if self.target.place is None:
                self._through = _opened(path)
                self.raw = RawFile(_nameless())
            else:
                self._growing, self.raw = self.target.grow()
        except OSError as error:
            self._end()
            raise cannot_write(path, error) from error
        self.file: IO[bytes] = BufferedRandom(self.raw)

    def __enter__(self) -> OutputFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if kind is None:
                self.file.flush()
                self._complete()
        except OSError as reason:
            raise cannot_write(self.path, reason) from reason
        finally:
            self._end()
        if self.raw.error is not None and isinstance(error, Exception):
            raise cannot_write(self.path, self.raw.error) from error

    def _complete(self) -> None:
        if self._growing is not None:
            self.target.take_place(self._growing, self.raw)
            self._growing = None
        elif self._through is not None:
            through, self._through = self._through, None
            with os.fdopen(through, "wb") as device:
                self.file.seek(0)
                shutil.copyfileobj(self.file, device)

    def _end(self) -> None:
        """Leave nothing open, and no file that is not complete."""
        if self._growing is not None:
            with suppress(OSError):
                self._growing.unlink()
        if self._through is not None:
            os.close(self._through)
            self._through = None
        if hasattr(self, "file"):
            with suppress(OSError):
                self.file.close()
        if hasattr(self, "raw"):
            self.raw.close()


def write_bytes(path: Path, data: bytes, endings: Sequence[str] = ()) -> None:
    """Write a file at once.

    Raises:
        PerpetuumError: it cannot be written.
    """
    with OutputFile(path, endings) as output:
        output.file.write(data)


def write_text(path: Path, text: str, endings: Sequence[str] = ()) -> None:
    """Write a text as UTF-8, at once.

    Raises:
        PerpetuumError: it cannot be written.
    """
    write_bytes(path, text.encode(), endings)


def output_folder(path: Path) -> Path:
    """A folder for files: it is there, or it is made, but not the one that it is to lie in.

    Raises:
        PerpetuumError: it cannot be made or written into.
    """
    check_folder(path)
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise PerpetuumError(f"cannot make the folder {path}: {reason_of(error)}", "choose another") from error
    return path


def check_folder(path: Path) -> None:
    """Refuse a folder that could not be written into.

    Raises:
        PerpetuumError: it is something else, may not be written, or lies nowhere.
    """
    try:
        if path.is_dir():
            if not os.access(path, os.W_OK | os.X_OK):
                raise PerpetuumError(f"cannot write into {path}: it may not be written", "choose another folder")
        elif path.exists() or path.is_symlink():
            raise PerpetuumError(f"cannot write into {path}: it is no folder", "choose another, or a new one")
        elif not path.parent.is_dir():
            raise PerpetuumError(
                f"cannot make the folder {path}: there is no folder {path.parent}", "make that first, or choose another"
            )
        elif not os.access(path.parent, os.W_OK | os.X_OK):
            raise PerpetuumError(
                f"cannot make the folder {path}: {path.parent} may not be written", "choose another folder"
            )
        elif len(os.fsencode(path.name)) > 255:
            raise PerpetuumError(f"cannot make the folder {path.name[:40]}...: its name is too long", "choose another")
    except (OSError, ValueError) as error:
        raise PerpetuumError(f"cannot write into {path}: {reason_of(error)}", "choose another folder") from error


def cannot_write(path: Path, error: Exception) -> PerpetuumError:
    """What to say when a file cannot be written."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    hint = "make room, or choose another place" if full else "choose another place"
    return PerpetuumError(f"cannot write {path}: {reason_of(error)}", hint)


def reason_of(error: Exception) -> str:
    """Why the system refused, without numbers and repeated paths."""
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def check_ending(path: Path, endings: Sequence[str]) -> None:
    """Refuse a name whose ending is none of these, in small or capital letters.

    Raises:
        PerpetuumError: it has another one, or none.
    """
    if path.suffix.lower() not in endings:
        what = f"ends in {path.suffix}" if path.suffix else "has no ending"
        raise PerpetuumError(
            f"cannot write {path}: it {what}, and what can be written is {listed(endings)}",
            f"call it {path.with_suffix(endings[0])}",
        )


def listed(endings: Sequence[str]) -> str:
    """Endings in a sentence: ".wav, .flac or .ogg"."""
    return " or ".join(filter(None, (", ".join(endings[:-1]), endings[-1])))


def sync_folder(folder: Path) -> None:
    """Let a new name in a folder outlast a power cut, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _planted(link: Path) -> int | None:
    """The owner of a link that somebody may have laid for us in a folder for everybody.

    The kernel's rule for opening (`fs.protected_symlinks`), which renaming gets around.
    """
    owner, folder = link.lstat().st_uid, link.parent.stat()
    for_everybody = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
    return owner if for_everybody and owner not in (os.geteuid(), folder.st_uid) else None


def _opened(path: Path) -> int:
    """A device or FIFO, for writing; a FIFO that nobody reads would have us wait for ever.

    Raises:
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO and path.is_fifo():
            raise OSError(errno.ENXIO, "nobody reads from this FIFO") from error
        raise
    os.set_blocking(descriptor, True)
    return descriptor


def _nameless() -> int:
    """A file without a name, for what goes through a device when it is complete."""
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
