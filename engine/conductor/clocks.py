# pyright: strict
"""Ways of waiting for one scheduling algorithm: real time, and as fast as possible. Tests have virtual time, too.

`now()` is in frames of the output: how far the sound has been made. `wait()` returns when a phrase has come in or the
time `until` has come, whichever is first (or a little earlier: the conductor just looks again).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from engine.score.time import SAMPLE_RATE

if TYPE_CHECKING:  # what only plans imports no ladders
    from engine.conductor.makers.ladder import Answer, Ladder


class Clock(Protocol):
    """A way of waiting."""

    def now(self) -> int:
        """Frames of sound made so far."""
        ...

    def wait(self, ladder: Ladder, until: int, owed: bool) -> Sequence[Answer]:
        """Wait for phrases.

        Args:
            ladder: where they are being made.
            until: frame at which something falls due.
            owed: a phrase that must be known at `until` is still being made.
        """
        ...


LEAD = 2 * SAMPLE_RATE
"""Frames before it sounds at which a bar is sealed, where nobody says otherwise."""

BEFORE_ALL = -(1 << 40)
"""A frame long before the first bar: nothing has fallen due."""


class RealClock:
    """Follows the sound: time is the count of frames that the audio process has made.

    Before the sound begins it goes as `FastClock` does, so that the first bars are those of a render: it leaps to what
    is due before frame 0, and stands still while a phrase is owed. But its patience has an end: somebody is waiting.

    Args:
        frames: gives that count.
        look: longest wait in seconds, after which the caller may look around (signals, files, children).
        patience: seconds, from now, for which phrases of the first bars are waited for; the sound begins without those
            that are not there by then.

    Attributes:
        running: whether the sound may begin, because nothing that is due before its first frame is left to do.
        start: that frame.
    """

    def __init__(self, frames: Callable[[], int], look: float = 0.1, patience: float = 0.0) -> None:
        self.running = False
        self.start = 0
        self._frames = frames
        self._look = look
        self._early = BEFORE_ALL
        self._impatient_at = time.monotonic() + patience

    def now(self) -> int:
        """Frames of sound made so far; before the sound begins, the time that is pretended."""
        return self._frames() if self.running else self._early

    def wait(self, ladder: Ladder, until: int, owed: bool) -> Sequence[Answer]:
        """Wait in real time."""
        if self.running:
            return ladder.poll(min(max((until - self.now()) / SAMPLE_RATE, 0.0), self._look))
        if until > self.start:
            self.running = True
            return ladder.poll(0.0)
        seconds = self._impatient_at - time.monotonic()
        if owed and seconds > 0:
            return ladder.poll(min(seconds, self._look))
        self._early = max(self._early, until)
        return ladder.poll(0.0)


class FastClock:
    """As fast as possible: time leaps to whatever is due next, and stands still while a phrase is owed.

    Args:
        heard: frames that the audio process has made; time never runs further ahead of it than `lead` frames, so
            that a long render needs little memory.
        lead: see above.
    """

    def __init__(self, heard: Callable[[], int] | None = None, lead: int = 60 * SAMPLE_RATE) -> None:
        self._now = BEFORE_ALL
        self._heard = heard
        self._lead = lead

    def now(self) -> int:
        """The time that is pretended."""
        return self._now

    def wait(self, ladder: Ladder, until: int, owed: bool) -> Sequence[Answer]:
        """Leap, or wait for what is owed."""
        if owed:
            return ladder.poll(0.5)
        if self._heard is not None and until - max(self._heard(), 0) > self._lead:
            return ladder.poll(0.2)
        self._now = max(self._now, until)
        return ladder.poll(0.0)
