# pyright: strict
"""The recorder's place: a child that may be away, slow or stuck without anybody waiting for it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from engine.events import Event, SoundMeasured
from engine.events.snapshot import HealthSnapshot
from engine.installation.keeper.recording.backlog import Backlog
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
    ToRecorder,
    Watch,
)
from engine.journal.entries import EVENTS, HAPPENINGS, Entry, Happened, HappeningValue, TurnBegan
from engine.journal.recalled import Recalled
from engine.processes.child import Child, Gone, OomScore, python_module
from engine.processes.reports import Cause, Reporter, log_report
from engine.processes.supervision import Limits, Supervision
from engine.runtime.performance.commands import Command

log = logging.getLogger(__name__)

LIMITS = Limits(restarts=6, period=60.0, first_delay=0.2, longest_delay=10.0, away=1.5, memory=300_000_000)
"""What a recorder may do. `away`: while nothing sounds, the keeper looks seldom."""

START_PATIENCE = 30.0
"""Seconds until the first sign of life."""

PATIENCE = 6.0
"""Seconds without one, later. A disk that stalls is no reason: signs come from a thread that waits for none."""

BEHIND = 5.0
"""Seconds for which an entry may wait: less than what is decided ahead of the sound."""

RECALL_PATIENCE = 4.0
"""Seconds for which the sound waits at the start to know where the music stood, from the recorder's first sign of life
on: a disk that stalls costs no more. Until then it loads its code, which takes as long as the machine is slow."""

RECALL_LOSSES = 2
"""Recorders in a row that may be lost meanwhile."""

JOURNAL = "journal"
"""The rung that is lost while nothing is kept. It costs no sound."""

RecorderChild = Child[ToRecorder, FromRecorder]


def nobody(command: Command) -> None:
    """Where nobody does what a recorder asks."""


class RecorderPlace:
    """Has what happens kept in a journal. Any thread may call `note` and `measured`; one thread calls all else.

    Args:
        report: told what is found out about the recorder's process.
        command: what a recorder runs; for tests.
        clock: gives seconds.

    Attributes:
        made: gives the frames of sound that were made by now.
        ask: does what whoever listens in the recorder asks.
        found: told what these found.
        kept_at: seconds since 1970 at which something was last committed, or at which it began.
    """

    def __init__(
        self,
        report: Reporter = log_report,
        command: Sequence[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.made: Callable[[], int] = lambda: 0
        self.ask: Callable[[Command], None] = nobody
        self.found: Callable[[Event], None] = self.happened
        self.report = report
        self.kept_at = time.time()
        self._watch: Watch | None = None
        self.backlog = Backlog(clock)
        self._command = list(command) if command is not None else python_module("engine.installation.recorder.process")
        self._clock = clock
        self._arrivals: queue.Queue[tuple[RecorderChild, FromRecorder | Gone]] = queue.Queue()
        self._supervision = Supervision("recorder", LIMITS, lambda found: self.report(found), clock)
        self._child: RecorderChild | None = None
        self._restart_at = float("inf")
        self._folder: tuple[Path, float] | None = None
        self._base = 0
        self._open = self._works = False
        self._answered = False
        self._alive_at: float | None = None
        self._recalled: Recalled | None = None
        self._problem = ""
        self._start()

    @property
    def pid(self) -> int | None:
        """Process id of the recorder; None while there is none."""
        return self._child.process.pid if self._child is not None else None

    @property
    def lost(self) -> dict[str, str]:
        """The rung, and why, while what happens is not kept."""
        behind = self.backlog.behind()
        if self._folder is None or behind < BEHIND:
            return {}
        why = self._problem or ("there is no recorder" if self._child is None else "the recorder is slow")
        return {JOURNAL: f"{why}; nothing has been kept for {behind:.0f} s, and what waits for more than 60 s is lost"}

    def open(self, folder: Path, keep: float) -> None:
        """Let the journal of a state folder be opened.

        Args:
            folder: locked.
            keep: seconds for which all is kept.
        """
        self._folder = folder, keep
        self._send_order()

    def watch(self, watch: Watch) -> None:
        """Let an installation be watched as its file says."""
        self._watch = watch
        if self._child is not None:
            self._child.send(watch)

    def show(self, snapshot: HealthSnapshot) -> None:
        """Say how the installation is; nobody waits for it, and one that is missed is missed."""
        if self._child is not None and self._works:
            self._child.send(snapshot)

    def sent(self, frames: bytes) -> None:
        """Pass on what leaves for the output; from any thread, and nobody waits for it."""
        child = self._child
        if child is not None and self._works:
            child.send(SoundSent(frames))

    def measured(self, second: SoundMeasured) -> None:
        """Tell how a second of sound measured; nobody waits for it, and one that is missed is missed."""
        child = self._child
        if child is not None and self._works:
            child.send(second)

    def recalled(self, timeout: float = RECALL_PATIENCE) -> Recalled | None:
        """Where the music stood; waits until the journal is opened, but for no recorder that cannot do that.

        Args:
            timeout: seconds from its first sign of life on; until that, `START_PATIENCE`.
        """
        began = self._clock()
        while not self._answered and self._supervision.restarts.failures < RECALL_LOSSES:
            alive = self._alive_at
            if self._clock() > (began + START_PATIENCE if alive is None else max(began, alive) + timeout):
                break
            self.look(0.1)
        if not self._answered:
            log.error("the journal was not opened within %.0f s; the music begins anew", self._clock() - began)
        return self._recalled

    def note(self, entry: Entry) -> None:
        """Have an entry kept; returns at once."""
        self.backlog.note(entry, self.made())

    def kept(self) -> Callable[[], bool]:
        """What says whether all is kept that was noted until now; or nothing can be."""
        index = self.backlog.index
        return lambda: not self._open or self.backlog.has(index)

    def happened(self, value: HappeningValue) -> None:
        """Have a happening kept."""
        self.note(Happened(HAPPENINGS.encode(value)))

    def turn(self, turn: TurnBegan) -> None:
        """Have a turn kept."""
        self.backlog.note_turn(turn, self.made())

    def look(self, timeout: float = 0.0) -> None:
        """Take in what has come, and send what waits."""
        with suppress(queue.Empty):
            child, message = self._arrivals.get(timeout=timeout) if timeout > 0 else self._arrivals.get_nowait()
            while True:
                self._take(child, message)
                child, message = self._arrivals.get_nowait()
        if self._child is None:
            if self._clock() >= self._restart_at:
                self._start()
            return
        finding = self._supervision.check(self._child.process.pid, PATIENCE if self._works else START_PATIENCE)
        if finding is not None:
            self._replace(self._child, finding.cause, finding.reason)
        elif self._open:
            for noted in self.backlog.due():
                self._child.send(noted)

    def close(self, timeout: float = 2.0) -> None:
        """Let what waits be kept, for `timeout` seconds at most, then end the recorder."""
        until = self._clock() + timeout
        while self._open and len(self.backlog) and self._child is not None and self._clock() < until:
            self.look(0.05)
        child, self._child, self._restart_at = self._child, None, float("inf")
        self._open = False
        if child is not None:
            _discard(child, 1.0)

    # The child

    def _start(self) -> None:
        self._open = self._works = False
        self._alive_at = None
        try:
            self._child = Child(
                "recorder",
                self._command,
                TO_RECORDER,
                FROM_RECORDER,
                lambda child, message: self._arrivals.put((child, message)),
                OomScore.RECORDER,
            )
        except OSError as error:
            self._mark_lost(Cause.DIED, f"it cannot be started: {error}")
            return
        self._restart_at = float("inf")
        self._supervision.began()
        self._send_order()

    def _send_order(self) -> None:
        if self._child is not None and self._folder is not None:
            folder, keep = self._folder
            self._child.send(OpenJournal(str(folder), self._base, keep))
        if self._child is not None and self._watch is not None:
            self._child.send(self._watch)

    def _take(self, child: RecorderChild, message: FromRecorder | Gone) -> None:
        if child is not self._child:
            return
        if not isinstance(message, Gone):
            self._supervision.watchdog.feed()
            self._alive_at = self._alive_at or self._clock()
        match message:
            case Gone(reason=reason, by_itself=by_itself):
                self._replace(child, Cause.DIED if by_itself else Cause.BROKE_PROTOCOL, reason)
            case JournalOpened():
                self._opened(child, message)
            case JournalFailed(reason=reason, recalled=recalled):
                if reason != self._problem:
                    log.error("%s; the music goes on, and nothing of it is kept", reason)
                self._problem, self._open = reason, False
                self._answer(recalled)
            case EntriesKept(index=index):
                self._problem = ""
                self.kept_at = time.time()
                self.backlog.kept(index)
                self._supervision.works()
            case RecorderBeat():
                pass
            case RecorderAsks(command=command):
                self.ask(COMMANDS.decode(command))
            case RecorderTells(event=event):
                self.found(EVENTS.decode(event))

    def _opened(self, child: RecorderChild, opened: JournalOpened) -> None:
        for problem in opened.problems:
            log.error("%s", problem)
        self._base, self._problem, self._open = opened.base, "", True
        self._answer(opened.recalled)
        child.send(EntriesFollow())
        for noted in self.backlog.opened(opened.last):
            child.send(noted)
        if not self._works:
            self._works = True
            self._supervision.started()

    def _answer(self, recalled: Recalled | None) -> None:
        if not self._answered:
            self._answered, self._recalled = True, recalled

    def _replace(self, child: RecorderChild, cause: Cause, reason: str) -> None:
        self._child = None
        # One that waits for its disk cannot even be killed at once.
        threading.Thread(target=_discard, args=(child, 0.0), name="recorder's end", daemon=True).start()
        self._mark_lost(cause, child.explained(reason, child.process.poll() if cause is Cause.DIED else None))

    def _mark_lost(self, cause: Cause, reason: str) -> None:
        retry_in = self._supervision.lost(reason, worked=self._works, cause=cause)
        self._open = self._works = False
        self._restart_at = float("inf") if retry_in is None else self._clock() + retry_in


def _discard(child: RecorderChild, patience: float) -> None:
    if patience > 0:
        child.close(patience)
    else:
        child.kill()
