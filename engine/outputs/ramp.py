# pyright: strict
"""A gain that moves from one value to another along a raised cosine: no corner at either end, so no click."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class GainMove:
    """Where a ramp is to go.

    Attributes:
        target: gain, linear.
        frames: that it takes, at least 1.
    """

    target: float
    frames: int


class GainRamp:
    """A gain over time. `to` may be called from any thread, all else only from the one that has the sound.

    A command is one assignment, and is taken at the next chunk: no thread waits for another. Of several commands
    between two chunks the last one counts. A ramp that is sent elsewhere goes on from where it is.

    Args:
        gain: to begin with, linear.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self._wanted = self._taken = GainMove(gain, 1)
        self._start = gain
        self._done = 1

    @property
    def target(self) -> float:
        """Where it goes or has come to, after the last command."""
        return self._wanted.target

    @property
    def heading(self) -> float:
        """Where it goes or has come to, as far as commands have been taken."""
        return self._taken.target

    @property
    def gain(self) -> float:
        """Where it is, as far as commands have been taken."""
        move = self._taken
        if self._done >= move.frames:
            return move.target
        fall = float(np.cos(self._done / move.frames * (np.pi / 2)) ** 2)
        return move.target + (self._start - move.target) * fall

    @property
    def left(self) -> int:
        """Frames until it has come to its target, as far as commands have been taken."""
        return self._taken.frames - self._done

    def to(self, target: float, frames: int) -> None:
        """Move to a gain in so many frames, from the next chunk on."""
        self._wanted = GainMove(target, max(1, frames))

    def take(self) -> GainMove | None:
        """Take the last command, if there is a new one, which is given then."""
        wanted = self._wanted
        if wanted is self._taken:
            return None
        self._start = self.gain
        self._taken = wanted
        self._done = 0
        return wanted

    def pass_over(self, frames: int) -> None:
        """Go on by so many frames without any sound."""
        self._done += min(frames, max(0, self.left))

    def multiply(self, curve: NDArray[np.float32]) -> None:
        """Multiply gains, array [n], by the next n of this ramp's."""
        move = self._taken
        moving = min(len(curve), self.left)
        if moving > 0:
            position = (self._done + np.arange(moving, dtype=np.float32)) / move.frames
            fall = np.cos(position * (np.pi / 2), dtype=np.float32) ** 2
            curve[:moving] *= np.float32(move.target) + np.float32(self._start - move.target) * fall
            self._done += moving
        if moving < len(curve):
            curve[moving:] *= np.float32(move.target)
