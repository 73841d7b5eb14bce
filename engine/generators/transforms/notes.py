"""What transforms do to notes when they have changed them."""

from __future__ import annotations

import numpy as np

from engine.score.phrase import NOTE

SHORTEST = 0.05
"""Beats that a note keeps at least when it is shortened."""


def nearest_of(pitch: int, tones: tuple[int, ...]) -> int:
    """The nearest pitch of some pitch classes."""
    options = [option for option in range(max(0, pitch - 7), min(127, pitch + 7) + 1) if option % 12 in tones]
    return min(options, key=lambda option: (abs(option - pitch), option)) if options else pitch


def without_doubles(notes: np.ndarray) -> np.ndarray:
    """Notes that came to lie on the same pitch and start become one: the longest, as loud as the loudest."""
    if len(notes) < 2:
        return notes
    order = np.lexsort((-notes["end"], notes["pitch"], notes["start"]))
    notes = notes[order].astype(NOTE)
    same = (np.diff(notes["start"]) < 1e-9) & (np.diff(notes["pitch"]) == 0)
    first = np.concatenate([[True], ~same])
    loudest = np.maximum.reduceat(notes["velocity"], np.flatnonzero(first))
    kept = notes[first]
    kept["velocity"] = loudest
    return kept
