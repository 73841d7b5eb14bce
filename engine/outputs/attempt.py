# pyright: strict
"""Opening an output in a thread of its own: one that hangs there holds nobody up."""

from __future__ import annotations

import threading
from contextlib import suppress

from engine.outputs.contract import Output, OutputLostError
from engine.sound.format import AudioFormat


class OpeningAttempt:
    """Opens an output once.

    Args:
        output: whose `open` may fail, and may never return.
        format: of the sound.
    """

    def __init__(self, output: Output, format: AudioFormat) -> None:
        self._output = output
        self._format = format
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._error: Exception | None = None
        self._abandoned = False
        try:
            threading.Thread(target=self._run, name="output opens", daemon=True).start()
        except RuntimeError as error:  # no more threads are allowed
            self._error = OutputLostError(f"it cannot be opened now: {error}")
            self._done.set()

    def finished(self, timeout: float) -> bool:
        """Wait for it; False if that takes longer than `timeout` seconds.

        Raises:
            Exception: what `open` raised.
        """
        if not self._done.wait(timeout):
            return False
        if self._error is not None:
            raise self._error
        return True

    def abandon(self) -> None:
        """Nobody wants it any more: if it opens after all, it is closed."""
        with self._lock:
            self._abandoned = True
            if self._done.is_set() and self._error is None:
                self._close()

    def _run(self) -> None:
        try:
            self._output.open(self._format)
        except Exception as error:
            self._error = error
        with self._lock:
            if self._abandoned and self._error is None:
                self._close()
            self._done.set()

    def _close(self) -> None:
        with suppress(Exception):
            self._output.close()
