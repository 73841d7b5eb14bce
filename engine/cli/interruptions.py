"""Ctrl-C and SIGTERM while a verb runs, wherever they meet it: in an import, in a library, in what cleans up."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import ExitStack
from types import FrameType
from typing import Any

from engine.errors import Terminated
from engine.runtime.signals import handled, interruption


class Interruptions:
    """While it is entered, Ctrl-C raises KeyboardInterrupt in the main thread, and SIGTERM and SIGHUP `Terminated`.

    Python prints and drops what is raised in a destructor or callback. Such an interruption is raised once more.

    Attributes:
        number: of the first signal that came, or None.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._stack = ExitStack()
        self._hook = sys.unraisablehook

    def __enter__(self) -> Interruptions:
        if threading.current_thread() is not threading.main_thread():
            return self
        sys.unraisablehook = self._dropped
        self._stack.enter_context(handled(self._handle))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        sys.unraisablehook = self._hook

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.number is None:
            self.number = number
        raise interruption(number)

    def _dropped(self, dropped: Any) -> None:
        if isinstance(dropped.exc_value, KeyboardInterrupt | Terminated) and self.number is not None:
            # In here it would be dropped again, so it is sent from outside, for the main thread to take afterwards.
            threading.Timer(0.01, os.kill, (os.getpid(), self.number)).start()
        else:
            self._hook(dropped)
