"""What is said while music plays: written by a thread of its own, so that no terminal, pipe or disk holds the music."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
from contextlib import suppress
from typing import TextIO

MOST_WAITING = 1000
"""Lines that wait for a reader who does not read; further ones are dropped."""

LAST_WORDS = 1.0
"""Seconds that are waited at the end for what is still to be written."""


class Terminal(logging.Handler):
    """Writes lines to standard output and standard error, and the log with them. Nothing here raises or waits.

    A stream that breaks (a closed pipe, a full disk) is given up; characters that it cannot encode are replaced.
    """

    def __init__(self, level: int = logging.WARNING) -> None:
        super().__init__(level)
        self._lines: queue.Queue[tuple[TextIO | None, str] | None] = queue.Queue(MOST_WAITING)
        self._broken: set[int] = set()
        self._thread = threading.Thread(target=self._run, name="terminal", daemon=True)

    def __enter__(self) -> Terminal:
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(self.level)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        try:
            self._lines.put(None, timeout=LAST_WORDS)
        except queue.Full:
            return
        self._thread.join(LAST_WORDS)

    def say(self, text: str) -> None:
        """A line for standard output."""
        self._put(sys.stdout, text)

    def warn(self, text: str) -> None:
        """A line for standard error."""
        self._put(sys.stderr, text)

    def emit(self, record: logging.LogRecord) -> None:
        """A record of the log, for standard error."""
        try:
            self.warn(self.format(record))
        except Exception:  # a message whose arguments do not fit it
            self.warn(str(record.msg))

    def _put(self, stream: TextIO | None, text: str) -> None:
        with suppress(queue.Full):  # nobody has read a thousand lines
            self._lines.put_nowait((stream, text))

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            stream, text = line
            if stream is None or id(stream) in self._broken:
                continue
            try:
                _write(stream, f"{text}\n")
            except (OSError, ValueError):
                self._broken.add(id(stream))


def _write(stream: TextIO, text: str) -> None:
    """Write past the stream's own buffer: a thread that waits in it would keep the interpreter from ending."""
    data = text.encode(stream.encoding or "utf-8", "replace")
    try:
        descriptor = stream.fileno()
    except (OSError, AttributeError):  # no file: somebody catches what is said
        stream.write(data.decode(stream.encoding or "utf-8"))
        return
    while data:
        data = data[os.write(descriptor, data) :]
