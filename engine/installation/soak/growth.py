# pyright: strict
"""Whether something grows: a straight line through what was measured, and how sure its slope is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth of a figure.

    Attributes:
        mean: a day.
        error: half of the interval in which the slope lies with 95 %, if what is left over were independent; None for
            fewer than four points.
        points: that it rests on.
    """

    mean: float
    error: float | None
    points: int


def slope_of(runs: Sequence[Sequence[tuple[float, float]]]) -> Slope | None:
    """The slope that fits several runs, each with a height of its own: a soak may have been interrupted.

    Args:
        runs: points (days, figure) of each.

    Returns:
        least squares; None where no run has two points.
    """
    days: list[float] = []
    values: list[float] = []
    used = 0
    for run in runs:
        if len(run) < 2:
            continue
        points = np.array(run)
        centred = points - points.mean(axis=0)
        days += centred[:, 0].tolist()
        values += centred[:, 1].tolist()
        used += 1
    x, y = np.array(days), np.array(values)
    spread = float(x @ x)
    if not used or spread <= 0:
        return None
    mean = float(x @ y) / spread
    free = len(x) - used - 1
    if free < 2:
        return Slope(mean, None, len(x))
    left = y - mean * x
    # Student's quantile for 97.5 %, to two percent from two degrees of freedom on (Cornish and Fisher's first terms).
    z = 1.959964
    quantile = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    return Slope(mean, quantile * math.sqrt(float(left @ left) / free / spread), len(x))
