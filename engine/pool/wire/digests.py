# pyright: strict
"""Digests of weights files: what they are called on another machine."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from engine import assets
from engine.errors import PerpetuumError
from engine.files import reason

SUFFIX = ".safetensors"


def digest_of(path: Path) -> str:
    """SHA-256 of a file, computed once for each time that it changed.

    Raises:
        PerpetuumError: it cannot be read.
    """
    try:
        found = path.stat()
        return _digest(path, found.st_mtime_ns, found.st_size)
    except OSError as error:
        raise PerpetuumError(f"{path} cannot be read: {reason(error)}", "look at the file and its rights") from error


@lru_cache(maxsize=256)
def _digest(path: Path, changed: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_named(name: str) -> tuple[str, Path]:
    """Digest and path of the weights that settings name.

    Raises:
        PerpetuumError: there is no such file, or it is one of several that only together are weights.
    """
    path = assets.find("weights", name, SUFFIX)
    if path is None:
        raise PerpetuumError(f"no weights {name!r}", "give the name of shipped weights, or the path of a weights file")
    if path.suffix == ".index":
        raise PerpetuumError(
            f"{path} is one of the files of a checkpoint, which a pool does not take",
            "import it first: perpetuum models import",
        )
    return digest_of(path), path
