# pyright: strict
"""A circuit breaker: what has failed several times in a row is left alone for a while, then tried once.

Time is the frame at which a phrase is due, not a clock: so a render, a soak in virtual time and a conductor that was
restored decide alike. The libraries for it (pybreaker, circuitbreaker) wrap a call that returns or raises, and read the
wall clock; a rung answers later or never, and is judged by whoever waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.score.time import SAMPLE_RATE

MOST_FAILURES = 5
"""Failures in a row that open the circuit."""

OPEN_FRAMES = 15 * SAMPLE_RATE
"""Frames of music for which it stays open before one trial."""


class Circuit(StrEnum):
    """State of a circuit breaker."""

    CLOSED = "closed"  # jobs go through
    OPEN = "open"  # none do
    HALF_OPEN = "half-open"  # one does, for trial


@dataclass(slots=True)
class CircuitBreaker:
    """Counts failures in a row, and keeps jobs away from what has failed too often.

    Attributes:
        failures: in a row, up to now.
        open_until: frame from which on one job is let through for trial; None while the circuit is closed.
        reason: of the last failure.
    """

    failures: int = 0
    open_until: int | None = None
    reason: str = ""
    _on_trial: bool = False

    @property
    def state(self) -> Circuit:
        """What it lets through."""
        if self.open_until is None:
            return Circuit.CLOSED
        return Circuit.HALF_OPEN if self._on_trial else Circuit.OPEN

    def admits(self, frame: int) -> bool:
        """Whether a job that is due at a frame may go through; if the circuit is open, it then is the trial."""
        if self.open_until is None:
            return True
        if self._on_trial or frame < self.open_until:
            return False
        self._on_trial = True
        return True

    def succeeded(self) -> bool:
        """A job went well. Whether the one before it had not."""
        recovered = self.failures > 0
        self.failures, self.open_until, self.reason, self._on_trial = 0, None, "", False
        return recovered

    def failed(self, frame: int, reason: str) -> None:
        """A job that was due at a frame failed."""
        self.failures += 1
        self.reason = reason
        if self._on_trial or self.failures >= MOST_FAILURES:
            self.open_until = frame + OPEN_FRAMES
        self._on_trial = False

    def abandoned(self) -> None:
        """Nobody waits any more for a job that went through; it tells nothing."""
        self._on_trial = False
