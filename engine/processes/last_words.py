# pyright: strict
"""What another program printed last. It is read as it comes: who fills a pipe that nobody reads stands still."""

from __future__ import annotations

import os
from typing import IO

KEPT = 1000
"""Bytes that are kept."""

PIECE = 1 << 16
"""Bytes that are read at once: all that a pipe holds."""


class LastWords:
    """The end of what comes through a pipe. Nothing here waits.

    Args:
        stream: the pipe; reading it does not block from now on.

    Attributes:
        over: whether nothing more will come.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._kept = b""
        self.over = False
        os.set_blocking(stream.fileno(), False)

    def fileno(self) -> int:
        """Its descriptor, for `select`."""
        return self._stream.fileno()

    def take(self) -> bool:
        """Read a piece of what is there; False where there is nothing."""
        if self.over:
            return False
        try:
            said = os.read(self._stream.fileno(), PIECE)
        except BlockingIOError:
            return False
        except OSError:
            said = b""
        self.over = not said
        self._kept = (self._kept + said)[-KEPT:]
        return bool(said)

    def close(self) -> str:
        """Read what is still there, and no more; gives the last line."""
        # A program that prints without end is not waited for.
        for _ in range(16):
            if not self.take():
                break
        self._stream.close()
        self.over = True
        lines = self._kept.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""
