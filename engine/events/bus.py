# pyright: strict
"""Events on their way to subscribers. Whoever publishes waits for nobody, and nobody who listens can do harm."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from engine.events.vocabulary import Event

log = logging.getLogger(__name__)

E = TypeVar("E", bound=Event)

SIZE = 1024
"""Events that may wait for a subscriber; at some twenty a bar, half a minute of music and more."""


class Subscription:
    """A subscriber, with a queue and a thread of its own.

    Attributes:
        dropped: events that it was too slow for.
        failures: events at which it raised; the first is logged.
    """

    def __init__(
        self, types: tuple[type[Any], ...], subscriber: Callable[[Any], None], size: int, lossless: bool
    ) -> None:
        self.dropped = 0
        self.failures = 0
        self._types = types
        self._subscriber = subscriber
        self._lossless = lossless
        self._queue: queue.Queue[Event | None] = queue.Queue(size)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="subscriber", daemon=True)
        self._thread.start()

    def offer(self, event: Event) -> None:
        """Hand over an event that it wants."""
        if self._closed or not isinstance(event, self._types):
            return
        try:
            self._queue.put(event, block=self._lossless)
        except queue.Full:
            self.dropped += 1

    def flush(self, timeout: float) -> bool:
        """Wait until it has dealt with all that it was handed; False if that takes longer than `timeout` seconds."""
        until = time.monotonic() + timeout
        with self._queue.all_tasks_done:
            while self._queue.unfinished_tasks and self._thread.is_alive():
                if not self._queue.all_tasks_done.wait(min(0.1, until - time.monotonic())) and time.monotonic() > until:
                    return False
        return True

    def close(self, timeout: float = 1.0) -> None:
        """Let it deal with what it was handed, for so many seconds at most; then it is left alone."""
        self._closed = True
        ourselves = threading.current_thread() is self._thread
        if not ourselves:
            self.flush(timeout)
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            return  # it hangs; its thread ends with us
        if not ourselves:
            self._thread.join(timeout)

    def _run(self) -> None:
        while (event := self._queue.get()) is not None:
            try:
                self._subscriber(event)
            except Exception:
                if not self.failures:
                    log.exception("a subscriber failed at %s; the music goes on", type(event).__name__)
                self.failures += 1
            finally:
                self._queue.task_done()
        self._queue.task_done()


class Bus:
    """Tells events to whoever wants them. Thread-safe."""

    def __init__(self) -> None:
        self._subscriptions: tuple[Subscription, ...] = ()
        self._lock = threading.Lock()

    def __enter__(self) -> Bus:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def dropped(self) -> int:
        """Events that subscribers were too slow for."""
        return sum(one.dropped for one in self._subscriptions)

    def subscribe(
        self,
        types: type[E] | Sequence[type[E]],
        subscriber: Callable[[E], None],
        size: int = SIZE,
        lossless: bool = False,
    ) -> Subscription:
        """Have events of some types told, in their order, in a thread of the subscriber's own.

        Args:
            types: of the events.
            subscriber: is called with each; may block and may raise, which costs only itself.
            size: events that may wait for it; what comes beyond that is dropped and counted.
            lossless: whoever publishes waits for room instead. Only where nobody hears the wait: in renders.
        """
        wanted = (types,) if isinstance(types, type) else tuple(types)
        subscription = Subscription(wanted, subscriber, size, lossless)
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Tell a subscriber nothing more."""
        with self._lock:
            self._subscriptions = tuple(one for one in self._subscriptions if one is not subscription)
        subscription.close()

    def publish(self, event: Event) -> None:
        """Tell an event. Returns at once and never raises."""
        for subscription in self._subscriptions:
            subscription.offer(event)

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everybody has dealt with what was published; False if that takes longer than `timeout` seconds."""
        until = time.monotonic() + timeout
        return all(one.flush(max(0.0, until - time.monotonic())) for one in self._subscriptions)

    def close(self) -> None:
        """Let everybody deal with what was published, for a second at most, and end."""
        with self._lock:
            subscriptions, self._subscriptions = self._subscriptions, ()
        until = time.monotonic() + 1.0
        for subscription in subscriptions:
            subscription.close(max(0.05, until - time.monotonic()))
