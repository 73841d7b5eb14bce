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


class _Share:
    """How many of the last runs had been heard before."""

    def __init__(self) -> None:
        self._runs: deque[tuple[float, bool]] = deque()
        self._heard = 0

    @property
    def repeated(self) -> float | None:
        """Share of the runs that had been heard before, 0..1; None where there were too few."""
        if len(self._runs) < FEWEST or self._runs[-1][0] - self._runs[0][0] < LEAST:
            return None
        return self._heard / len(self._runs)

    def add(self, seconds: float, again: bool) -> None:
        """Take in a run that ends at some second."""
        self._runs.append((seconds, again))
        self._heard += again
        if len(self._runs) > MOST:
            self._drop()

    def forget_before(self, seconds: float) -> None:
        """Drop what is too old."""
        while self._runs and self._runs[0][0] < seconds:
            self._drop()

    def clear(self) -> None:
        """Forget all of them."""
        self._runs.clear()
        self._heard = 0

    def _drop(self) -> None:
        self._heard -= self._runs.popleft()[1]


class GramMemory:
    """Runs of onsets of one part.

    Attributes:
        all: of the last ten minutes.
        free: those of them in which nothing takes up an idea.
    """

    def __init__(self) -> None:
        self.all = _Share()
        self.free = _Share()
        self._last: deque[tuple[Token, bool]] = deque(maxlen=LENGTH)
        self._known: OrderedDict[int, float] = OrderedDict()

    def hear(self, seconds: float, token: Token, recalled: bool) -> None:
        """Take in an onset.

        Args:
            seconds: of the performance at which it stands.
            token: what begins there.
            recalled: it belongs to a phrase that takes up an idea.
        """
        self._last.append((token, recalled))
        if len(self._last) == LENGTH:
            gram = hash(tuple(one for one, _ in self._last))
            before = self._known.pop(gram, None)
            again = before is not None and seconds - before <= HOURS * 3600
            self.all.add(seconds, again)
            if not any(meant for _, meant in self._last):
                self.free.add(seconds, again)
            self._known[gram] = seconds
            self._forget(seconds)
        for share in (self.all, self.free):
            share.forget_before(seconds - LATELY)

    def begin_anew(self) -> None:
        """What is played from now on is judged by itself; what was heard is still known."""
        self._last.clear()
        for share in (self.all, self.free):
            share.clear()

    def _forget(self, seconds: float) -> None:
        """Drop what is too old, and what is too much; the first of them was heard the longest ago."""
        while self._known:
            oldest = next(iter(self._known))
            if len(self._known) <= MOST and seconds - self._known[oldest] <= HOURS * 3600:
                return
            del self._known[oldest]
