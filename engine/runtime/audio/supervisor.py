# pyright: strict
"""The thread that watches the audio processes: it takes what they say, and looks whether the sound goes on."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from engine.processes.child import Gone
from engine.processes.pipe import Pipe
from engine.runtime.audio.change import SceneChanges
from engine.runtime.audio.failover.spare import Spare
from engine.runtime.audio.failover.takeover import PREROLL
from engine.runtime.audio.inbox import Inbox
from engine.runtime.audio.primary import Primary
from engine.runtime.audio.processes import AudioChild
from engine.runtime.audio.reports import AudioReport, AudioReporter
from engine.runtime.threads import SteadyThread
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import FromSound, LevelReading, Pong, Ready, TakenLate, Trouble

log = logging.getLogger(__name__)

TICK = 0.05
"""Seconds between two looks at whether the sound goes on."""

STEP = 0.002
"""Seconds between two looks while sound is thrown away, so that no process waits for it."""

TAKEN_BACK = SAMPLE_RATE * 3
"""Frames that may be taken back: what the pipe holds."""

PRUNE = 1.0
"""Seconds between two moments at which what is over is forgotten."""


class Reports:
    """Passes reports on outside of any lock, in the order in which they came.

    Args:
        report: told each; may raise, which is logged.
    """

    def __init__(self, report: AudioReporter) -> None:
        self._report = report
        self._waiting: queue.Queue[AudioReport] = queue.Queue()

    def put(self, report: AudioReport) -> None:
        """Have one passed on."""
        self._waiting.put(report)

    def pass_on(self) -> None:
        """Pass on what waits; never raises."""
        with suppress(queue.Empty):
            while True:
                report = self._waiting.get_nowait()
                try:
                    self._report(report)
                except Exception:
                    log.exception("a report on the sound cannot be told; the music goes on")


class Supervisor:
    """Watches in a thread of its own, so that a busy conductor cannot delay a replacement.

    Args:
        lock: held whenever one of the others is used.
        pipe: what the processes write to.
        primary: the process that is heard.
        spare: the one that waits.
        changes: of scene.
        inbox: for what comes back.
        reports: what is found out.
        live: whether a spare is kept.
        look: called at each look, with the lock held.
        clock: gives seconds.
    """

    def __init__(
        self,
        lock: threading.RLock,
        pipe: Pipe,
        primary: Primary,
        spare: Spare,
        changes: SceneChanges,
        inbox: Inbox,
        reports: Reports,
        live: bool,
        look: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = lock
        self._pipe = pipe
        self._primary = primary
        self._spare = spare
        self._changes = changes
        self._inbox = inbox
        self._reports = reports
        self._live = live
        self._also_look = look
        self._clock = clock
        self._prune_at = 0.0
        self._events: queue.Queue[tuple[AudioChild, FromSound | Gone] | None] = queue.Queue()
        self._stop = threading.Event()
        self._thread = SteadyThread(self._run, "audio supervisor")

    @property
    def started(self) -> bool:
        """Whether it watches, or has watched."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End the watch. Must not be called with the lock held."""
        self._stop.set()
        self._events.put(None)
        if self.started:
            self._thread.join()

    def deliver(self, child: AudioChild, message: FromSound | Gone) -> None:
        """Hand over what a process said."""
        self._events.put((child, message))

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                # What is to be skipped is thrown away in small steps, so that no process waits for it.
                busy = self._pipe.skip() or self._primary.racing is not None
                event = None
                with suppress(queue.Empty):
                    event = self._events.get(timeout=STEP if busy else TICK)
                with self._lock:
                    if not self._primary.over:
                        if event is not None:
                            self._take(*event)
                        self._look()
            except Exception:  # the sound goes on, whatever it is
                log.exception("the supervision of the sound failed and goes on")
                time.sleep(TICK)
            self._reports.pass_on()

    def _look(self) -> None:
        if self._primary.over:
            return
        self._primary.look()
        self._changes.look()
        self._changes.look_at_outgoing(self._pipe.overlaps)
        if self._live and self._primary.racing is None:  # until somebody plays, processors are left to the candidates
            self._spare.look()
        self._also_look()
        if self._clock() > self._prune_at:
            self._prune_at = self._clock() + PRUNE
            self._primary.memory.prune(self._primary.frame - PREROLL - TAKEN_BACK)

    def _take(self, child: AudioChild, message: FromSound | Gone) -> None:
        match message:
            case Gone(reason=reason):
                self._gone(child, reason)
            case Pong():
                self._spare.answered(child)
            case LevelReading() if child is self._primary.child:
                self._inbox.put(message)
                self._primary.measured(message)
            case Ready() if child is self._primary.child:
                self._primary.plays(message)
            case Ready():
                if self._primary.racing is not None:
                    self._primary.racing.built(child)
                if self._changes.current is not None:
                    self._changes.current.candidates.built(child)
            case TakenLate():
                self._took_late(child, message)
            case Trouble():
                self._inbox.trouble(message)
            case _:
                pass

    def _took_late(self, child: AudioChild, taken: TakenLate) -> None:
        racing, change = self._primary.racing, self._changes.current
        if child is self._primary.child:
            self._primary.took_late(taken)
        for candidates in (racing, change.candidates if change is not None else None):
            if candidates is not None:
                candidates.took_late(child, taken)

    def _gone(self, child: AudioChild, reason: str) -> None:
        self._primary.look_for_winner()  # it may have come to the place before it ended
        racing, change = self._primary.racing, self._changes.current
        if child is self._primary.child:
            end = self._primary.ended(child, reason)
            if not self._changes.take_turn(end):
                self._primary.bury(end, followed=change is not None)
        elif self._spare.gone(child):
            pass
        elif child is self._changes.outgoing:
            self._changes.outgoing_gone()
        elif racing is not None and child in racing.children:
            self._primary.candidate_gone(racing, child, reason)
        elif change is not None and child in change.candidates.children:
            self._changes.candidate_gone(change, child)
