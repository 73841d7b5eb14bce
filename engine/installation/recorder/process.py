# pyright: strict
"""The recorder's process: `python -m engine.installation.recorder.process --control FD`.

Disposable: what it has not kept yet lies with the keeper.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import queue
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast, get_args

from engine.codec import CodecError
from engine.events import Bus, Event, SoundMeasured
from engine.events.snapshot import HealthSnapshot
from engine.installation.keeper.recording.messages import (
    COMMANDS,
    FROM_RECORDER,
    TO_RECORDER,
    EntriesFollow,
    EntriesKept,
    FromRecorder,
    JournalFailed,
    JournalOpened,
    OpenJournal,
    RecorderAsks,
    RecorderBeat,
    RecorderTells,
    SoundSent,
    Watch,
)
from engine.installation.recorder.guests import Guest, Host
from engine.installation.recorder.keeping import Keeping, recall_only
from engine.journal.entries import ENTRIES, EVENTS, HAPPENINGS, Decision, Happened, HeardUntil, Noted, SittingBegan
from engine.logs.log import log_to_parent
from engine.processes.child import LARGEST_MESSAGE
from engine.processes.leaving import leave
from engine.sabotage import allow_sabotage

log = logging.getLogger(__name__)

GATHER = 0.5
"""Seconds for which entries are gathered for one commit; what was heard ends the wait."""

SOON = 0.02
"""The same where something waits for the commit: what was heard, and the sound where it begins."""

BEGINNING = 10.0
"""Seconds after a sitting began in which its sound may begin."""

RETRY = 5.0
"""Seconds between two attempts at a disk that takes nothing."""

BEAT = 1.0
"""Seconds between two signs of life."""


def shipped_guests() -> Sequence[Guest]:
    """Who listens in an installation's recorder. Imported late: the music waits for the journal."""
    from engine.installation.recorder.listening import EarGuest

    return (EarGuest,)


_EVENTS = get_args(Event)


