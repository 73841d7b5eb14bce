# pyright: strict
"""What leaves for the output, measured behind the gain: whether it can be heard at all."""

from __future__ import annotations

import numpy as np

from engine.sound.format import AudioFormat

AUDIBLE = 10.0 ** (-70 / 20)
"""Largest sample, linear, of what nobody hears."""


class LevelMeter:
    """Measures chunks in one thread; any other may read. Allocates nothing that grows with the chunk.

    Args:
        format: of the sound.
    """

    def __init__(self, format: AudioFormat) -> None:
        self._rate = format.rate
        self._frame_bytes = format.frame_bytes
        self._peak = 0.0
        self._silent = 0

    def take(self, chunk: bytes) -> None:
        """Measure interleaved float32 frames."""
        if not chunk:
            return
        samples = np.frombuffer(chunk, np.float32)
        peak = max(float(samples.max()), -float(samples.min()))
        if peak > self._peak:  # what is no number is not larger than anything
            self._peak = peak
        if peak > AUDIBLE:
            self._silent = 0
        else:
            self._silent += len(chunk) // self._frame_bytes

    @property
    def silent(self) -> float:
        """Seconds of sound for which nothing audible has left."""
        return self._silent / self._rate

    def take_peak(self) -> float:
        """The largest sample since it was asked last, linear."""
        peak, self._peak = self._peak, 0.0
        return peak
