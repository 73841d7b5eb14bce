# pyright: strict
"""Never one message without bound: of each kind a few within a while are written, and the others are counted."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.logs.entry import LogEntry

BURST = 10
"""Entries of a kind that are written ..."""

WINDOW = 60.0
"""... within so many seconds."""

KINDS = 512
"""That are remembered; what was told longest ago is forgotten first."""


@dataclass(slots=True)
class _Kind:
    began: float
    written: int
    left_out: int
    last: LogEntry


class LogLimiter:
    """Lets through what may be written. One thread calls all of it.

    Args:
        burst: entries of a kind within a window.
        window: seconds.
        clock: gives seconds.
    """

    def __init__(self, burst: int = BURST, window: float = WINDOW, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._window = window
        self._clock = clock
        self._kinds: OrderedDict[tuple[str, int, str], _Kind] = OrderedDict()

    def take(self, entry: LogEntry) -> list[LogEntry]:
        """What is to be written now that another entry has come."""
        now = self._clock()
        found = self.due()
        key = (entry.component, entry.level, entry.template or entry.message)
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = _Kind(now, 0, 0, entry)
            if len(self._kinds) > KINDS:
                _, oldest = self._kinds.popitem(last=False)
                found += _told(oldest)
        kind.last = entry
        if kind.written < self._burst:
            kind.written += 1
            return [*found, entry]
        kind.left_out += 1 + entry.left_out
        return found

    def due(self) -> list[LogEntry]:
        """What is to be written of windows that are over: the last of each kind of which some were left out."""
        now = self._clock()
        found: list[LogEntry] = []
        for key in [key for key, kind in self._kinds.items() if now - kind.began >= self._window]:
            found += _told(self._kinds.pop(key))
        return found

    def rest(self) -> list[LogEntry]:
        """The same of all windows, at the end."""
        found = [told for kind in self._kinds.values() for told in _told(kind)]
        self._kinds.clear()
        return found


def _told(kind: _Kind) -> list[LogEntry]:
    return [replace(kind.last, left_out=kind.left_out - 1)] if kind.left_out else []
