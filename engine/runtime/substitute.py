# pyright: strict
"""What sounds in place of the music while none comes: a recording, faded in and out behind the pipe."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.outputs.ramp import GainRamp
from engine.sound.format import AudioFormat

Source = Callable[[int], "NDArray[np.float32] | None"]
"""Gives the next n frames, array [n, channels]; None: there is nothing to play."""

FADE_IN = 0.1
"""Seconds in which it begins: there is silence already."""

FADE_OUT = 1.0
"""Seconds in which it gives way to the music."""


class Substitute:
    """Belongs to the thread that has the sound.

    Args:
        source: of its sound.
        format: of the sound.
    """

    def __init__(self, source: Source, format: AudioFormat) -> None:
        self._source = source
        self._format = format
        self._ramp = GainRamp(0.0)

    @property
    def playing(self) -> bool:
        """Whether it sounds."""
        return self._ramp.target > 0.0 or self._ramp.gain > 0.0

    def alone(self, frames: int) -> bytes:
        """The next frames without any music; empty if there is nothing to play."""
        if self._ramp.target < 1.0:
            self._ramp.to(1.0, round(FADE_IN * self._format.rate))
        sound = self._next(frames)
        return b"" if sound is None else sound.tobytes()

    def beneath(self, music: bytes) -> bytes:
        """Music that comes again, coming in while the substitute goes out."""
        if self._ramp.target > 0.0:
            self._ramp.to(0.0, round(FADE_OUT * self._format.rate))
            self._ramp.take()
        frames = np.frombuffer(music, np.float32).reshape(-1, self._format.channels)
        gains = np.ones(len(frames), np.float32)
        self._ramp.multiply(gains)
        sound = self._source(len(frames))
        mixed = frames * (1.0 - gains)[:, None]
        if sound is not None:
            mixed += sound * gains[:, None]
        return mixed.astype(np.float32).tobytes()

    def _next(self, frames: int) -> NDArray[np.float32] | None:
        sound = self._source(frames)
        if sound is None:
            self._ramp = GainRamp(0.0)
            return None
        self._ramp.take()
        gains = np.ones(frames, np.float32)
        self._ramp.multiply(gains)
        return (sound * gains[:, None]).astype(np.float32)
