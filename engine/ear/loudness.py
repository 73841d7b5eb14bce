# pyright: strict
"""Loudness over minutes, gated as ITU-R BS.1770-4 says: what is silent or far softer is left out."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from engine.outputs.measuring.weighting import TENTHS, lufs, power_of

BLOCK = 4
"""Tenths of a second in a gating block."""

ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0


class GatedLoudness:
    """Integrated loudness of the last minutes.

    Args:
        window: seconds that it reaches back.
    """

    def __init__(self, window: float) -> None:
        self._last: deque[float] = deque(maxlen=BLOCK)
        self._blocks: deque[float] = deque(maxlen=max(1, round(window * TENTHS)))

    def take(self, powers: Sequence[float]) -> None:
        """Take in tenths of a second: mean squares, K-weighted and summed over the channels."""
        for power in powers:
            self._last.append(power)
            if len(self._last) == BLOCK:
                self._blocks.append(sum(self._last) / BLOCK)

    def forget(self) -> None:
        """Begin anew."""
        self._last.clear()
        self._blocks.clear()

    @property
    def lufs(self) -> float | None:
        """The loudness; None where there is nothing but silence."""
        blocks = np.array(self._blocks)
        loud = blocks[blocks > power_of(ABSOLUTE_GATE)]
        if not len(loud):
            return None
        found = lufs(float(loud[loud > loud.mean() * 10 ** (RELATIVE_GATE / 10)].mean()))
        return found if math.isfinite(found) else None
