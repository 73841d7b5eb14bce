# pyright: strict
"""How much memory a child may use. One that leaks is replaced before the kernel ends it, or something else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from engine.processes.restarts import RestartIntensity

LOOK = 5.0
"""Seconds between two looks."""

TOLERANCE = 2
"""Children in a row that may be replaced ..."""

PERIOD = 600.0
"""... within so many seconds; the next one shows that no leak fills the budget but what it needs."""

RAISE = 1.5
"""By what the budget is raised then ..."""

MOST = 2.0
"""... up to so many times the first one."""


def resident(pid: int) -> int | None:
    """Bytes of a process that lie in memory (its own children not counted); None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text("ascii").split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


class MemoryBudget:
    """Whether a child uses more memory than it may.

    A leak takes its time to come to the budget. Where one child after the other comes there soon, they need it, and
    to replace them for ever would help nobody: the budget is raised.

    Args:
        budget: bytes; None: no limit.
        clock: gives seconds.
        measure: bytes that a process id uses now; None if it is gone.
    """

    def __init__(
        self,
        budget: int | None,
        clock: Callable[[], float] = time.monotonic,
        measure: Callable[[int], int | None] = resident,
    ) -> None:
        self.budget = budget
        self._first = budget or 0
        self._clock = clock
        self._measure = measure
        self._replaced = RestartIntensity(TOLERANCE, PERIOD, clock)
        self._look_at = clock() + LOOK

    def began(self) -> None:
        """Another child runs."""
        self._look_at = self._clock() + LOOK

    def excess(self, pid: int) -> int | None:
        """Bytes that a child uses, if that is more than it may; None otherwise, and between looks."""
        if self.budget is None or self._clock() < self._look_at:
            return None
        self._look_at = self._clock() + LOOK
        used = self._measure(pid)
        return used if used is not None and used > self.budget else None

    def used(self, pid: int) -> int | None:
        """Bytes that a child uses now; None if it is gone."""
        return self._measure(pid)

    def replaced(self) -> bool:
        """A child is replaced because of it: whether the budget was raised."""
        self._replaced.add()
        if self.budget is None or not self._replaced.exceeded:
            return False
        raised = min(int(self.budget * RAISE), int(self._first * MOST))
        if raised == self.budget:
            return False
        self.budget = raised
        self._replaced = RestartIntensity(TOLERANCE, PERIOD, self._clock)
        return True
