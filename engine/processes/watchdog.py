# pyright: strict
"""Signs of life: whoever gives none for too long hangs, unless it was we who were stopped."""

from __future__ import annotations

import time
from collections.abc import Callable

AWAY = 0.3
"""Seconds between two looks after which we were stopped ourselves, or had no processor; nobody else is blamed."""


class Watchdog:
    """Counts the seconds since something gave a sign of life.

    Whoever looks after a pause of more than `away` seconds was away itself: patience begins anew. Of further pauses
    without a sign in between `away` seconds count, so that one who always looks seldom finds a hang, too.

    Args:
        away: seconds between two looks.
        clock: gives seconds.
    """

    def __init__(self, away: float = AWAY, clock: Callable[[], float] = time.monotonic) -> None:
        self._away = away
        self._clock = clock
        self.feed()

    def feed(self) -> None:
        """It gave a sign of life, or nothing is expected of it."""
        self._since = self._looked = self._clock()
        self._excused = False

    def hangs(self, patience: float) -> bool:
        """Look whether there was no sign for more than `patience` seconds."""
        now = self._clock()
        pause, self._looked = now - self._looked, now
        if pause > self._away:
            self._since = self._since + pause - self._away if self._excused else now
            self._excused = True
        return now - self._since > patience

    def due(self, patience: float) -> float:
        """Seconds until it counts as hung if it gives no sign."""
        return self._since + patience - self._clock()
