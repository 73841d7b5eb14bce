# pyright: strict
"""What of a place is set by hand-made rules: some levels that a sound of sixteen numbers is corrected by, in decibels.

Sixteen numbers say what kind of sound it is; a recording's own first partials, its noise, its attack and its decay
seldom fit them to a decibel. So a place has eleven numbers more, each the level of one such shape. They mean the same
at every pitch; places that are drawn have none.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from engine.timbres.neural.layout import (
    BANDS,
    FLUTTER_BANDS,
    MOMENTS,
    PARTIALS,
    TOP,
    Array,
    Doubles,
    partial_hertz,
)

BARS = 8
"""Partials, from the first on, of which each has a level of its own."""

TONE = BARS + 3
"""Numbers: the partials, then decay (dB a second), attack (dB at its beginning), noise (dB)."""

LOUDEST = 40.0
"""Decibels of a shape at most."""

_ATTACK = 0.06
"""Seconds after which an attack's shape has fallen to a third."""


def laid(partials: Doubles | float, noise: Doubles | float) -> Array:
    """[SIZE]: what is added to the levels of partials and of noise, each of a shape that [moments, columns] takes."""
    levels = [np.broadcast_to(one, (len(MOMENTS), size)) for one, size in ((partials, PARTIALS), (noise, BANDS))]
    return np.concatenate([*(one.ravel() for one in levels), np.zeros(FLUTTER_BANDS + 2)]).astype(np.float32)


def without_inaudible(shapes: Array, pitch: float) -> Array:
    """Shapes [shapes, SIZE] that leave partials alone which lie too high to be heard."""
    silent = np.zeros(shapes.shape[1], bool)
    silent[: len(MOMENTS) * PARTIALS] = np.tile(partial_hertz(pitch, 0.0) >= TOP, len(MOMENTS))
    return np.where(silent, np.float32(0.0), shapes)


def envelope_shapes() -> list[Array]:
    """What a faster decay, a slower attack and more noise add, [SIZE] each, for 1 dB."""
    decay, attack = -MOMENTS[:, None] + 0.5, -np.exp(-MOMENTS[:, None] / _ATTACK)
    return [laid(decay, decay), laid(attack, attack), laid(0.0, 1.0)]


@lru_cache(maxsize=16)
def tone_shapes(pitch: float) -> Array:
    """[TONE, SIZE]: what each number adds to a note, for 1 dB."""
    bars = [laid(np.eye(1, PARTIALS, number), 0.0) for number in range(BARS)]
    return without_inaudible(np.stack([*bars, *envelope_shapes()]), pitch)
