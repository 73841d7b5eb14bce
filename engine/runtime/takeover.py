"""Audio processes that are to go on where another one stops: the first that has come as far wins."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.processes.child import Child
from engine.processes.pipe import Segment
from engine.runtime.memory import Memory

SECOND_WIND = 1.0
"""Seconds without a winner after which one candidate more is started."""

MOST = 4
"""Candidates at once."""


@dataclass(eq=False)
class Candidate:
    """A process that has been told what to play, and whom nobody hears yet.

    Attributes:
        child: the process.
        segment: where its sound goes.
        give_up_at: when it counts as hung, in seconds of the monotonic clock.
        ready: whether it has built its graph.
    """

    child: Child
    segment: Segment
    give_up_at: float
    ready: bool = False


class Takeover:
    """Candidates for one place in the music.

    Each plays what sounded before that place again, into a pipe of its own; that is thrown away. Not thread-safe.

    Args:
        memory: what they are told.
        start: frame that their first block begins with (a multiple of BLOCK).
        patience: seconds that one may take.
    """

    def __init__(self, memory: Memory, start: int, patience: float) -> None:
        self.memory = memory
        self.start = start
        self.failures = 0
        self._patience = patience
        self._frame: int | None = None
        self._candidates: list[Candidate] = []
        self._more_at = time.monotonic() + SECOND_WIND

    def __len__(self) -> int:
        return len(self._candidates)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self._candidates)

    @property
    def ready(self) -> bool:
        """Whether one of them has built its graph."""
        return any(candidate.ready for candidate in self._candidates)

    def add(self, child: Child, segment: Segment) -> None:
        """Tell a process what to play."""
        candidate = Candidate(child, segment, time.monotonic() + self._patience)
        for message in self.memory.messages(self.start):
            child.send(message)
        if self._frame is not None:
            segment.skip = (self._frame - self.start) * segment.frame_bytes
        self._candidates.append(candidate)

    def meet_at(self, frame: int) -> None:
        """From this frame on one of them is to be heard."""
        self._frame = frame
        for candidate in self._candidates:
            candidate.segment.skip = (frame - self.start) * candidate.segment.frame_bytes

    def send(self, message: object) -> None:
        """Tell all of them, and those who come later."""
        self.memory.add(message, self.start if self._frame is None else self._frame)
        for candidate in self._candidates:
            candidate.child.send(message)

    def winner(self, blend: int) -> Candidate | None:
        """The first that has come to the place where it is to be heard; it leaves.

        Args:
            blend: frames before that place that are kept, to fade in from.
        """
        if self._frame is None:
            return None
        waits = self.memory.released <= self._frame
        for candidate in self._candidates:
            segment = candidate.segment
            kept = blend * segment.frame_bytes
            segment.throw_away(kept)
            left = segment.skip
            if candidate.ready and (
                (waits and not left) or (left <= kept and segment.lying() >= left + segment.block_bytes)
            ):
                self._candidates.remove(candidate)
                return candidate
        return None

    def drop(self, child: Child, blend: int) -> tuple[Candidate | None, bool]:
        """A process has ended: its candidate, if it was one, and whether it had come to the place in the music."""
        candidate = next((candidate for candidate in self._candidates if candidate.child is child), None)
        if candidate is None:
            return None, False
        candidate.segment.throw_away(blend * candidate.segment.frame_bytes)
        self._candidates.remove(candidate)
        self.failures += 1
        return candidate, candidate.ready and candidate.segment.skip <= blend * candidate.segment.frame_bytes

    def look(self, now: float, more: Callable[[], None]) -> None:
        """End whoever hangs; when none has won for a while, ask for one more."""
        for candidate in self._candidates:
            if now > candidate.give_up_at:
                candidate.give_up_at = float("inf")
                candidate.child.process.kill()  # its end arrives as any other
        if now > self._more_at and not (self.ready and self._frame is None):
            self._more_at = now + SECOND_WIND
            if len(self._candidates) < MOST:
                more()

    def excuse(self, now: float) -> None:
        """We ourselves were away: the time that passed does not count against them."""
        self._more_at = now + SECOND_WIND
        for candidate in self._candidates:
            candidate.give_up_at = max(candidate.give_up_at, now + self._patience)
