# pyright: strict
"""Fewer notes in quiet mode: of each bar of a part those that carry it stay, whoever has decided it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.sound.messages import Notes


def thinned(notes: Sequence[Notes], density: float) -> list[Notes]:
    """The notes of a bar that stay.

    Long and strong ones carry the music; of those that are alike the earlier and the lower stay. A part that plays
    keeps one note at least, so that none falls silent.

    Args:
        notes: of its parts; one `Notes` a part or more.
        density: share of the notes that stay, 0 to 1.
    """
    if density >= 1.0:
        return list(notes)
    return [Notes(piece.part, _kept(piece.notes, density)) for piece in notes]


def _kept(notes: np.ndarray, density: float) -> np.ndarray:
    count = min(len(notes), max(1, math.ceil(len(notes) * density - 1e-9)))
    weight = (notes["off"] - notes["on"]).astype(np.float64) * notes["velocity"]
    order = np.lexsort((notes["pitch"], notes["on"], -weight))  # the last key counts first
    return notes[np.sort(order[:count])]
