# pyright: strict
"""The place of the steering's process: a child that may be away, slow or stuck without anybody waiting for it.

It is a process of its own, and none of the recorder's threads: what strangers send is taken apart in it, over a TLS
library, beside files that it checks and writes. Whatever becomes of it costs neither sound nor records.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from engine.errors import PerpetuumError
from engine.events.snapshot import HealthSnapshot
from engine.installation.installation import Installation
from engine.installation.keeper.steering.messages import (
    FROM_STEERING,
    TO_STEERING,
    AskAnswered,
    FromSteering,
    Steer,
    SteeringAsks,
    SteeringBeat,
    SteeringReach,
    ToSteering,
)
from engine.processes.child import Child, Gone, OomScore, python_module
from engine.processes.reports import Cause, Reporter, log_report
from engine.processes.supervision import Limits, Supervision

log = logging.getLogger(__name__)

LIMITS = Limits(restarts=6, period=60.0, first_delay=1.0, longest_delay=60.0, away=1.5, memory=150_000_000)
"""What it may do. `away`: while nothing sounds, the keeper looks seldom."""

START_PATIENCE = 60.0
"""Seconds until the first sign of life: it has time, and the music comes first."""

PATIENCE = 20.0
"""Seconds without one, later."""

MOST_ANSWERS = 256
"""Answers that are remembered, so that a process that was lost in between has nothing done twice."""

SteeringChild = Child[ToSteering, FromSteering]
Told = SteeringBeat | SteeringReach | Gone


class SteeringPlace:
    """Has an installation steered as its file says. One thread calls all of it.

    Args:
        folder: of the state.
        answer: gives the answer to a line that somebody asks; called in a thread of the child's.
        report: told what is found out about the process.
        command: what it runs; for tests.
        clock: gives seconds.
    """

    def __init__(
        self,
        folder: Path,
        answer: Callable[[str, str], str],
        report: Reporter = log_report,
        command: Sequence[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.report = report
        self._folder = folder
        self._answer = answer
        self._command = list(command) if command is not None else python_module("engine.installation.steered.process")
        self._clock = clock
        self._order: Steer | None = None
        self._arrivals: queue.SimpleQueue[tuple[SteeringChild, Told]] = queue.SimpleQueue()
        self._supervision = Supervision("steering", LIMITS, lambda found: self.report(found), clock)
        self._child: SteeringChild | None = None
        self._restart_at = float("inf")
        self._works = False
        self._lock = threading.Lock()
        self._answers: dict[str, AskAnswered] = {}

    @property
    def pid(self) -> int | None:
        """Process id; None while there is none."""
        return self._child.process.pid if self._child is not None else None

    def take(self, installation: Installation) -> None:
        """Steer as an installation file says, from now on; where it says nothing, there is no process."""
        choice = installation.steering
        order = Steer(choice, installation, str(self._folder)) if choice is not None else None
        if order == self._order:
            return
        self._order = order
        if order is None:
            # Its good-bye takes a second, or two where it is stopped; the music is looked after meanwhile.
            child = self._let_go()
            if child is not None:
                threading.Thread(target=child.close, name="steering's end", daemon=True).start()
        elif self._child is not None:
            self._child.send(order)
        else:
            self._start()

    def show(self, snapshot: HealthSnapshot) -> None:
        """Say how the installation is; nobody waits for it, and one that is missed is missed."""
        if self._child is not None and self._works:
            self._child.send(snapshot)

    def look(self) -> None:
        """See to it that there is a process, where there is to be one."""
        with suppress(queue.Empty):
            while True:
                child, message = self._arrivals.get_nowait()
                if child is self._child:
                    self._take(child, message)
        if self._child is None:
            if self._order is not None and self._clock() >= self._restart_at:
                self._start()
            return
        finding = self._supervision.check(self._child.process.pid, PATIENCE if self._works else START_PATIENCE)
        if finding is not None:
            self._replace(self._child, finding.cause, finding.reason)

    def close(self, patience: float = 2.0) -> None:
        """End the process, which says good-bye for `patience` seconds at most."""
        child = self._let_go()
        if child is not None:
            child.close(patience)

    def _let_go(self) -> SteeringChild | None:
        child, self._child, self._restart_at, self._works = self._child, None, float("inf"), False
        return child

    def _start(self) -> None:
        order = self._order
        assert order is not None
        self._works = False
        try:
            child: SteeringChild = Child(
                "steering", self._command, TO_STEERING, FROM_STEERING, self._deliver, OomScore.BACKGROUND
            )
        except OSError as error:
            self._mark_lost(Cause.DIED, f"it cannot be started: {error}")
            return
        self._child, self._restart_at = child, float("inf")
        self._supervision.began()
        child.send(order)

    def _deliver(self, child: SteeringChild, message: FromSteering | Gone) -> None:
        """In the child's own thread, so that what takes as long as a disk does keeps nobody else."""
        if isinstance(message, SteeringAsks):
            child.send(self._answered(message))
        else:
            self._arrivals.put((child, message))

    def _answered(self, asks: SteeringAsks) -> AskAnswered:
        with self._lock:  # one after the other, also where two processes ask
            known = self._answers.get(asks.id)
            if known is not None:
                return known
            try:
                answer = AskAnswered(asks.id, True, self._answer(asks.line, asks.who))
            except PerpetuumError as error:
                answer = AskAnswered(asks.id, False, str(error))
            except Exception as error:  # whoever asks must not end whoever answers
                log.exception("what was asked from afar failed: %r", asks.line)
                answer = AskAnswered(asks.id, False, repr(error))
            self._answers[asks.id] = answer
            if len(self._answers) > MOST_ANSWERS:
                del self._answers[next(iter(self._answers))]
            return answer

    def _take(self, child: SteeringChild, message: Told) -> None:
        match message:
            case Gone(reason=reason, by_itself=by_itself):
                self._replace(child, Cause.DIED if by_itself else Cause.BROKE_PROTOCOL, reason)
            case SteeringReach(reached=True, text=text):
                log.warning("it can be steered from afar: %s", text)
            case SteeringReach(text=text):
                log.warning("it cannot be steered from afar, and plays on: %s", text)
            case SteeringBeat():
                self._supervision.watchdog.feed()
                self._supervision.works()
                if not self._works:
                    self._works = True
                    self._supervision.started()

    def _replace(self, child: SteeringChild, cause: Cause, reason: str) -> None:
        self._child = None
        threading.Thread(target=child.kill, name="steering's end", daemon=True).start()
        self._mark_lost(cause, child.explained(reason, child.process.poll() if cause is Cause.DIED else None))

    def _mark_lost(self, cause: Cause, reason: str) -> None:
        retry_in = self._supervision.lost(reason, worked=self._works, cause=cause)
        self._works = False
        self._restart_at = float("inf") if retry_in is None else self._clock() + retry_in
