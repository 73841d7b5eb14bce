# pyright: strict
"""Audio processes that are to go on where another one stops: the first that has come as far wins."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine.processes.pipe import Segment
from engine.processes.watchdog import Watchdog
from engine.runtime.audio.failover.memory import Memory
from engine.runtime.audio.graph_log import GraphLog
from engine.runtime.audio.processes import AudioChild
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, TakenLate, ToSound

PREROLL = 2 * SAMPLE_RATE // BLOCK * BLOCK
"""Frames before the place of an accident from which a new process plays again, unheard: so that envelopes, filters and
reverb stand there as if nothing had happened."""

BLEND = 4 * BLOCK
"""Frames (21 ms) over which a new process fades in and the last sound of the old one fades out."""

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
        watchdog: says when it counts as hung.
        ready: whether it has built its graph.
        log: of what it is told.
    """

    child: AudioChild
    segment: Segment
    watchdog: Watchdog
    ready: bool = False
    log: GraphLog = field(default_factory=GraphLog)

    def tell(self, message: ToSound) -> None:
        """Tell it something."""
        self.child.send(message)
        self.log.tell(message)


class Takeover:
    """Candidates for one place in the music.

    Each plays what sounded before that place again, into a pipe of its own; that is thrown away. Not thread-safe.

    Args:
        memory: what they are told.
        start: frame that their first block begins with (a multiple of BLOCK).
        patience: seconds that one may take.
        clock: gives seconds.
    """

    def __init__(
        self, memory: Memory, start: int, patience: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.memory = memory
        self.start = start
        self.failures = 0
        self._patience = patience
        self._clock = clock
        self._frame: int | None = None
        self._candidates: list[Candidate] = []
        self._without_winner = Watchdog(clock=clock)

    def __len__(self) -> int:
        return len(self._candidates)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self._candidates)

    @property
    def ready(self) -> bool:
        """Whether one of them has built its graph."""
        return any(candidate.ready for candidate in self._candidates)

    @property
    def children(self) -> list[AudioChild]:
        """Their processes."""
        return [candidate.child for candidate in self._candidates]

    def add(self, child: AudioChild, segment: Segment) -> None:
        """Tell a process what to play."""
        candidate = Candidate(child, segment, Watchdog(clock=self._clock))
        for message in self.memory.messages(self.start):
            candidate.tell(message)
        if self._frame is not None:
            segment.skip = (self._frame - self.start) * segment.frame_bytes
        self._candidates.append(candidate)

    def meet_at(self, frame: int) -> None:
        """From this frame on one of them is to be heard."""
        self._frame = frame
        for candidate in self._candidates:
            candidate.segment.skip = (frame - self.start) * candidate.segment.frame_bytes

    def send(self, message: ToSound) -> None:
        """Tell all of them, and those who come later."""
        self.memory.add(message, self.start if self._frame is None else self._frame)
        for candidate in self._candidates:
            candidate.tell(message)

    def built(self, child: AudioChild) -> None:
        """A process has built its graph."""
        for candidate in self._candidates:
            candidate.ready = candidate.ready or candidate.child is child

    def took_late(self, child: AudioChild, taken: TakenLate) -> None:
        """A process took something late."""
        for candidate in self._candidates:
            if candidate.child is child:
                candidate.log.late(taken)

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

    def drop(self, child: AudioChild, blend: int) -> bool:
        """A process has ended: whether it was a candidate that had come to the place in the music."""
        candidate = next((candidate for candidate in self._candidates if candidate.child is child), None)
        if candidate is None:
            return False
        kept = blend * candidate.segment.frame_bytes
        candidate.segment.throw_away(kept)
        self._candidates.remove(candidate)
        self.failures += 1
        return candidate.ready and candidate.segment.skip <= kept

    def look(self) -> bool:
        """End whoever hangs; whether one candidate more is wanted, because none has won for a while."""
        for candidate in self._candidates:
            if candidate.ready and self._frame is None:
                candidate.watchdog.feed()  # its turn has not come
            elif candidate.watchdog.hangs(self._patience):
                candidate.watchdog.feed()
                candidate.child.process.kill()  # its end arrives as any other
        if (self.ready and self._frame is None) or not self._without_winner.hangs(SECOND_WIND):
            return False
        self._without_winner.feed()
        return len(self._candidates) < MOST
