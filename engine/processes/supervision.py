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
    ChildRenewed,
    ChildStarted,
    IntensityExceeded,
    Reporter,
    log_report,
)
from engine.processes.restarts import Exceeded, RestartIntensity, Restarts
from engine.processes.watchdog import AWAY, Watchdog

SOFT = 0.75
"""Share of the memory budget from which on a child is worn: it may be replaced where nobody hears it."""

YOUNG = 600.0
"""Seconds for which a child is not worn by what it uses: it needs that, and so would the next one."""

LOOK = 5.0
"""Seconds between two looks at whether it is."""


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
        lifetime: seconds after which it is worn, whatever it uses; None: it is not by age.
    """

    restarts: int = 10
    period: float = 60.0
    exceeded: Exceeded = Exceeded.SLOW_DOWN
    first_delay: float = 0.1
    longest_delay: float = 30.0
    away: float = AWAY
    memory: int | None = None
    lifetime: float | None = None


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
        self._clock = clock
        self._began_at = self._worn_look_at = clock()
        self._worn = ""

    def began(self) -> None:
        """A child was started."""
        self.condemned = None
        self.watchdog.feed()
        self.memory.began()
        self._began_at = self._worn_look_at = self._clock()
        self._worn = ""

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

    def worn(self, pid: int) -> str:
        """Why a child that does its work should be replaced at the next good moment; empty: it need not be."""
        now = self._clock()
        if not self._worn and now >= self._worn_look_at:
            self._worn_look_at = now + LOOK
            self._worn = self._wear(pid, now - self._began_at)
        return self._worn

    def _wear(self, pid: int, age: float) -> str:
        lifetime = self.limits.lifetime
        if lifetime is not None and age > lifetime:
            return f"it has run for {age / 3600:.1f} h"
        budget = self.memory.budget
        used = self.memory.used(pid) if budget is not None and age > YOUNG else None
        if budget is None or used is None or used <= SOFT * budget:
            return ""
        return f"it uses {used // 1_000_000} MB of memory, of {budget // 1_000_000} MB that it may"

    def renewed(self, reason: str) -> None:
        """A child that did its work gives way to another: no loss, and nothing is counted.

        Args:
            reason: as `worn` gave it.
        """
        self.condemned = None
        self._report(ChildRenewed(self.process, reason))

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
