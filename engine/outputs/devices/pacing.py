# pyright: strict
"""Real time without a sound card: our own clock gives the pace."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.score.time import SAMPLE_RATE

TOLERANCE = 0.5
"""Seconds by which sound may come late before the lateness is written off; less is caught up."""


class Pacer:
    """Lets frames pass at exactly the sample rate, by the monotonic clock.

    The time of each frame is counted from a fixed start, so that errors of single sleeps do not add up. Whoever comes
    later than `tolerance` (the machine was suspended, the sound was away) is not made to hurry afterwards.

    Args:
        rate: frames a second.
        tolerance: seconds.
        clock: gives seconds; for tests.
        sleep: waits seconds; for tests.
    """

    def __init__(
        self,
        rate: int = SAMPLE_RATE,
        tolerance: float = TOLERANCE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.slips = 0
        self._rate = rate
        self._tolerance = tolerance
        self._clock = clock
        self._sleep = sleep
        self._start: float | None = None
        self._frames = 0

    def reset(self) -> None:
        """Begin anew with the next frames."""
        self._start = None

    def pace(self, frames: int) -> None:
        """Wait until these frames are over."""
        now = self._clock()
        if self._start is None:
            self._start, self._frames = now, 0
        self._frames += frames
        ahead = self._start + self._frames / self._rate - now
        if ahead > 0:
            self._sleep(ahead)
        elif ahead < -self._tolerance:
            self.slips += 1
            self._start, self._frames = now, 0
