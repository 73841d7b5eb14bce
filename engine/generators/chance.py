"""Seeded chance: every random choice comes from a named stream, the same in every process and on every machine."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from engine.generators.contract import Request

T = TypeVar("T")


def stream(seed: int, *words: object) -> np.random.Generator:
    """A random stream of its own for a seed and some words that say what it is for."""
    return np.random.default_rng([seed & (2**63 - 1), *(zlib.crc32(str(word).encode()) for word in words)])


def theme_stream(request: Request, *words: object) -> np.random.Generator:
    """A stream that is the same for all phrases of a part under one theme, whenever that returns."""
    return stream(request.theme, "theme", request.part, *words)


def pick(rng: np.random.Generator, choices: Sequence[T], weights: Sequence[float] | np.ndarray | None = None) -> T:
    """One of some choices, by weights (all zero counts as all equal)."""
    if weights is None:
        return choices[int(rng.integers(len(choices)))]
    chances = np.maximum(np.asarray(weights, float), 0.0)
    total = chances.sum()
    if not total > 0:
        return choices[int(rng.integers(len(choices)))]
    place = int(np.searchsorted(np.cumsum(chances), rng.random() * total, side="right"))
    return choices[min(place, len(choices) - 1)]
