# pyright: strict
"""A low cut behind the pipe: bass, which walls let through, is taken away at night, and nothing clicks on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.outputs.biquads import BiquadCascade, butterworth_high_pass
from engine.outputs.ramp import GainMove, GainRamp
from engine.sound.format import AudioFormat

MOST_HERTZ = 1000.0
"""Highest frequency of a low cut; what is above it is no bass."""


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """What is asked for.

    Attributes:
        hertz: below which sound gets softer; 0: none does.
        frames: in which it comes.
        made: the filter; None where there is none.
    """

    hertz: float
    frames: int
    made: BiquadCascade | None


class LowCut:
    """Lets everything pass, or takes away what lies below a frequency, 24 dB an octave; one fades into the other.

    `to` may be called from any thread, all else only from the one that has the sound. What is asked for while one
    fades into the other begins after that; of several, the last counts.

    Args:
        format: of the sound.
        most: frames that a chunk has at most; more are taken, but not without allocating.
    """

    def __init__(self, format: AudioFormat, most: int = 1024) -> None:
        self._format = format
        self._most = most
        self._wanted = self._taken = _Order(0.0, 1, None)
        self._from: BiquadCascade | None = None
        self._now: BiquadCascade | None = None
        self._hertz = 0.0
        self._ramp = GainRamp(1.0)  # share of what is new
        self._room(most)

    @property
    def hertz(self) -> float:
        """What was asked for last."""
        return self._wanted.hertz

    @property
    def works(self) -> bool:
        """Whether anything is done to the sound, as far as commands have been taken."""
        return self._now is not None or self._fading

    @property
    def _fading(self) -> bool:
        return self._ramp.left > 0

    def to(self, hertz: float, frames: int) -> None:
        """Take bass away below `hertz`, or with 0 let it come back, within so many frames.

        The filter is made here, so that the sound does not wait for it.

        Raises:
            ValueError: no such frequency.
        """
        if not (math.isfinite(hertz) and 0.0 <= hertz <= MOST_HERTZ):
            raise ValueError(f"a low cut is at 0 to {MOST_HERTZ:g} Hz, not {hertz:g}")
        made = None
        if hertz > 0:
            made = BiquadCascade(
                butterworth_high_pass(hertz, self._format.rate), self._format.channels, most=self._most
            )
        self._wanted = _Order(hertz, max(1, frames), made)

    def take(self) -> GainMove | None:
        """Take the last command, if there is a new one and none is being done: Hz and frames."""
        wanted = self._wanted
        if wanted is self._taken or self._fading:
            return None
        self._taken = wanted
        if wanted.hertz == self._hertz:
            return None
        self._from, self._now, self._hertz = self._now, wanted.made, wanted.hertz
        self._ramp = GainRamp(0.0)
        self._ramp.to(1.0, wanted.frames)
        self._ramp.take()
        return GainMove(wanted.hertz, wanted.frames)

    def pass_over(self, frames: int) -> None:
        """Go on by so many frames without any sound; the filters are then as after silence."""
        self._ramp.pass_over(frames)
        for one in (self._from, self._now):
            if one is not None:
                one.reset()

    def __call__(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """The stream goes on.

        Args:
            frames: [n, channels].

        Returns:
            the same, filtered; it counts until the next call.
        """
        count = len(frames)
        if count > len(self._new):
            self._room(count)
        new = self._new[:count]
        fading = self._fading
        _pass(self._now, frames, new)
        if not fading:
            return new
        old, curve = self._old[:count], self._curve[:count]
        _pass(self._from, frames, old)
        curve.fill(1.0)
        self._ramp.multiply(curve)
        new -= old
        new *= curve[:, None]
        new += old
        return new

    def _room(self, most: int) -> None:
        self._new = np.empty((most, self._format.channels), np.float32)
        self._old = np.empty((most, self._format.channels), np.float32)
        self._curve = np.empty(most, np.float32)


def _pass(filter: BiquadCascade | None, frames: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    if filter is None:
        np.copyto(out, frames)
    else:
        filter(frames, out)
