"""Three ways of waiting for one scheduling algorithm: real time, tests' virtual time, and as fast as possible.

`now()` is in frames of the output: how far the sound has been made. `wait()` returns when a phrase has come in or the
time `until` has come, whichever is first (or a little earlier: the conductor just looks again).
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from engine.conductor.contract import Job, PhraseMakers, Reply
from engine.score.time import SAMPLE_RATE


class Clock(Protocol):
    """A way of waiting."""

    def now(self) -> int:
        """Frames of sound made so far."""
        ...

    def wait(self, makers: PhraseMakers, until: int, owed: bool) -> Sequence[Reply]:
        """Wait for replies.

        Args:
            makers: where jobs are being done.
            until: frame at which something falls due.
            owed: a phrase that must be known at `until` is still being made.
        """
        ...


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
        running: whether the sound may begin, because nothing that is due before frame 0 is left to do.
    """

    def __init__(self, frames: Callable[[], int], look: float = 0.1, patience: float = 0.0) -> None:
        self.running = False
        self._frames = frames
        self._look = look
        self._early = BEFORE_ALL
        self._impatient_at = time.monotonic() + patience

    def now(self) -> int:
        """Frames of sound made so far; before the sound begins, the time that is pretended."""
        return self._frames() if self.running else self._early

    def wait(self, makers: PhraseMakers, until: int, owed: bool) -> Sequence[Reply]:
        """Wait in real time."""
        if self.running:
            return makers.poll(min(max((until - self.now()) / SAMPLE_RATE, 0.0), self._look))
        if until > 0:
            self.running = True
            return makers.poll(0.0)
        seconds = self._impatient_at - time.monotonic()
        if owed and seconds > 0:
            return makers.poll(min(seconds, self._look))
        self._early = max(self._early, until)
        return makers.poll(0.0)


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

    def wait(self, makers: PhraseMakers, until: int, owed: bool) -> Sequence[Reply]:
        """Leap, or wait for what is owed."""
        if owed:
            return makers.poll(0.5)
        if self._heard is not None and until - max(self._heard(), 0) > self._lead:
            return makers.poll(0.2)
        self._now = max(self._now, until)
        return makers.poll(0.0)


class VirtualMakers:
    """Phrase makers in virtual time: each job takes the frames that `duration` says; for tests and dry runs.

    Args:
        make: does a job, at once.
        duration: frames that a job takes; None: it never comes back.
    """

    def __init__(self, make: Callable[[Job], Reply], duration: Callable[[Job], int | None] = lambda job: 0) -> None:
        self._make = make
        self._duration = duration
        self._due: list[tuple[int, int, Job]] = []
        self.now = 0
        self.cancelled: list[int] = []

    def submit(self, job: Job) -> None:
        """Take a job."""
        frames = self._duration(job)
        if frames is not None:
            heapq.heappush(self._due, (self.now + frames, job.ticket, job))

    def poll(self, timeout: float) -> Sequence[Reply]:
        """Replies that are due now; virtual time never waits."""
        replies = []
        while self._due and self._due[0][0] <= self.now:
            job = heapq.heappop(self._due)[2]
            if job.ticket not in self.cancelled:
                replies.append(self._make(job))
        return replies

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

    def wait(self, makers: PhraseMakers, until: int, owed: bool) -> Sequence[Reply]:
        """Leap to the next reply, or to `until`."""
        due = self._makers.next_due()
        self._makers.now = max(self._makers.now, until if due is None else min(until, due))
        return self._makers.poll(0.0)
