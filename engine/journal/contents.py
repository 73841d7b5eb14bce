# pyright: strict
"""Files as they were: read when something begins to play them."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

LARGEST = 1 << 20
"""Bytes of a file that is kept; of a larger one its digest is."""

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file that was read.

    Attributes:
        digest: SHA-256.
        size: bytes.
        data: None where it is larger than `LARGEST`.
    """

    digest: str
    size: int
    data: bytes | None


class FileContents:
    """Reads each file once, and again when it has changed."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int, int], FileContent]] = {}

    def read(self, path: Path) -> FileContent | None:
        """A regular file; None where it cannot be read."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, ValueError):
            return None
        try:
            with os.fdopen(descriptor, "rb") as file:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode):
                    return None
                version = found.st_ino, found.st_size, found.st_mtime_ns
                known = self._known.get(path)
                if known is not None and known[0] == version:
                    return known[1]
                digest, size, pieces = hashlib.sha256(), 0, list[bytes]()
                while piece := file.read(_CHUNK):
                    digest.update(piece)
                    size += len(piece)
                    if size <= LARGEST:
                        pieces.append(piece)
        except OSError:
            return None
        content = FileContent(digest.hexdigest(), size, b"".join(pieces) if size <= LARGEST else None)
        self._known[path] = version, content
        return content
