# pyright: strict
"""One supervision for every child process: hang, memory, back-off, restart intensity; what it finds out it reports.

The owner starts and ends its child; this decides. Not thread-safe.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from engine.processes.backoff import Backoff
from engine.processes.memory_budget import MemoryBudget, resident
from engine.processes.reports import (
    BudgetRaised,
    Cause,
    ChildLost,
    ChildStarted,
    IntensityExceeded,
    Reporter,
    log_report,
)
from engine.processes.restarts import Exceeded, RestartIntensity, Restarts
from engine.processes.watchdog import AWAY, Watchdog


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may do.

    Attributes:
        restarts: how often it may be lost ...
        period: ... within so many seconds.
        exceeded: what is done if it is lost more often.
        first_delay: seconds before one that never worked is started again, for the first time.
        longest_delay: seconds; pauses grow no further.
        away: seconds between two looks of the owner after which the owner itself was stopped.
        memory: bytes that it may have in memory; None: no limit.
    """

    restarts: int = 10
    period: float = 60.0
    exceeded: Exceeded = Exceeded.SLOW_DOWN
    first_delay: float = 0.1
    longest_delay: float = 30.0
    away: float = AWAY
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a child is to be ended.

    Attributes:
        cause: what it did.
        reason: the same for people.
        used: bytes in memory, where that is the cause.
    """

    cause: Cause
    reason: str
    used: int = 0


class Supervision:
    """Watches one child after the other in one place.

    Args:
        process: what they are, in reports: "worker 1".
        limits: what they may do.
        report: told what is found out.
        clock: gives seconds.
        measure: bytes that a process id has in memory; None if it is gone.

    Attributes:
        condemned: why the owner has ended the child, whose end has not arrived yet.
    """

    def __init__(
        self,
        process: str,
        limits: Limits,
        report: Reporter = log_report,
        clock: Callable[[], float] = time.monotonic,
        measure: Callable[[int], int | None] = resident,
    ) -> None:
        self.process = process
        self.limits = limits
        self.watchdog = Watchdog(limits.away, clock)
        self.memory = MemoryBudget(limits.memory, clock, measure)
        self.restarts = Restarts(
            RestartIntensity(limits.restarts, limits.period, clock),
            limits.exceeded,
            Backoff(limits.first_delay, limits.longest_delay),
        )
        self._report = report
        self.condemned: Finding | None = None
        self._exceeded = False

    def began(self) -> None:
        """A child was started."""
        self.condemned = None
        self.watchdog.feed()
        self.memory.began()

    def started(self) -> None:
        """It does its work."""
        self.watchdog.feed()
        self._report(ChildStarted(self.process))

    def works(self) -> None:
        """It goes on doing its work: pauses begin anew."""
        self.restarts.works()
        self._exceeded = self._exceeded and self.restarts.intensity.exceeded

    def check(self, pid: int, patience: float | None) -> Finding | None:
        """Look at a child: why it is to be ended, if it is.

        Args:
            pid: its process id.
            patience: seconds without a sign of life after which it hangs; None: no sign is expected now.
        """
        if self.condemned is not None:
            return None  # its end is on its way
        if patience is None:
            self.watchdog.feed()
        elif self.watchdog.hangs(patience):
            return Finding(Cause.HUNG, f"it gave no sign of life for {patience:g} s")
        used = self.memory.excess(pid)
        if used is not None and self.memory.budget is not None:
            reason = f"it uses {used // 1_000_000} MB of memory, and may use {self.memory.budget // 1_000_000} MB"
            return Finding(Cause.OVER_BUDGET, reason, used)
        return None

    def lost(self, reason: str, worked: bool, cause: Cause = Cause.DIED) -> float | None:
        """The child is gone, or was never started: seconds until the next is to be started; None: give up.

        Args:
            reason: what is known of it, for people.
            worked: whether it had done its work.
            cause: why.
        """
        self.condemned = None
        retry_in = self.restarts.lost(worked)
        self._report(ChildLost(self.process, cause, reason, retry_in))
        intensity = self.restarts.intensity
        if intensity.most and intensity.exceeded and not self._exceeded:
            self._report(IntensityExceeded(self.process, intensity.most, intensity.period, retry_in is None))
        self._exceeded = intensity.exceeded
        if cause is Cause.OVER_BUDGET and self.memory.replaced() and self.memory.budget is not None:
            self._report(BudgetRaised(self.process, self.memory.budget))
        return retry_in
