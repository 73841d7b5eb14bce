"""Ctrl-C and the like, as something that can be asked about."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from engine.errors import Terminated

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
        self._numbers = numbers or STOPPING
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        for number in self._numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and the like mean it
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)
        self.number = signal.Signals(number)
        self.asked = True
