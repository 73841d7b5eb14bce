"""Virtual time: makers of phrases that take as long as they are told to, and a clock that leaps from event to event."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

from engine.conductor.makers.contract import Job, Reply, SlowRung
from engine.conductor.makers.ladder import Answer, Ladder


class VirtualMakers(SlowRung):
    """A rung in virtual time: each job takes the frames that `duration` says.

    Args:
        make: does a job, at once.
        duration: frames that a job takes; None: it never comes back.
    """

    name = "networks"

    def __init__(self, make: Callable[[Job], Reply], duration: Callable[[Job], int | None] = lambda job: 0) -> None:
        self._make = make
        self._duration = duration
        self._due: list[tuple[int, int, Job]] = []
        self._unasked: list[Reply] = []
        self.is_ready: Callable[[], bool] = lambda: True
        self.now = 0
        self.submitted: list[Job] = []
        self.cancelled: list[int] = []

    @property
    def ready(self) -> bool:
        """Whether it is up."""
        return self.is_ready()

    def takes(self, job: Job) -> bool:
        """What needs a network."""
        return job.network

    def submit(self, job: Job) -> None:
        """Take a job."""
        self.submitted.append(job)
        frames = self._duration(job)
        if frames is not None:
            heapq.heappush(self._due, (self.now + frames, job.ticket, job))

    def poll(self, timeout: float) -> Sequence[Reply]:
        """Replies that are due now; virtual time never waits."""
        replies, self._unasked = self._unasked, []
        while self._due and self._due[0][0] <= self.now:
            job = heapq.heappop(self._due)[2]
            if job.ticket not in self.cancelled:
                replies.append(self._make(job))
        return replies

    def post(self, reply: Reply) -> None:
        """Bring a reply that nobody asked for."""
        self._unasked.append(reply)

    def cancel(self, tickets: Sequence[int]) -> None:
        """Drop jobs."""
        self.cancelled += tickets

    def next_due(self) -> int | None:
        """Frame of the next reply."""
        return self._due[0][0] if self._due else None


class VirtualClock:
    """Virtual time: leaps from event to event, replies included, so that lateness can be tested without sleeping."""

    def __init__(self, makers: VirtualMakers) -> None:
        self._makers = makers

    def now(self) -> int:
        """The virtual time."""
        return self._makers.now

    def wait(self, ladder: Ladder, until: int, owed: bool) -> Sequence[Answer]:
        """Leap to the next reply, or to `until`."""
        due = self._makers.next_due()
        self._makers.now = max(self._makers.now, until if due is None else min(until, due))
        return ladder.poll(0.0)
