# pyright: strict
"""Ctrl-C and the like, as something that can be asked about."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from types import FrameType
from typing import Any

from engine.errors import Terminated

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Handler = Callable[[int, FrameType | None], object]


@contextmanager
def handled(handler: Handler, numbers: Iterable[signal.Signals] = STOPPING) -> Generator[None]:
    """Let a handler take signals, but those that are ignored: nohup and the like mean it. In the main thread only."""
    before: dict[signal.Signals, Any] = {}
    try:
        for number in numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, other in before.items():
            signal.signal(number, other)


def interruption(number: int) -> KeyboardInterrupt | Terminated:
    """What a signal to stop raises."""
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)


class StopSignals:
    """While it is entered, the first signal to stop sets `asked`, so that the music can fade; the next one interrupts.

    Children have sessions of their own, so a terminal's Ctrl-C comes here alone. Must be entered in the main thread.

    Args:
        numbers: of the signals.

    Attributes:
        asked: whether somebody wants us to stop.
        number: of the signal that asked.

    Raises:
        KeyboardInterrupt, Terminated: in the main thread, at the second signal.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        # A plain attribute: a handler that waits for a lock of the very thread that it interrupts would never return.
        self.asked = False
        self.number: signal.Signals | None = None
        self._handled = handled(self._handle, numbers or STOPPING)

    def __enter__(self) -> StopSignals:
        self._handled.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._handled.__exit__(None, None, None)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise interruption(number)
        self.number = signal.Signals(number)
        self.asked = True