class RecorderProcess:
    """Keeps what it is told, and tells its guests.

    Args:
        connection: to the keeper.
        guests: gives those who listen here, once a journal is open.
    """

    def __init__(self, connection: Connection, guests: Callable[[], Sequence[Guest]] = shipped_guests) -> None:
        self._connection = connection
        self._guests: Callable[[], Sequence[Guest]] | None = guests
        self._lock = threading.Lock()
        self._inbox: queue.Queue[OpenJournal | EntriesFollow | Noted | None] = queue.Queue()
        self._order: OpenJournal | None = None
        self._keeping: Keeping | None = None
        self._batch: list[Noted] = []
        self._retry_at = 0.0
        self._begun_at = float("-inf")
        self._over = False
        self._ready = False
        self._bus = Bus()
        self._watched: queue.Queue[Watch | HealthSnapshot | SoundSent] = queue.Queue()
        self._playing = "", 0
        self._expected = False
        self._watch: Watch | None = None
        self._host = Host(
            self._bus,
            lambda command: self._say(RecorderAsks(COMMANDS.encode(command))),
            self._tell,
            lambda: self._playing,
            lambda: self._expected,
            lambda: self._watch,
        )

    def run(self) -> None:
        """Keep what comes, until the keeper is gone."""
        for name, target in (("keeper", self._listen), ("beat", self._beat), ("health", self._tell_health)):
            threading.Thread(target=target, name=name, daemon=True).start()
        while not self._over:
            self._gather()
            if self._order is not None and time.monotonic() >= self._retry_at:
                self._try()
        if self._keeping is not None:
            self._keeping.close()
        self._bus.close()

    def _gather(self) -> None:
        """Wait for something, and then for what belongs to it."""
        until = time.monotonic() + (GATHER if self._batch else BEAT)
        while (left := until - time.monotonic()) > 0:
            with suppress(queue.Empty):
                message = self._inbox.get(timeout=left)
                match message:
                    case None:
                        self._over = True
                        return
                    case OpenJournal():
                        self._order = message
                        return
                    case EntriesFollow():
                        self._ready = True
                    case Noted() if not self._ready:
                        pass  # it comes again
                    case Noted():
                        if not self._batch:
                            until = time.monotonic() + GATHER
                        self._batch.append(message)
                        entry = ENTRIES.decode(message.entry)
                        if isinstance(entry, SittingBegan):
                            self._begun_at = time.monotonic()
                        if isinstance(entry, HeardUntil) or time.monotonic() < self._begun_at + BEGINNING:
                            until = min(until, time.monotonic() + SOON)

    def _try(self) -> None:
        try:
            self._do()
        except (sqlite3.Error, OSError) as error:
            # Whatever is wrong may pass: a disk that was full, one that was mounted read-only.
            self._retry_at = time.monotonic() + RETRY
            order = self._order
            where = order.folder if order is not None else ""
            if self._keeping is not None:
                self._keeping.writer.close()
            recalled = recall_only(Path(where)) if self._keeping is None else None
            self._keeping, self._ready = None, False
            self._batch.clear()  # the keeper has it
            self._say(JournalFailed(f"the journal in {where} cannot be written: {error}", recalled))

    def _do(self) -> None:
        order = self._order
        assert order is not None
        if self._keeping is None:
            self._keeping = Keeping(Path(order.folder), order.base, order.keep)
            self._tell_opened(self._keeping)
            return
        batch, self._batch = self._batch, []
        if batch:
            if not self._keeping.take(batch):
                self._tell_opened(self._keeping)
                return
            self._say(EntriesKept(batch[-1].index))
            for noted in batch:
                self._publish(noted)
        if not self._keeping.look():
            self._tell_opened(self._keeping)

    def _tell_opened(self, keeping: Keeping) -> None:
        writer, self._ready = keeping.writer, False
        self._batch.clear()
        self._order = OpenJournal(str(keeping.path.parent), writer.base, self._order.keep if self._order else 0.0)
        self._say(JournalOpened(writer.base, writer.last, keeping.recalled, tuple(keeping.problems)))
        guests, self._guests = self._guests, None
        if guests is not None:
            threading.Thread(target=self._invite, args=(guests,), name="guests", daemon=True).start()

    def _invite(self, guests: Callable[[], Sequence[Guest]]) -> None:
        try:
            for guest in guests():
                guest(self._host)
        except Exception:
            log.exception("nobody listens; the journal goes on")

    def _publish(self, noted: Noted) -> None:
        entry = ENTRIES.decode(noted.entry)
        if isinstance(entry, Decision):
            if entry.scene:
                self._playing = entry.scene, entry.seed
            for data in entry.events:
                self._bus.publish(EVENTS.decode(data))
        elif isinstance(entry, Happened):
            value = HAPPENINGS.decode(entry.value)
            if isinstance(value, _EVENTS):
                self._bus.publish(cast("Event", value))

    def _listen(self) -> None:
        try:
            while True:
                message = TO_RECORDER.decode(self._connection.recv_bytes(LARGEST_MESSAGE))
                match message:  # health and sound wait for no disk
                    case Watch():
                        self._watch = message
                        self._watched.put(message)
                    case HealthSnapshot(expected=expected):
                        self._expected = expected
                        self._watched.put(message)
                    case SoundSent():
                        self._watched.put(message)
                    case SoundMeasured():
                        self._bus.publish(message)
                    case _:
                        self._inbox.put(message)
        except (EOFError, OSError, CodecError):
            self._inbox.put(None)

    def _tell_health(self) -> None:
        # Late: it imports what serves HTTP, and the journal comes first.
        from engine.installation.recorder.watching import Watching

        watching = Watching(self._bus, self._tell)
        while not self._over:
            try:
                message = self._watched.get(timeout=BEAT)
                match message:
                    case Watch():
                        watching.take(message)
                    case SoundSent(frames=frames):
                        watching.sent(frames)
                        continue
                    case HealthSnapshot():
                        watching.observe(message)
            except queue.Empty:
                pass
            except Exception:
                log.exception("health could not be told; the journal goes on")
            try:
                watching.look(self._size())
            except Exception:
                log.exception("nobody could be told; the journal goes on")
        watching.close()

    def _size(self) -> int:
        """Bytes of the journal."""
        keeping, found = self._keeping, 0
        if keeping is not None:
            for side in ("", "-wal"):
                with suppress(OSError):
                    found += Path(f"{keeping.path}{side}").stat().st_size
        return found

    def _beat(self) -> None:
        while not self._over:
            self._say(RecorderBeat())
            time.sleep(BEAT)

    def _tell(self, event: Event) -> None:
        self._say(RecorderTells(EVENTS.encode(event)))

    def _say(self, message: FromRecorder) -> None:
        with self._lock, suppress(OSError):  # one that is gone is seen by the reader
            self._connection.send_bytes(FROM_RECORDER.encode(message))


def main() -> int:
    """Run a recorder; gives the exit code."""
    parser = argparse.ArgumentParser(prog="engine.installation.recorder.process", description="Keeps the journal.")
    parser.add_argument("--control", type=int, required=True, help="descriptor of the socket to the keeper")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    allow_sabotage()
    log_to_parent()
    RecorderProcess(Connection(options.control)).run()
    return 0


if __name__ == "__main__":
    leave(main())
