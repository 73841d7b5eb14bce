# pyright: strict
"""Files that a timbre is made of: where they lie, and what tells one from another. Light."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from engine.errors import PerpetuumError
from engine.files import SavedState, read_bytes, reason, saved_at

_LARGEST = 64 << 20
"""Bytes of a recording that is read whole to tell one from another."""


def located(name: str, folder: Path, is_there: Callable[[Path], bool]) -> str:
    """The absolute path of what a scene names: its own, from `~`, beside the scene, or from here.

    Args:
        name: as the scene has it.
        folder: of the scene.
        is_there: whether what is meant lies at a path. Where it lies nowhere, the first place is given.
    """
    try:
        path = Path(name).expanduser()
        bases = [path] if path.is_absolute() else [folder / path, path]
        return str(next((base.resolve() for base in bases if is_there(base)), bases[0].absolute()))
    except (OSError, ValueError, RuntimeError):  # nothing can be called that, or nobody is
        return name


def file_digest(path: Path) -> bytes:
    """SHA-256 of a file's bytes; read again only once the file was saved anew.

    Raises:
        PerpetuumError: it cannot be read.
    """
    try:
        return _digest(path, saved_at(path))
    except OSError as error:
        raise PerpetuumError(f"{path}: cannot be read ({reason(error)})") from error


@lru_cache(maxsize=256)
def _digest(path: Path, saved: SavedState | None) -> bytes:
    del saved
    return hashlib.sha256(read_bytes(path, _LARGEST)).digest()
