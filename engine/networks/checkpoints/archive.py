"""Checkpoints in tar files, as MusicVAE's are handed round.

Members are read where they lie. Nothing is ever unpacked to a disk, so that a member's path cannot lead anywhere.
"""

from __future__ import annotations

import bz2
import tarfile
import zlib
from collections.abc import Callable
from typing import Any

from engine.networks.checkpoints.wire import MalformedError

_MAX_MEMBERS = 2000
_MAX_RATIO = 20
_GRACE = 2**24
"""Weights hardly shrink by compression. What grows to more than twenty times its size and 16 MB is no checkpoint."""
_MAX_UNPACKED = 2**31
_CHUNK = 2**20


def is_tar(data: memoryview) -> bool:
    """Whether a file looks like a tar file, compressed or not."""
    return bytes(data[257:262]) == b"ustar" or _decompressor(data) is not None


def read_members(data: memoryview) -> dict[str, memoryview]:
    """The plain files in a tar file by their name without folders; folders are passed over.

    Args:
        data: the file; may be compressed with gzip or bzip2.

    Raises:
        MalformedError: it is damaged; it unpacks to far more than a checkpoint; or it holds links, devices or paths
            that lead out of it, which no checkpoint does.
    """
    decompressor = _decompressor(data)
    if decompressor is not None:
        data = _decompressed(data, decompressor)
    members: dict[str, memoryview] = {}
    try:
        file: Any = _Bytes(data)
        with tarfile.open(fileobj=file, mode="r:") as archive:
            behind = -1
            for _ in range(_MAX_MEMBERS):
                member = archive.next()
                if member is None:
                    return members
                if member.offset <= behind or member.size < 0 or member.offset_data + member.size > len(data):
                    raise MalformedError(f"member {member.name!r} is cut off or overlaps another")
                behind = member.offset
                _add(members, member, data)
    except (tarfile.TarError, EOFError, OSError, RecursionError, ArithmeticError, UnicodeError) as error:
        raise MalformedError(f"it is no readable tar file ({error})") from None
    raise MalformedError(f"it has more than {_MAX_MEMBERS} members")


def _add(members: dict[str, memoryview], member: tarfile.TarInfo, data: memoryview) -> None:
    parts = member.name.split("/")
    if not member.name.isprintable():
        raise MalformedError(f"member {member.name!r} has a name that cannot be printed")
    if member.name.startswith("/") or ".." in parts:
        raise MalformedError(f"member {member.name!r} leads out of the archive; no checkpoint does that")
    if member.isdir():
        return
    if not member.isreg() or member.issparse():
        raise MalformedError(f"member {member.name!r} is a link, a device or another thing that is no plain file")
    if parts[-1] in members:
        raise MalformedError(f"it has two members called {parts[-1]!r}")
    members[parts[-1]] = data[member.offset_data : member.offset_data + member.size]


_Step = Callable[[Callable[[], bytes]], tuple[bytes, bool]]
"""Given what fetches the next compressed bytes: (unpacked bytes, whether that was all)."""


def _decompressor(data: memoryview) -> _Step | None:
    """What unpacks a file step by step; None if it is not compressed."""
    if bytes(data[:2]) == b"\x1f\x8b":
        gzip = zlib.decompressobj(wbits=31)
        return lambda fetch: (gzip.decompress(gzip.unconsumed_tail or fetch(), _CHUNK), gzip.eof)
    if bytes(data[:3]) == b"BZh":
        bzip2 = bz2.BZ2Decompressor()
        return lambda fetch: (bzip2.decompress(fetch() if bzip2.needs_input else b"", _CHUNK), bzip2.eof)
    return None


def _decompressed(data: memoryview, step: _Step) -> memoryview:
    limit = min(_MAX_RATIO * len(data) + _GRACE, _MAX_UNPACKED)
    whole = bytearray()
    compressed = _Bytes(data)
    finished = False
    while not finished:
        try:
            part, finished = step(lambda: compressed.read(_CHUNK))
        except (zlib.error, OSError, ValueError, EOFError) as error:
            raise MalformedError(f"it cannot be unpacked ({error})") from None
        whole += part
        if len(whole) > limit:
            raise MalformedError(f"{len(data)} bytes unpack to more than {limit}, which no checkpoint does")
        if not part and not finished and compressed.tell() == len(data):
            raise MalformedError("it is compressed, and cut off")
    return memoryview(whole).toreadonly()


class _Bytes:
    """A view as a file: without a copy of the whole, and a read takes no more memory than there is to read."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._position = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self._position, len(self._data))[whence]
        if base + offset < 0:
            raise OSError("a place before the start")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        begin = min(self._position, len(self._data))
        end = len(self._data) if size < 0 else min(begin + size, len(self._data))
        self._position = end
        return bytes(self._data[begin:end])
