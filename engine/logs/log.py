# pyright: strict
"""The log of a process: entries are taken at once and written by a thread of its own, so that nothing waits for a
disk, a terminal or a pipe that nobody reads."""

from __future__ import annotations

import logging
import queue
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from engine.logs.choice import LogChoice, LogFormat
from engine.logs.entry import LogEntry, as_line, entry_of
from engine.logs.limiting import LogLimiter
from engine.logs.sinks import FileSink, JournalSink, LogSink, StreamSink, has_journal, json_stream

MOST_WAITING = 2000
"""Entries that wait to be written; further ones are dropped and counted."""

LOOK = 5.0
"""Seconds between two looks whether something that was left out is due."""

LAST_WORDS = 2.0
"""Seconds that are waited at the end for what is still to be written."""

FOLDER = "log"
"""In the state folder."""


class Log(logging.Handler):
    """Takes all records of this process, and of its children. Nothing here raises or waits.

    Args:
        component: this process.
        format: of what is printed; None: as the installation file says.
        limiter: of each kind; for tests.
    """

    def __init__(self, component: str, format: LogFormat | None = None, limiter: LogLimiter | None = None) -> None:
        super().__init__()
        self._component = component
        self._format = format
        self._limiter = limiter or LogLimiter()
        self._entries: queue.Queue[LogEntry | None] = queue.Queue(MOST_WAITING)
        self._dropped = 0
        self._printing: LogSink = _printing(format or LogFormat.AUTO)
        self._keeping: LogSink | None = None
        self._failing: set[int] = set()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def take_choice(self, choice: LogChoice, state: Path) -> None:
        """Write as an installation file says from now on."""
        self._printing = _printing(self._format or choice.format)
        self._keeping = FileSink(state / FOLDER, choice.size, choice.files) if choice.file else None

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        known = record.__dict__.get("entry")
        try:
            self._entries.put_nowait(known if isinstance(known, LogEntry) else entry_of(record, self._component))
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what waits, and take no more."""
        super().close()
        with suppress(queue.Full):
            self._entries.put(None, timeout=LAST_WORDS)
        self._thread.join(LAST_WORDS)

    def _run(self) -> None:
        while True:
            try:
                entry = self._entries.get(timeout=LOOK)
            except queue.Empty:
                self._write(self._limiter.due())
                continue
            if entry is None:
                self._write(self._limiter.rest())
                return
            dropped, self._dropped = self._dropped, 0
            if dropped:
                entry = replace(entry, left_out=entry.left_out + dropped)
            self._write(self._limiter.take(entry))

    def _write(self, entries: list[LogEntry]) -> None:
        for entry in entries:
            for sink in (self._printing, self._keeping):
                if sink is not None:
                    self._write_one(sink, entry)

    def _write_one(self, sink: LogSink, entry: LogEntry) -> None:
        try:
            sink.write(entry)
            self._failing.discard(id(sink))
        except Exception as error:  # a full disk, a closed pipe: said once where it still can be
            if id(sink) in self._failing:
                return
            self._failing.add(id(sink))
            if sink is self._keeping:
                text = f"the log cannot be kept: {error}"
                told = LogEntry(entry.at, logging.WARNING, self._component, __name__, text, remedy="is the disk full?")
                with suppress(Exception):
                    self._printing.write(told)


def _printing(format: LogFormat) -> LogSink:
    if format is LogFormat.JSON:
        return json_stream()
    if format is LogFormat.JOURNAL or (format is LogFormat.AUTO and has_journal()):
        with suppress(OSError):
            return JournalSink()
    return StreamSink()


class ChildLog(logging.Handler):
    """Tells records to the parent, which writes them: as lines on standard error that it knows by their mark."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        known = record.__dict__.get("entry")
        entry = known if isinstance(known, LogEntry) else entry_of(record, "")
        with suppress(OSError, ValueError, AttributeError):  # the parent is gone
            sys.stderr.write(as_line(entry) + "\n")
            sys.stderr.flush()


def log_to_parent(level: int = logging.WARNING) -> None:
    """Have this process, a child, tell its log to its parent."""
    root = logging.getLogger()
    root.handlers[:] = [ChildLog()]
    root.setLevel(level)
