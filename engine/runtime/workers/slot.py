# pyright: strict
"""One worker's place: the process that works there now, the jobs that it has, and how it is replaced."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from engine.codec import CodecError
from engine.conductor.makers.contract import Job, Reply
from engine.generators.contract import Settings
from engine.processes.child import Child, Gone, OomScore
from engine.processes.reports import Cause
from engine.processes.supervision import Finding, Supervision
from engine.runtime.workers.messages import (
    FROM_WORKER,
    TO_WORKER,
    Cancel,
    FromWorker,
    Load,
    Loaded,
    Loading,
    Started,
    ToWorker,
)

THREADS = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
"""Environment of a worker where ours says nothing: one thread, because small networks gain nothing from more. Plug-ins
may compute with TensorFlow."""

URGENT = 1.25
"""Times the memory budget at which a worker is replaced even if it has jobs."""


WorkerChild = Child[ToWorker, FromWorker]


class WorkerState(StrEnum):
    """What a worker is doing."""

    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    DEAD = "dead"  # and about to be started again
    CLOSED = "closed"


@dataclass
class Status:
    """A worker, for people and metrics.

    Attributes:
        name: "worker 1".
        state: what it is doing.
        loading: kind of the generator that is being built; empty if none is.
        loaded: how many generators are built.
        to_load: how many there are to build.
        problems: kinds of generators that did not load, and why.
        seconds_to_load: what the last loading took.
    """

    name: str
    state: WorkerState = WorkerState.STARTING
    loading: str = ""
    loaded: int = 0
    to_load: int = 0
    problems: dict[str, str] = field(default_factory=dict[str, str])
    seconds_to_load: float = 0.0


class WorkerSlot:
    """Has one worker do jobs; one that dies, hangs, leaks or breaks the protocol is replaced, and its jobs have failed.

    Not thread-safe.

    Args:
        supervision: of the worker; its name is the worker's.
        command: what a worker runs.
        deliver: called with (child, message) in the reader's thread of a worker.
        reply: told what came of each job.
        patience: seconds for a job.
        loading_patience: seconds without a sign while starting or building a generator.
        clock: gives seconds.
    """

    def __init__(
        self,
        supervision: Supervision,
        command: Sequence[str],
        deliver: Callable[[WorkerChild, FromWorker | Gone], None],
        reply: Callable[[Reply], None],
        patience: float,
        loading_patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.status = Status(supervision.process)
        self.child: WorkerChild | None = None
        self._supervision = supervision
        self._command = command
        self._deliver = deliver
        self._reply = reply
        self._patience = patience
        self._loading_patience = loading_patience
        self._clock = clock
        self._generators: tuple[tuple[str, Settings], ...] = ()
        self._unsendable: dict[str, str] = {}  # kinds whose settings cannot travel, and why
        self._jobs: dict[int, Job] = {}
        self._cancelled: set[int] = set()
        self._loads = 0  # that it was told to do and has not reported
        self._restart_at = 0.0

    # What it is told

    def load(self, generators: tuple[tuple[str, Settings], ...]) -> None:
        """Build these, now and in every worker that comes after."""
        self._unsendable.clear()
        self._generators = tuple(one for one in generators if self._can_travel(one))
        if self.child is not None:
            self._tell_to_load(self.child)

    def submit(self, job: Job) -> None:
        """Take a job."""
        if self.child is None:
            self._reply(failed(job, f"{self.status.name} is {self.status.state}"))
            return
        try:
            self.child.send(job)
        except CodecError as error:  # a plug-in's settings that cannot travel
            self._reply(failed(job, f"it cannot be sent to a worker: {error}"))
            return
        if not self._busy:
            self._supervision.watchdog.feed()
        self._jobs[job.ticket] = job

    def cancel(self, tickets: Sequence[int]) -> None:
        """Nobody waits for these any more."""
        dropped = [ticket for ticket in tickets if self._jobs.pop(ticket, None) is not None]
        if dropped and self.child is not None:
            self._cancelled.update(dropped)
            self.child.send(Cancel(tuple(dropped)))

    def close(self) -> None:
        """End the worker; jobs that are out come back as failed."""
        child, self.child = self.child, None
        self.status.state = WorkerState.CLOSED
        self._fail_all("the engine is stopping")
        if child is not None:
            # Nothing is lost by it: a worker has no state, and a network in its midst may take seconds to end.
            child.kill()

    # Supervision

    def start(self) -> None:
        """Start a worker, and have it load."""
        self.status.state = WorkerState.STARTING
        self._loads = 0
        try:
            child = Child(
                self.status.name,
                self._command,
                TO_WORKER,
                FROM_WORKER,
                self._deliver,
                OomScore.WORKER,
                extra_env=THREADS,
            )
        except OSError as error:
            self._mark_dead(Cause.DIED, f"it cannot be started: {error}")
            return
        self.child = child
        self._supervision.began()
        self._tell_to_load(child)

    def look(self) -> None:
        """Start one if there is none and it is time; replace one that hangs or uses too much memory."""
        if self.child is None:
            if self.status.state is WorkerState.DEAD and self._clock() >= self._restart_at:
                self.start()
            return
        finding = self._supervision.check(self.child.process.pid, self._limit if self._busy else None)
        if finding is not None and not self._may_finish(finding):
            self._replace(self.child, finding.cause, finding.reason)

    @property
    def worn(self) -> str:
        """Why it should be replaced where nobody hears it; empty: it need not be."""
        child = self.child
        worn = self._supervision.worn(child.process.pid) if child is not None else ""
        return f"{self.status.name}: {worn}" if worn else ""

    @property
    def next_look(self) -> float:
        """Seconds until one is to be started again or may turn out to hang."""
        if self.child is None:
            return self._restart_at - self._clock()
        return self._supervision.watchdog.due(self._limit)

    @property
    def _busy(self) -> bool:
        # A cancelled job counts until the worker answers: it may be the one that hangs.
        return bool(self._jobs or self._cancelled) or self.status.state is not WorkerState.READY

    @property
    def _limit(self) -> float:
        return self._patience if self.status.state is WorkerState.READY else self._loading_patience

    def _may_finish(self, finding: Finding) -> bool:
        """Whether a worker that uses too much memory may do its jobs first."""
        urgent = finding.used >= URGENT * (self._supervision.memory.budget or 0)
        return finding.cause is Cause.OVER_BUDGET and self._busy and not urgent

    def _tell_to_load(self, child: WorkerChild) -> None:
        self.status.to_load = len(self._generators)
        self.status.state = WorkerState.STARTING if self.status.state is WorkerState.STARTING else WorkerState.LOADING
        self._supervision.watchdog.feed()
        child.send(Load(self._generators))
        self._loads += 1

    def _can_travel(self, generator: tuple[str, Settings]) -> bool:
        try:
            TO_WORKER.encode(Load((generator,)))
        except CodecError as error:  # of a plug-in; the others are not to wait for it
            self._unsendable[generator[0]] = str(error)
            return False
        return True

    def _replace(self, child: WorkerChild, cause: Cause, reason: str) -> None:
        self.child = None
        # One that ended may need a moment to leave its exit status; one that only closed its socket gets no more.
        status = child.close(0.2) if cause is Cause.DIED else child.kill()
        self._mark_dead(cause, child.explained(reason, status if cause is Cause.DIED else None))

    def _mark_dead(self, cause: Cause, reason: str) -> None:
        self.status.state, self.status.loading = WorkerState.DEAD, ""
        retry_in = self._supervision.lost(reason, worked=False, cause=cause)
        self._restart_at = float("inf") if retry_in is None else self._clock() + retry_in
        self._fail_all(f"{self.status.name}: {reason}")
        self._cancelled.clear()

    def _fail_all(self, reason: str) -> None:
        for job in self._jobs.values():
            self._reply(failed(job, reason))
        self._jobs.clear()

    # What comes in

    def take(self, message: FromWorker | Gone) -> None:
        """Take what the worker said."""
        child, status = self.child, self.status
        if child is None:
            return
        self._supervision.watchdog.feed()
        match message:
            case Reply():
                self._take_reply(child, message)
            case Started():
                pass
            case Loading(kind=kind, done=done, total=total):
                status.state, status.loading, status.loaded, status.to_load = WorkerState.LOADING, kind, done, total
            case Loaded():
                self._take_loaded(message)
            case Gone(reason=reason, by_itself=by_itself):
                self._replace(child, Cause.DIED if by_itself else Cause.BROKE_PROTOCOL, reason)
            case _:
                assert_never(message)

    def _take_loaded(self, loaded: Loaded) -> None:
        self._loads -= 1
        if self._loads:
            return  # it goes on with what it was told later
        status, first = self.status, self.status.state is not WorkerState.READY
        status.seconds_to_load, status.problems = loaded.seconds, {**self._unsendable, **dict(loaded.problems)}
        status.state, status.loading, status.loaded = WorkerState.READY, "", status.to_load
        if first:
            self._supervision.started()

    def _take_reply(self, child: WorkerChild, reply: Reply) -> None:
        job = self._jobs.pop(reply.ticket, None)
        if job is None:
            if reply.ticket in self._cancelled:
                self._cancelled.discard(reply.ticket)
            else:
                reason = f"it answered a job that it did not have (ticket {reply.ticket})"
                self._replace(child, Cause.BROKE_PROTOCOL, reason)
            return
        if reply.problem or reply.raw is None or reply.phrase is None:
            self._reply(failed(job, reply.problem or "it came back empty", reply.seconds))
            return
        self._supervision.works()
        self._reply(reply)


def failed(job: Job, problem: str, seconds: float = 0.0) -> Reply:
    """A reply that says why there is no phrase."""
    return Reply(job.ticket, None, None, problem, seconds)
