# pyright: strict
"""One host of a pool, as a player sees it: whether it is worth asking.

Its circuit opens when it fails. Then it is asked, after pauses that grow and differ from player to player, what it has;
if it says so, one phrase is tried, and only that closes the circuit and ends the growth of the pauses. So a host that
is up and makes nonsense is left alone, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from engine.conductor.makers.breaker import Circuit
from engine.pool.asking.client import HostClient
from engine.pool.wire.messages import WireJob, WireModels
from engine.processes.backoff import Backoff

log = logging.getLogger(__name__)

STRIKES = 2
"""Times in a row that a host may be late, or slower than another, before its circuit opens."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before a host that failed is asked again."""


class PoolHost:
    """A host, its circuit, and what it has.

    Args:
        url: of it.
        client: talks to it.

    Attributes:
        circuit: open until it has said for the first time what it has.
        reason: why the circuit is open.
        has: what it has, as it said last; None before.
        latency: seconds that a phrase takes, smoothed.
        asked: phrases under way.
    """

    def __init__(self, url: str, client: HostClient) -> None:
        self.url = url
        self.client = client
        self.circuit = Circuit.OPEN
        self.reason = "it has not been heard of yet"
        self.has: WireModels | None = None
        self.latency = 0.3
        self.asked = 0
        self._strikes = 0
        self._lost = False
        self._backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE, jitter=0.5)
        self.on_open: Callable[[], None] = lambda: None

    @property
    def admits(self) -> bool:
        """Whether it may be asked for a phrase; one that is half open for one at a time."""
        return self.circuit is Circuit.CLOSED or (self.circuit is Circuit.HALF_OPEN and not self.asked)

    def unfit(self, job: WireJob) -> str:
        """Why it cannot make a job, by what it has said; empty: it can."""
        if self.has is None:
            return self.reason
        for kinds, named in ((self.has.generators, (job.generator,)), (self.has.transforms, job.transforms)):
            for one in named:
                if kinds.get(one.name) != one.version:
                    known = "knows no" if one.name not in kinds else "has another version of"
                    return f"it {known} {one.name} (it is {self.has.engine})"
        return ""

    def next_pause(self) -> float:
        """Seconds until it is asked again what it has."""
        return self._backoff.next_delay()

    def says(self, has: WireModels) -> None:
        """It has said what it has."""
        self.has = has
        if self.circuit is Circuit.OPEN:
            self.circuit = Circuit.HALF_OPEN

    def answered(self, seconds: float) -> None:
        """It has made a phrase."""
        self.latency += 0.2 * (seconds - self.latency)
        self._strikes = 0
        self._backoff.reset()
        if self._lost:
            log.warning("the pool at %s makes phrases again", self.url)
        self.circuit, self.reason, self._lost = Circuit.CLOSED, "", False

    def struck(self, reason: str) -> None:
        """It was late, or busy, or another was faster."""
        self._strikes += 1
        if self._strikes >= STRIKES or self.circuit is Circuit.HALF_OPEN:
            self.failed(reason)

    def failed(self, reason: str) -> None:
        """It cannot be reached, refuses us, or makes nonsense."""
        if not self._lost:
            log.warning("the pool at %s is left alone for a while: %s", self.url, reason)
        self._lost, self._strikes = True, 0
        self.reason = reason
        if self.circuit is not Circuit.OPEN:
            self.circuit = Circuit.OPEN
            self.on_open()
