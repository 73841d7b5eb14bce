"""Notes on a grid of steps."""

from __future__ import annotations

import numpy as np

_ROUNDING = 1e-6
"""Steps; positions that are equal on paper differ by less after a change of units."""


def on_grid(notes: np.ndarray, steps_per_beat: float) -> tuple[np.ndarray, np.ndarray]:
    """Each note's first step and the step at which it ends, both nearest (halves upwards); none is shorter than a step.

    Args:
        notes: array [n] of `NOTE`.
        steps_per_beat: 4 for sixteenths.

    Returns:
        Integers [n] and [n].
    """
    starts = nearest_step(notes["start"] * steps_per_beat)
    return starts, np.maximum(nearest_step(notes["end"] * steps_per_beat), starts + 1)


def nearest_step(position: np.ndarray) -> np.ndarray:
    """The integers nearest to positions in steps, halves upwards."""
    return np.floor(np.asarray(position) + 0.5 + _ROUNDING).astype(int)
