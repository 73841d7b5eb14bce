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
        # Made once: what runs every block allocates nothing.
        self._share, self._rising = np.zeros(BLOCK), np.zeros(BLOCK)
        self._gains = np.ones(BLOCK, np.float32)

    def hear(self, part: int, offset: int, pitch: int, velocity: int) -> None:
        """A note that begins at a frame of the coming block; notes of other parts change nothing."""
        if part == self._under and (self._drum is None or CLASS_OF_PITCH.get(pitch) == self._drum):
            self._strokes.append((offset, min(velocity / _FULL, 1.0)))

    def _fill(self, first: int, since: int) -> None:
        """Write the shares of the depth from a frame of the block on, which is so many frames after the stroke."""
        share, rising = self._share[first:], self._rising[first:]
        np.add(self._frames[: BLOCK - first], since, out=share)
        np.subtract(share, _FALL + _HOLD, out=rising)
        rising /= self._rise
        np.clip(rising, 0.0, 1.0, out=rising)
        rising *= np.pi
        np.cos(rising, out=rising)
        rising += 1.0
        rising *= 0.5
        share /= _FALL
        np.clip(share, 0.0, 1.0, out=share)
        share *= self._bottom - self._before
        share += self._before
        share *= rising

    def apply(self, channels: np.ndarray) -> None:
        """Turn the part down in a block [BLOCK, 2 * parts] of all parts' channels."""
        if not self._strokes and self._since >= _FALL + _HOLD + self._rise:
            return
        self._fill(0, self._since)
        start = 0
        for offset, strength in sorted(self._strokes):
            here = float(self._share[offset])
            self._before, self._bottom = here, max(here, strength)
            self._fill(offset, 0)
            self._since, start = 0, offset
        self._strokes.clear()
        self._since += BLOCK - start
        self._share *= -self._depth * np.log(10.0) / 20.0
        np.exp(self._share, out=self._share)
        self._gains[:] = self._share
        for side in (2 * self._part, 2 * self._part + 1):
            # One by one: to multiply both at once numpy would make a buffer.
            line = channels[:, side]
            np.multiply(line, self._gains, out=line)
