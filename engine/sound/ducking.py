"""Side-chain ducking: a part gives way while another strikes, as a bass does under the kick.

The strokes come from the notes, not from the other part's sound: they are exact to the frame, need no threshold, and
a loud snare moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.score.drums import CLASS_OF_PITCH
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, Duck

_FALL = SAMPLE_RATE // 200
"""Frames in which the part gives way: 5 ms, short against the attack of a kick and long enough not to click."""
_HOLD = SAMPLE_RATE // 20
"""Frames for which it stays down: 50 ms, the body of a kick."""
_FULL = 80
"""Velocity from which on it gives way by the whole depth."""


class Ducker:
    """One `Duck` in the graph.

    Args:
        duck: what gives way to what.
        places: index of each part by its name.
    """

    def __init__(self, duck: Duck, places: Mapping[str, int]) -> None:
        self._part, self._under, self._drum = places[duck.part], places[duck.under], duck.drum
        self._depth = duck.depth
        self._rise = max(1, round(duck.release * SAMPLE_RATE))
        self._strokes: list[tuple[int, float]] = []
        # Where it is: frames since the stroke (large: long ago), the share of the depth before it and at its bottom.
        self._since = _FALL + _HOLD + self._rise
        self._before = self._bottom = 0.0
        self._frames = np.arange(BLOCK, dtype=np.float64)
        self._share = np.zeros(BLOCK)

    def hear(self, part: int, offset: int, pitch: int, velocity: int) -> None:
        """A note that begins at a frame of the coming block; notes of other parts change nothing."""
        if part == self._under and (self._drum is None or CLASS_OF_PITCH.get(pitch) == self._drum):
            self._strokes.append((offset, min(velocity / _FULL, 1.0)))

    def _shares(self, since: np.ndarray | float) -> np.ndarray:
        """Share of the depth, so many frames after the stroke."""
        falling = self._before + (self._bottom - self._before) * np.clip(np.asarray(since) / _FALL, 0.0, 1.0)
        rising = np.clip((np.asarray(since) - _FALL - _HOLD) / self._rise, 0.0, 1.0)
        return falling * (0.5 + 0.5 * np.cos(np.pi * rising))

    def apply(self, channels: np.ndarray) -> None:
        """Turn the part down in a block [BLOCK, 2 * parts] of all parts' channels."""
        if not self._strokes and self._since >= _FALL + _HOLD + self._rise:
            return
        self._share[:] = self._shares(self._since + self._frames)
        start = 0
        for offset, strength in sorted(self._strokes):
            here = float(self._shares(self._since + offset - start))
            self._before, self._bottom = here, max(here, strength)
            self._share[offset:] = self._shares(self._frames[: BLOCK - offset])
            self._since, start = 0, offset
        self._strokes.clear()
        self._since += BLOCK - start
        gains = 10.0 ** (-self._depth / 20.0 * self._share)
        channels[:, 2 * self._part : 2 * self._part + 2] *= gains.astype(np.float32)[:, None]
