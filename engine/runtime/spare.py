"""A spare audio process: it has imported what it needs and waits for a setup, so that it can take over at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from engine.processes.backoff import Backoff
from engine.processes.child import Child
from engine.sound.messages import Ping

PING_INTERVAL = 0.5
"""Seconds between two questions whether it is well."""

PING_PATIENCE = 0.3
"""Seconds for an answer; who needs longer would not take over in time either."""


class Spare:
    """At most one process in waiting; one that dies or does not answer is replaced before it is needed.

    Not thread-safe; whoever owns it holds a lock.

    Args:
        spawn: starts a process; may raise OSError.
        discard: ends a process that is no longer wanted.
        start_patience: seconds for its first answer, which comes once it has imported what it needs.
    """

    def __init__(self, spawn: Callable[[], Child], discard: Callable[[Child], None], start_patience: float) -> None:
        self.child: Child | None = None
        self._spawn = spawn
        self._discard = discard
        self._start_patience = start_patience
        self._backoff = Backoff(first=0.2, longest=30.0)
        self._start_at = float("inf")
        self._ping_at = 0.0
        self._answer_by = float("inf")
        self._answered = False

    def start_at(self, moment: float) -> None:
        """Have one from a moment on (seconds of the monotonic clock); an earlier moment stays."""
        self._start_at = min(self._start_at, moment)

    def look(self, now: float) -> None:
        """Start one if it is time, ask it whether it is well, replace one that does not answer."""
        if self.child is None:
            if now >= self._start_at:
                self._start(now)
            return
        if now > self._answer_by:
            self._lose(now)
        elif self._answered and now >= self._ping_at:
            self._ping(now, PING_PATIENCE)

    def excuse(self, now: float) -> None:
        """We ourselves were away: the time that passed does not count against it."""
        if self.child is not None and self._answer_by < float("inf"):
            self._answer_by = now + (PING_PATIENCE if self._answered else self._start_patience)

    def answered(self, child: Child, now: float) -> None:
        """It answered."""
        if child is self.child:
            if self._answered:
                self._backoff.reset()
            self._answered = True
            self._answer_by = float("inf")
            self._ping_at = now + PING_INTERVAL

    def gone(self, child: Child, now: float) -> bool:
        """Whether it was the spare that has gone; another is started after a pause."""
        if child is not self.child:
            return False
        self._lose(now)
        return True

    def take(self) -> Child | None:
        """Give it away."""
        child, self.child = self.child, None
        self._start_at = float("inf")
        return child

    def _start(self, now: float) -> None:
        self._start_at = now + self._backoff.next_delay()
        with suppress(OSError):
            self.child = self._spawn()
            self._answered = False
            self._ping(now, self._start_patience)

    def _ping(self, now: float, patience: float) -> None:
        assert self.child is not None
        self.child.send(Ping())
        self._ping_at = float("inf")
        self._answer_by = now + patience

    def _lose(self, now: float) -> None:
        assert self.child is not None
        child, self.child = self.child, None
        self._start_at = now + self._backoff.next_delay()
        self._discard(child)
