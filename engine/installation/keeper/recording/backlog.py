# pyright: strict
"""Entries on their way to the journal: kept until it has them, bounded in seconds and bytes, waited for by nobody."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from engine.journal.entries import ENTRIES, HAPPENINGS, Entry, Happened, Noted, RecordsLost, SittingBegan, TurnBegan

LONGEST = 60.0
"""Seconds for which an entry waits for a recorder."""

MOST_BYTES = 16 << 20
"""Of entries that wait."""

WINDOW = 256
"""Entries that a recorder is sent before it has kept the first of them."""

WINDOW_BYTES = 2 << 20

AWAY = "the recorder was away, or too slow"


@dataclass(frozen=True, slots=True)
class _Waiting:
    noted: Noted
    since: float


class Backlog:
    """Thread-safe.

    Args:
        clock: gives seconds.
        wall: gives seconds of UTC.
        longest: seconds for which an entry waits.
        most_bytes: of entries that wait.

    Attributes:
        lost: entries that were ever given up.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        longest: float = LONGEST,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.lost = 0
        self._clock = clock
        self._wall = wall
        self._longest = longest
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._beginning: dict[str, Noted] = {}
        self._bytes = self._index = self._sent = self._kept = 0
        self._unsaid: tuple[int, float] | None = None

    def note(self, entry: Entry, made: int) -> None:
        """Take an entry; what waits for too long goes.

        Args:
            entry: that is to be kept.
            made: frames of sound that were made by now.
        """
        data = ENTRIES.encode(entry)
        with self._lock:
            noted = self._add(data, made)
            if isinstance(entry, SittingBegan):
                self._beginning = {"sitting": noted}
            self._drop()

    def note_turn(self, turn: TurnBegan, made: int) -> None:
        """Take a turn, which is told again where another journal begins."""
        with self._lock:
            self._beginning["turn"] = self._add(ENTRIES.encode(Happened(HAPPENINGS.encode(turn))), made)
            self._drop()

    @property
    def index(self) -> int:
        """Of the last entry."""
        return self._index

    def has(self, index: int) -> bool:
        """Whether the entry of an index, and all before, need not be waited for: kept, or given up."""
        with self._lock:
            return not self._waiting or self._waiting[0].noted.index > index

    def opened(self, last: int) -> list[Noted]:
        """A journal was opened that has all up to an index; what it lacks of how the sitting began."""
        with self._lock:
            self._forget(last)
            self._sent = last
            waiting = {one.noted.index for one in self._waiting}
            return [one for one in self._beginning.values() if one.index > last and one.index not in waiting]

    def kept(self, index: int) -> None:
        """All up to an index is kept."""
        with self._lock:
            self._forget(index)
            if self._unsaid is not None:
                count, since = self._unsaid
                self._unsaid = None
                lost = RecordsLost(count, self._clock() - since, AWAY)
                self._add(ENTRIES.encode(Happened(HAPPENINGS.encode(lost))), 0)

    def due(self) -> list[Noted]:
        """What is to be sent now."""
        with self._lock:
            found: list[Noted] = []
            flying = size = 0
            for one in self._waiting:
                flying, size = flying + 1, size + len(one.noted.entry)
                if flying > WINDOW or size > WINDOW_BYTES:
                    break
                if one.noted.index > self._sent:
                    found.append(one.noted)
                    self._sent = one.noted.index
            return found

    def behind(self) -> float:
        """Seconds for which the oldest entry has waited."""
        with self._lock:
            return self._clock() - self._waiting[0].since if self._waiting else 0.0

    def __len__(self) -> int:
        """Entries that wait."""
        return len(self._waiting)

    def _add(self, data: bytes, made: int) -> Noted:
        self._index += 1
        noted = Noted(self._index, self._wall(), made, data)
        self._waiting.append(_Waiting(noted, self._clock()))
        self._bytes += len(data)
        return noted

    def _forget(self, index: int) -> None:
        while self._waiting and self._waiting[0].noted.index <= index:
            self._bytes -= len(self._waiting.popleft().noted.entry)

    def _drop(self) -> None:
        now = self._clock()
        while self._waiting and (self._bytes > self._most_bytes or now - self._waiting[0].since > self._longest):
            gone = self._waiting.popleft()
            self._bytes -= len(gone.noted.entry)
            self.lost += 1
            count, since = self._unsaid or (0, gone.since)
            self._unsaid = count + 1, since
