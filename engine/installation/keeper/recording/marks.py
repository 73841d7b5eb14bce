# pyright: strict
"""When the journal is told what is heard: as a bar begins, and now and then within a long one."""

from __future__ import annotations

from collections.abc import Callable

from engine.journal.entries import HeardUntil

EVERY = 5.0
"""Seconds after which it is told, at the latest; each bar is told when it begins."""

AT_MOST = 0.5
"""Seconds between two such, however short the bars are."""


class HeardMarks:
    """Marks of one performance after the other.

    Args:
        note: has an entry kept.
    """

    def __init__(self, note: Callable[[HeardUntil], None]) -> None:
        self._note = note
        self._at = 0.0
        self._bar: int | None = None

    def begin(self) -> None:
        """A performance begins."""
        self._bar = None

    def look(self, heard: int, bar: int, played: float, now: float) -> None:
        """Tell it if it is time.

        Args:
            heard: frame that the output takes next.
            bar: first frame of the bar in which that lies.
            played: seconds for which the turn has played.
            now: seconds of the clock.
        """
        if now >= self._at and (bar != self._bar or now >= self._at + EVERY - AT_MOST):
            self._bar, self._at = bar, now + AT_MOST
            self._note(HeardUntil(heard, max(0.0, played)))
