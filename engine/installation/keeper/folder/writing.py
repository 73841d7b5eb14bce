# pyright: strict
"""What is written to the state folder goes through a thread of its own. A disk that stalls holds nobody."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable


class Writer:
    """Does one thing after the other with the state folder."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="state folder", daemon=True)
        self._thread.start()

    def do(self, action: Callable[[], object]) -> None:
        """Do something, in its turn."""
        self._waiting.put(action)

    def close(self, timeout: float) -> None:
        """Let what waits be done, for `timeout` seconds at most."""
        self._waiting.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while (action := self._waiting.get()) is not None:
            action()
