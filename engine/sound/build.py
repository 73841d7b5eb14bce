# pyright: strict
"""Which build of pyo is here, found out without importing it."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def pyo_folders() -> list[Path]:
    """Where pyo lies; empty where it is not installed."""
    spec = importlib.util.find_spec("pyo")
    if spec is None or spec.submodule_search_locations is None:
        return []
    return [Path(folder) for folder in spec.submodule_search_locations]


def has_double(folders: list[Path]) -> bool:
    """Whether it computes in double precision.

    Args:
        folders: where pyo lies.
    """
    return importlib.util.find_spec("pyo64") is not None and any(any(one.glob("_pyo64.*")) for one in folders)
