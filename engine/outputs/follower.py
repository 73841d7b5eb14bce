# pyright: strict
"""An output that follows another: it has a ring and a thread of its own, and misses what it is too slow for."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress

from engine.errors import PerpetuumError
from engine.outputs.contract import Output
from engine.outputs.ring import Ring
from engine.processes.backoff import Backoff
from engine.sound.format import AudioFormat

log = logging.getLogger(__name__)

RING_SECONDS = 16.0
"""Of sound that a follower may be behind: longer than a disk or a network usually hangs."""

PIECE_SECONDS = 0.25
"""Of sound that a follower takes at a time, at most."""


class Follower:
    """Gives an output what is put into its ring.

    An output that raises is closed and opened again after a while. What it cannot take meanwhile is dropped and
    counted: by the writer where the ring is full, by the follower where the output failed.

    Args:
        output: takes sound as fast as it can; may be slow, raise, or never return.
        format: of the sound.
        seconds: of sound that the ring holds.
        backoff: between attempts to open the output again.
    """

    def __init__(
        self, output: Output, format: AudioFormat, seconds: float = RING_SECONDS, backoff: Backoff | None = None
    ) -> None:
        self.output = output
        self.problem = ""
        self.refusal: PerpetuumError | None = None
        self._format = format
        self._ring = Ring(max(1, round(seconds * format.rate)) * format.frame_bytes)
        self._piece = max(1, round(PIECE_SECONDS * format.rate)) * format.frame_bytes
        self._backoff = backoff or Backoff(first=0.5, longest=30.0)
        self._overrun = 0
        self._failed = 0
        self._is_open = False
        self._retry_at = 0.0
        self._filled = threading.Event()
        self._opened = threading.Event()
        self._closing = False
        self._deadline = 0.0
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    @property
    def dropped(self) -> int:
        """Frames that the output missed."""
        return (self._overrun + self._failed) // self._format.frame_bytes

    @property
    def waiting(self) -> int:
        """Frames that it is behind."""
        return len(self._ring) // self._format.frame_bytes

    def start(self) -> None:
        """Open the output in the follower's thread."""
        self._thread.start()

    def opened(self, timeout: float) -> bool:
        """Wait for the first attempt to open the output; False if that takes longer than `timeout` seconds.

        Raises:
            PerpetuumError: the output will never work.
        """
        if not self._opened.wait(timeout):
            self.problem = "it does not open"
            return False
        if self.refusal is not None:
            raise self.refusal
        return True

    def offer(self, chunk: bytes) -> bool:
        """Put a chunk into the ring; returns at once. False if there was no room, so that it is dropped."""
        if self._ring.write(chunk):
            self._filled.set()
            return True
        self._overrun += len(chunk)
        return False

    def end(self, until: float) -> None:
        """No more will come; what is there may be taken until a moment of the monotonic clock."""
        self._deadline = until
        self._closing = True
        self._filled.set()

    def join(self, until: float) -> bool:
        """Wait for the end; False if the output holds its thread at that moment, so that it is left alone."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, until - time.monotonic()))
        if self._thread.is_alive() and not self.problem:
            self.problem = "it takes no sound"
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._open()
        except PerpetuumError as error:
            self.refusal = error
            return
        finally:
            self._opened.set()
        while True:
            self._filled.wait()
            self._filled.clear()
            closing = self._closing  # asked before reading: what was written before the end is still taken
            while chunk := self._ring.read(self._piece):
                self._take(chunk)
                if self._closing and time.monotonic() > self._deadline:
                    self._failed += len(self._ring)
                    closing = True
                    break
            if closing:
                self._close()
                return

    def _take(self, chunk: bytes) -> None:
        if not self._is_open and time.monotonic() >= self._retry_at:
            with suppress(PerpetuumError):
                self._open()
        if not self._is_open:
            self._failed += len(chunk)
            return
        try:
            self.output.write(chunk)
        except Exception as error:
            self._failed += len(chunk)
            self._close()
            self._wait(error)

    def _open(self) -> None:
        """Open the output.

        Raises:
            PerpetuumError: it will never work.
        """
        try:
            self.output.open(self._format)
        except Exception as error:
            self._wait(error)
            if isinstance(error, PerpetuumError):
                raise
            return
        self._is_open = True
        if self.problem:
            log.warning("%s takes sound again", self.output.description)
        self.problem = ""

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            try:
                self.output.close()
            except Exception as error:
                self.problem = str(error) or repr(error)
                log.exception("an output that follows cannot be closed")

    def _wait(self, error: Exception) -> None:
        self.problem = str(error) or repr(error)
        self._retry_at = time.monotonic() + self._backoff.next_delay()
