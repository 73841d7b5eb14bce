"""Ctrl-C and SIGTERM while a verb runs, wherever they meet it: in an import, in a library, in what cleans up."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from engine.errors import Terminated


class Interruptions:
    """While it is entered, Ctrl-C raises KeyboardInterrupt in the main thread, and SIGTERM and SIGHUP `Terminated`.

    Python prints and drops what is raised in a destructor or callback. Such an interruption is raised once more.

    Attributes:
        number: of the first signal that came, or None.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._before: dict[int, Any] = {}
        self._hook = sys.unraisablehook

    def __enter__(self) -> Interruptions:
        if threading.current_thread() is not threading.main_thread():
            return self
        sys.unraisablehook = self._dropped
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and the like mean it
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        sys.unraisablehook = self._hook

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.number is None:
            self.number = number
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise Terminated(number)

    def _dropped(self, dropped: Any) -> None:
        if isinstance(dropped.exc_value, KeyboardInterrupt | Terminated) and self.number is not None:
            # In here it would be dropped again, so it is sent from outside, for the main thread to take afterwards.
            threading.Timer(0.01, os.kill, (os.getpid(), self.number)).start()
        else:
            self._hook(dropped)
