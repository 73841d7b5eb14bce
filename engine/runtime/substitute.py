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

LONGEST_WAIT = 10.0
"""Seconds that the music may be held back until a bar line; later than that it comes in where it is."""

FADE_OUT = 1.0
"""Seconds in which it gives way to the music."""


class Substitute:
    """Belongs to the thread that has the sound.

    Args:
        source: of its sound.
        format: of the sound.
        bar_line: gives the first bar line from a frame on, at which the music may come in again; None: nobody knows.
    """

    def __init__(
        self, source: Source, format: AudioFormat, bar_line: Callable[[int], int | None] = lambda frame: None
    ) -> None:
        self._source = source
        self._format = format
        self._bar_line = bar_line
        self._comes_in: int | None = None
        self._ramp = GainRamp(0.0)

    @property
    def playing(self) -> bool:
        """Whether it sounds."""
        return self._ramp.target > 0.0 or self._ramp.gain > 0.0

    def alone(self, frames: int) -> bytes:
        """The next frames without any music; empty if there is nothing to play."""
        self._comes_in = None
        if self._ramp.target < 1.0:
            self._ramp.to(1.0, round(FADE_IN * self._format.rate))
        sound = self._next(frames)
        return b"" if sound is None else sound.tobytes()

    def beneath(self, music: bytes, frame: int) -> bytes:
        """Music that comes again: unheard up to a bar line, then coming in while the substitute goes out.

        Args:
            music: the next frames of it.
            frame: the first of them.
        """
        if self._comes_in is None:
            line = self._bar_line(frame)
            near = line is not None and line - frame <= LONGEST_WAIT * self._format.rate
            self._comes_in = line if line is not None and near else frame
        if frame < self._comes_in and (held := self._next(self._format.frames(music))) is not None:
            return held.tobytes()
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
