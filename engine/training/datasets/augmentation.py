"""How training varies what a data set holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How excerpts are varied afresh in every batch.

    Attributes:
        transpose: semitones, lowest and highest.
        stretch: factors on durations, least and most; of performances, which keep to no grid.
    """

    transpose: tuple[int, int] = (-5, 6)
    stretch: tuple[float, float] = (1.0, 1.0)

    def transposition(self, rng: np.random.Generator) -> int:
        """Semitones to transpose an excerpt by."""
        low, high = self.transpose
        return int(rng.integers(low, high + 1))
