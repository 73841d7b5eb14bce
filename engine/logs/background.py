# pyright: strict
"""A thread that writes what others hand to it: nobody waits for a disk, a terminal or a pipe that nobody reads."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")

SAY_EVERY = 60.0
"""Seconds between two times that it is said how much was dropped, while more comes than can be written."""


class BackgroundWriter(Generic[T]):
    """Writes one thing after the other in a thread of its own. Nothing here raises or waits, but for `close`.

    Args:
        name: of the thread.
        most: things that wait; further ones are dropped and counted.
        write: writes one, in that thread.
        say_dropped: writes how many were dropped since the last time, in that thread.
        rest: called in that thread whenever nothing came for `every` seconds, and at the end.
        every: seconds.
    """

    def __init__(
        self,
        name: str,
        most: int,
        write: Callable[[T], object],
        say_dropped: Callable[[int], object],
        rest: Callable[[bool], object] = lambda over: None,
        every: float | None = None,
    ) -> None:
        self._most = most
        self._write = write
        self._say_dropped = say_dropped
        self._rest = rest
        self._every = every
        # Without a bound of its own: an order and the end find room however full it is.
        self._waiting: queue.SimpleQueue[tuple[T] | Callable[[], object] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, one: T) -> None:
        """Have something written, unless too much waits already."""
        if self._waiting.qsize() < self._most:
            self._waiting.put((one,))
        else:
            with self._lock:
                self._dropped += 1

    def do(self, order: Callable[[], object]) -> None:
        """Have something done in the thread when all that came before is written; it is never dropped."""
        self._waiting.put(order)

    def close(self, patience: float) -> None:
        """Have what waits written, for `patience` seconds at most; what comes later is not."""
        self._waiting.put(None)
        if self._thread.ident is not None:
            self._thread.join(patience)

    def _run(self) -> None:
        said = -SAY_EVERY
        while True:
            try:
                one = self._waiting.get(timeout=self._every)
            except queue.Empty:
                self._safely(lambda: self._rest(False))
                continue
            if one is None:
                break
            self._safely(one if callable(one) else lambda one=one: self._write(one[0]))
            now = time.monotonic()
            if self._dropped and (self._waiting.empty() or now - said >= SAY_EVERY):
                said = now
                self._say()
        self._safely(lambda: self._rest(True))
        if self._dropped:
            self._say()

    def _say(self) -> None:
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        self._safely(lambda: self._say_dropped(dropped))

    def _safely(self, action: Callable[[], object]) -> None:
        with suppress(Exception):  # whatever fails, what comes after it is written
            action()
