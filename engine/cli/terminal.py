"""What is said while music plays: written by a thread of its own, so that no terminal, pipe or disk holds the music."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

from engine.logs.background import BackgroundWriter
from engine.logs.entry import LogEntry, entry_of

MOST_WAITING = 1000
"""Lines that wait for a reader who does not read; further ones are dropped and counted."""

LAST_WORDS = 1.0
"""Seconds that are waited at the end for what is still to be written."""


class Terminal(logging.Handler):
    """Writes lines to standard output and standard error, and the log with them. Nothing here raises or waits.

    A stream that breaks (a closed pipe, a full disk) is given up; characters that it cannot encode are replaced.
    """

    def __init__(self, level: int = logging.WARNING) -> None:
        super().__init__(level)
        self._broken: set[int] = set()
        self._writer: BackgroundWriter[tuple[TextIO | None, str]] = BackgroundWriter(
            "terminal", MOST_WAITING, self._write, self._say_dropped
        )

    def __enter__(self) -> Terminal:
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(self.level)
        self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        self._writer.close(LAST_WORDS)

    def say(self, text: str) -> None:
        """A line for standard output."""
        self._put(sys.stdout, text)

    def warn(self, text: str) -> None:
        """A line for standard error."""
        self._put(sys.stderr, text)

    def emit(self, record: logging.LogRecord) -> None:
        """A record of the log, for standard error; what to do stands below it."""
        known = record.__dict__.get("entry")
        entry = known if isinstance(known, LogEntry) else entry_of(record, "")
        self.warn(f"{entry.message}\n  {entry.remedy}" if entry.remedy else entry.message)

    def _put(self, stream: TextIO | None, text: str) -> None:
        self._writer.put((stream, text))

    # In the thread of the writer

    def _say_dropped(self, count: int) -> None:
        self._write((sys.stderr, f"{count} lines were left out: more came than were read"))

    def _write(self, line: tuple[TextIO | None, str]) -> None:
        stream, text = line
        if stream is None or id(stream) in self._broken:
            return
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
