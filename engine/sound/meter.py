"""Levels of the output, in numpy."""

from __future__ import annotations

import math

import numpy as np


class BlockMeter:
    """Peak and root mean square of the blocks since they were last asked for."""

    def __init__(self) -> None:
        self._peak = 0.0
        self._squares = 0.0
        self._count = 0

    def add(self, block: np.ndarray, peak: float) -> None:
        """Take in an array [frames, channels] of float32, whose largest sample is known."""
        flat = block.ravel()
        self._peak = max(self._peak, peak)
        self._squares += float(np.dot(flat, flat))
        self._count += len(flat)

    def take(self) -> tuple[float, float]:
        """Peak and rms, linear; starts anew."""
        result = self._peak, math.sqrt(self._squares / self._count) if self._count else 0.0
        self._peak, self._squares, self._count = 0.0, 0.0, 0
        return result
