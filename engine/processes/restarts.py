# pyright: strict
"""Whether and when a child that was lost is started again: back-off, and restart intensity as supervisors in Erlang/OTP
have it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum

from engine.processes.backoff import Backoff


class Exceeded(StrEnum):
    """What is done where the restart intensity is exceeded."""

    SLOW_DOWN = "slow down"
    GIVE_UP = "give up"


class RestartIntensity:
    """How often something may happen within a time.

    Args:
        most: times.
        period: seconds.
        clock: gives seconds.
    """

    def __init__(self, most: int, period: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.period = period
        self._clock = clock
        self._moments: deque[float] = deque(maxlen=most + 1)

    @property
    def exceeded(self) -> bool:
        """Whether it happened more often."""
        return len(self._moments) > self.most and self._clock() - self._moments[0] < self.period

    def add(self) -> None:
        """It happened."""
        self._moments.append(self._clock())


class Restarts:
    """When the next one is started.

    One that worked is replaced at once; one that did not, after a pause that grows with every failure in a row. Beyond
    the intensity, either pauses grow whether it worked or not, until the period is over, or none is started any more.

    Args:
        intensity: restarts that are allowed.
        decision: what is done beyond.
        backoff: the pauses.
    """

    def __init__(self, intensity: RestartIntensity, decision: Exceeded, backoff: Backoff) -> None:
        self.intensity = intensity
        self.decision = decision
        self._backoff = backoff

    @property
    def failures(self) -> int:
        """Pauses in a row."""
        return self._backoff.failures

    def lost(self, worked: bool) -> float | None:
        """Seconds until the next one is to be started; None: give up.

        Args:
            worked: whether the one that was lost had done its work.
        """
        self.intensity.add()
        if not self.intensity.exceeded:
            return 0.0 if worked else self._backoff.next_delay()
        return None if self.decision is Exceeded.GIVE_UP else self._backoff.next_delay()

    def unavailable(self) -> float:
        """Seconds until the next attempt: there was nothing that could have been started."""
        return self._backoff.next_delay()

    def works(self) -> None:
        """It does its work: pauses begin anew, unless it was lost too often of late."""
        if not self.intensity.exceeded:
            self._backoff.reset()
