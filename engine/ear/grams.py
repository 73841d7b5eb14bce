# pyright: strict
"""Runs of notes, and whether they have been heard in the last hours. What is remembered is bounded."""

from __future__ import annotations

from collections import OrderedDict, deque

LENGTH = 5
"""Onsets in a run: as the references of `docs/hours.md` count cells of melodies."""

HOURS = 3.0
"""For which a run is remembered."""

MOST = 20_000
"""Runs that are remembered of a part, some 2 MB."""

LATELY = 600.0
"""Seconds over which the share of repeated runs is taken."""

FEWEST = 40
"""Runs in that time below which nothing is said."""

LEAST = 300.0
"""Seconds that these must span: what returns within a minute is a figure, not a lack of ideas."""

Token = tuple[int, ...]
"""An onset: sixteenths since the one before, then the pitches that begin together."""


class GramMemory:
    """Runs of onsets of one part.

    Attributes:
        heard: of the runs of the last ten minutes, how many had been heard in the hours before.
        counted: how many there were.
    """

    def __init__(self) -> None:
        self.heard = 0
        self.counted = 0
        self._last: deque[Token] = deque(maxlen=LENGTH)
        self._known: OrderedDict[int, float] = OrderedDict()
        self._lately: deque[tuple[float, bool]] = deque()

    @property
    def repeated(self) -> float | None:
        """Share of the last ten minutes' runs that had been heard before, 0..1; None where there were too few."""
        if self.counted < FEWEST or self._lately[-1][0] - self._lately[0][0] < LEAST:
            return None
        return self.heard / self.counted

    def hear(self, seconds: float, token: Token) -> None:
        """Take in an onset.

        Args:
            seconds: of the performance at which it stands.
            token: what begins there.
        """
        self._last.append(token)
        if len(self._last) == LENGTH:
            gram = hash(tuple(self._last))
            before = self._known.pop(gram, None)
            self._add(seconds, before is not None and seconds - before <= HOURS * 3600)
            self._known[gram] = seconds
            self._forget(seconds)
        while self._lately and self._lately[0][0] < seconds - LATELY:
            self._drop()

    def begin_anew(self) -> None:
        """What is played from now on is judged by itself; what was heard is still known."""
        self._last.clear()
        self._lately.clear()
        self.heard = self.counted = 0

    def _forget(self, seconds: float) -> None:
        """Drop what is too old, and what is too much; the first of them was heard the longest ago."""
        while self._known:
            oldest = next(iter(self._known))
            if len(self._known) <= MOST and seconds - self._known[oldest] <= HOURS * 3600:
                return
            del self._known[oldest]

    def _add(self, seconds: float, again: bool) -> None:
        self._lately.append((seconds, again))
        self.heard += again
        self.counted += 1
        if len(self._lately) > MOST:
            self._drop()

    def _drop(self) -> None:
        _, again = self._lately.popleft()
        self.heard -= again
        self.counted -= 1
