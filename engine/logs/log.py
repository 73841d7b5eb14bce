# pyright: strict
"""The log of a process: entries are taken at once and written by a thread of its own, so that nothing waits for a
disk, a terminal or a pipe that nobody reads."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.logs.background import BackgroundWriter
from engine.logs.choice import LogChoice, LogFormat
from engine.logs.entry import LogEntry, as_line, entry_of
from engine.logs.limiting import LogLimiter
from engine.logs.sinks import FileSink, JournalSink, LogSink, StreamSink, has_journal, json_stream

MOST_WAITING = 2000
"""Entries that wait to be written; further ones are dropped and counted."""

LOOK = 5.0
"""Seconds without an entry after which it is looked whether something that was left out is due."""

LAST_WORDS = 2.0
"""Seconds that are waited at the end for what is still to be written."""

FOLDER = "log"
"""In the state folder."""


@dataclass(eq=False)
class _Place:
    """A place where entries go.

    Attributes:
        sink: writes them.
        lost: entries that it could not write since the last one that it could.
    """

    sink: LogSink
    lost: int = 0


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
        self._chosen: LogChoice | None = None
        self._printing = _Place(_printing(format or LogFormat.AUTO))
        self._keeping: _Place | None = None
        self._writer: BackgroundWriter[LogEntry] = BackgroundWriter(
            "log", MOST_WAITING, self._take, self._say_dropped, self._look, LOOK
        )
        self._writer.start()

    def take_choice(self, choice: LogChoice, state: Path) -> None:
        """Write as an installation file says, from the next entry on."""
        self._writer.do(lambda: self._choose(choice, state))

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        known = record.__dict__.get("entry")
        self._writer.put(known if isinstance(known, LogEntry) else entry_of(record, self._component))

    def close(self) -> None:
        """Write what waits, and take no more."""
        super().close()
        self._writer.close(LAST_WORDS)

    # In the thread of the writer

    def _choose(self, choice: LogChoice, state: Path) -> None:
        if choice == self._chosen:
            return
        self._chosen = choice
        self._close_sinks()
        self._printing = _Place(_printing(self._format or choice.format))
        self._keeping = _Place(FileSink(state / FOLDER, choice.size, choice.files)) if choice.file else None

    def _take(self, entry: LogEntry) -> None:
        self._write(self._limiter.take(entry))

    def _look(self, over: bool) -> None:
        self._write(self._limiter.rest() if over else self._limiter.due())

    def _say_dropped(self, count: int) -> None:
        self._write([self._own(f"{count} entries were dropped: more came than could be written", "")])

    def _close_sinks(self) -> None:
        for place in (self._keeping, self._printing):
            if place is not None:
                with suppress(OSError):
                    place.sink.close()

    def _write(self, entries: list[LogEntry]) -> None:
        for entry in entries:
            # The file first: a stream that nobody reads holds this thread.
            for place in (self._keeping, self._printing):
                if place is not None:
                    self._write_one(place, entry)

    def _write_one(self, place: _Place, entry: LogEntry) -> None:
        try:
            if place.lost:
                place.sink.write(self._own(f"{place.lost} entries could not be written here", ""))
                place.lost = 0
            place.sink.write(entry)
        except Exception as error:  # a full disk, a closed pipe: said once where it still can be
            place.lost += 1
            if place.lost == 1 and place is self._keeping:
                with suppress(Exception):
                    self._printing.sink.write(self._own(f"the log cannot be kept: {error}", "is the disk full?"))

    def _own(self, text: str, remedy: str) -> LogEntry:
        return LogEntry(time.time(), logging.WARNING, self._component, __name__, text, remedy=remedy)


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
