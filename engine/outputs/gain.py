# pyright: strict
"""The gain stage behind the pipe: level, mute and the last fade act on what is about to be heard, so at once.

What the sound graph does is heard only when the whole pipe has been played. Behind the limiter nothing gets louder but
by a trim or by staff, and peaks are then rounded off. A low cut comes before all gains.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.outputs.low_cut import LowCut
from engine.outputs.ramp import GainMove, GainRamp
from engine.sound.format import AudioFormat

LEVEL_RAMP = 0.2
"""Seconds of a change of level."""

MUTE_RAMP = 0.02
"""Seconds until a mute is complete: short enough for "at once", long enough for no click."""

UNMUTE_RAMP = 1.0
"""Seconds in which muted sound comes back."""

MOST_TRIM = 6.0
"""dB by which a trim makes louder at most."""

MOST_LEVEL = 6.0
"""dB by which a level makes louder at most."""

CUT_RAMP = 5.0
"""Seconds in which bass goes, or comes back."""

KNEE = 10.0 ** (-2.0 / 20.0)
"""Largest sample that leaves the limiter. What is lifted above it is rounded off, towards `CEILING`."""

CEILING = 10.0 ** (-1.0 / 20.0)
"""Larger than this no sample is that was made louder."""

LOW_CUT = "low_cut"
"""What a move of the low cut is called, whose target is Hz."""


def unheard(gain: str, move: GainMove) -> None:
    """Where nobody wants to know how the gain moves."""


class Gain:
    """Makes sound softer. Commands come from any thread and wait for nobody; `apply` belongs to one thread.

    A mute, a level, a trim and a fade multiply: to un-mute during a fade does not stop it.

    Args:
        format: of the sound.
        mono: every channel is the mean of all.
        moved: told the name of each gain that begins to move with the next frame, and where it goes.
    """

    def __init__(
        self, format: AudioFormat, mono: bool = False, moved: Callable[[str, GainMove], None] = unheard
    ) -> None:
        self._format = format
        self._mono = mono
        self._moved = moved
        self._level = GainRamp()
        self._trim = GainRamp()
        self._mute = GainRamp()
        self._fade = GainRamp()
        self._ramps = {"level": self._level, "trim": self._trim, "mute": self._mute, "fade": self._fade}
        self._low_cut = LowCut(format)
        self._fades = False
        self._curve = np.empty(0, np.float32)
        self._scratch = np.empty((0, format.channels), np.float32)
        self._core = np.empty((0, format.channels), np.float32)
        self._silence = b""

    @property
    def muted(self) -> bool:
        """Whether the last command of the two was to mute."""
        return self._mute.target == 0.0

    @property
    def level(self) -> float:
        """The level that was asked for, linear."""
        return self._level.target

    @property
    def trim(self) -> float:
        """Where the trim stands or goes, linear, as far as commands have been taken."""
        return self._trim.heading

    @property
    def steady(self) -> float | None:
        """All gains together, linear, as they were applied last; None while one moves."""
        if any(ramp.left > 0 for ramp in self._ramps.values()):
            return None
        return self._level.gain * self._trim.gain * self._mute.gain * self._fade.gain

    @property
    def faded_out(self) -> bool:
        """Whether the last fade is over and nothing comes any more."""
        return self._fades and self._fade.gain == 0.0

    @property
    def fades(self) -> bool:
        """Whether the last fade has been asked for."""
        return self._fades

    def set_level(self, gain: float, seconds: float = LEVEL_RAMP) -> None:
        """Move to a level.

        Args:
            gain: linear, from 0 to what `MOST_LEVEL` is.
            seconds: that it takes.

        Raises:
            ValueError: a level beyond these, or no time at all.
        """
        most = 10.0 ** (MOST_LEVEL / 20.0)
        if not 0.0 <= gain <= most:
            raise ValueError(f"a level behind the limiter is 0 to {most:.3g}, not {gain:g}")
        self._level.to(gain, self._frames(seconds))

    def set_decibels(self, decibels: float, seconds: float = LEVEL_RAMP) -> None:
        """Move to a level in dB, at most `MOST_LEVEL`; -inf is silence.

        Raises:
            ValueError: see `set_level`.
        """
        if not decibels <= MOST_LEVEL:
            raise ValueError(f"a level behind the limiter is at most {MOST_LEVEL:g} dB, not {decibels:g}")
        self.set_level(10.0 ** (decibels / 20.0), seconds)

    def set_low_cut(self, hertz: float, seconds: float = CUT_RAMP) -> None:
        """Take bass away below `hertz`, or with 0 let it come back.

        Raises:
            ValueError: no such frequency, or no time at all.
        """
        self._low_cut.to(hertz, self._frames(seconds))

    def set_trim(self, decibels: float, seconds: float = LEVEL_RAMP) -> None:
        """Correct by some dB, at most `MOST_TRIM`, whatever the level is.

        Raises:
            ValueError: more than that, or no time at all.
        """
        if not decibels <= MOST_TRIM:
            raise ValueError(f"a trim is at most {MOST_TRIM:g} dB, not {decibels:g}")
        self._trim.to(10.0 ** (decibels / 20.0), self._frames(seconds))

    def mute(self, seconds: float = MUTE_RAMP) -> None:
        """Go silent."""
        self._mute.to(0.0, self._frames(seconds))

    def unmute(self, seconds: float = UNMUTE_RAMP) -> None:
        """Come back softly, to the level that is set."""
        self._mute.to(1.0, self._frames(seconds))

    def fade_out(self, seconds: float) -> None:
        """Fade out for good; `apply` gives nothing after it."""
        self._fade.to(0.0, self._frames(seconds))
        self._fades = True

    def move(self, gain: str, target: float, frames: int) -> None:
        """Do once more what `moved` was told.

        Raises:
            KeyError: there is no such gain.
        """
        if gain == LOW_CUT:
            self._low_cut.to(target, frames)
            return
        self._ramps[gain].to(target, frames)
        self._fades = self._fades or gain == "fade"

    def pass_over(self, frames: int) -> None:
        """Go on by so many frames without any sound."""
        for ramp in self._ramps.values():
            ramp.take()
            ramp.pass_over(frames)
        self._low_cut.take()
        self._low_cut.pass_over(frames)

    def apply(self, chunk: bytes) -> bytes:
        """The chunk with all gains applied: itself where nothing is to be done, and shorter where the last fade ends.

        Args:
            chunk: interleaved float32 frames.
        """
        for name, ramp in self._ramps.items():
            move = ramp.take()
            if move is not None:
                self._moved(name, move)
        cut = self._low_cut.take()
        if cut is not None:
            self._moved(LOW_CUT, cut)
        count = self._format.frames(chunk)
        if self._fade.heading == 0.0 and self._fade.left < count:
            count = max(0, self._fade.left)
            chunk = chunk[: count * self._format.frame_bytes]
        if all(ramp.left <= 0 for ramp in self._ramps.values()):
            steady = self._level.gain * self._trim.gain * self._mute.gain
            if steady == 1.0 and not self._mono and not self._low_cut.works:
                return chunk
            if steady == 0.0:
                self._low_cut.pass_over(count)
                return self._silent(len(chunk))
        return self._scaled(chunk, count)

    def _scaled(self, chunk: bytes, count: int) -> bytes:
        if count > len(self._curve):
            self._curve = np.empty(count, np.float32)
            self._scratch = np.empty((count, self._format.channels), np.float32)
            self._core = np.empty((count, self._format.channels), np.float32)
        lifts = max(self._trim.gain, self._trim.heading, self._level.gain, self._level.heading) > 1.0
        louder = lifts or self._low_cut.works  # which turns phases, and so makes peaks
        curve, scratch = self._curve[:count], self._scratch[:count]
        curve.fill(1.0)
        for ramp in self._ramps.values():
            ramp.multiply(curve)
        frames = np.frombuffer(chunk, np.float32).reshape(count, self._format.channels)
        if self._low_cut.works:
            frames = self._low_cut(frames)
        if self._mono:
            curve *= frames.mean(axis=1)
            scratch[:] = curve[:, None]
        else:
            np.multiply(frames, curve[:, None], out=scratch)
        if louder and (scratch.max() > KNEE or scratch.min() < -KNEE):
            _round_off(scratch, self._core[:count])
        return scratch.tobytes()

    def _silent(self, length: int) -> bytes:
        if len(self._silence) < length:
            self._silence = bytes(length)
        return self._silence if len(self._silence) == length else self._silence[:length]

    def _frames(self, seconds: float) -> int:
        if not (math.isfinite(seconds) and seconds >= 0.0):
            raise ValueError(f"a ramp takes a time of 0 s or more, not {seconds:g}")
        return round(seconds * self._format.rate)


def _round_off(frames: NDArray[np.float32], core: NDArray[np.float32]) -> None:
    """Let nothing of an array pass `CEILING`; what lies below `KNEE` stays as it is.

    Args:
        frames: in place.
        core: of the same shape, to be written over.
    """
    np.clip(frames, -KNEE, KNEE, out=core)
    frames -= core
    frames *= 1.0 / (CEILING - KNEE)
    np.tanh(frames, out=frames)
    frames *= CEILING - KNEE
    frames += core
