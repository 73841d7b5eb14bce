"""The generator workers seen from the conductor: jobs go out, replies come back, and whoever fails is replaced.

`Workers` is a rung of the conductor's ladder. Nothing here waits for a worker: messages queue, and a job whose worker
is dead, hung or babbling comes back at once as a failed reply, for which the ladder has rules.
"""

from __future__ import annotations

import itertools
import logging
import queue
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from engine.conductor.contract import Job, Reply, SlowRung
from engine.errors import PerpetuumError
from engine.generators.contract import Settings
from engine.generators.playable import validated
from engine.processes.backoff import Backoff
from engine.processes.child import Child, Gone, exit_text, python_module
from engine.runtime.messages import Cancel, Load, Loaded, Loading, Started
from engine.score.phrase import Phrase

log = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds that a job may take before its worker counts as hung."""

LOADING_PATIENCE = 120.0
"""Seconds without a sign while a worker starts, or builds one generator (a big network from a slow card takes long)."""

THREADS = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
"""Environment of a worker where ours says nothing: one thread, because small networks gain nothing from more. Plug-ins
may compute with TensorFlow."""


class State(StrEnum):
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
    state: State = State.STARTING
    loading: str = ""
    loaded: int = 0
    to_load: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    seconds_to_load: float = 0.0


class _Desk:
    """One worker's place: the process that sits there now, and the jobs that it has."""

    def __init__(self, name: str) -> None:
        self.status = Status(name)
        self.child: Child | None = None
        self.jobs: dict[int, Job] = {}
        self.cancelled: set[int] = set()
        self.loads = 0  # that it was told to do and has not reported
        self.sign_of_life = 0.0
        self.restart_at = 0.0
        self.backoff = Backoff()


class Workers(SlowRung):
    """Starts workers, shares jobs out, and replaces a worker that dies, hangs or babbles.

    All parts of a scene may use one worker; with more, each part keeps to one of them, so that its jobs stay in
    order. Not thread-safe: one thread submits and polls.

    Args:
        count: number of workers.
        load: generators to build at the start, pairs of kind and settings; `load` may be called later, too.
        patience: seconds for a job.
        loading_patience: seconds without a sign while starting or building a generator.
        command: what a worker runs; for tests.
    """

    name = "networks"

    def __init__(
        self,
        count: int = 1,
        load: Sequence[tuple[str, Settings]] = (),
        patience: float = PATIENCE,
        loading_patience: float = LOADING_PATIENCE,
        command: Sequence[str] | None = None,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._patience = patience
        self._loading_patience = loading_patience
        self._command = list(command) if command is not None else python_module("engine.runtime.worker")
        self._arrivals: queue.SimpleQueue[tuple[Child, object]] = queue.SimpleQueue()
        self._replies: deque[Reply] = deque()
        self._generators = tuple(load)
        self._desks = [_Desk(f"worker {number + 1}") for number in range(max(1, count))]
        self._desk_of_part: dict[str, _Desk] = {}
        self._next_desk = itertools.cycle(self._desks)
        self._closed = False
        for desk in self._desks:
            self._start(desk)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def statuses(self) -> list[Status]:
        """How each worker is."""
        return [desk.status for desk in self._desks]

    @property
    def ready(self) -> bool:
        """Whether every worker has built what it was told to (or reported why it cannot)."""
        return all(desk.status.state is State.READY for desk in self._desks)

    def load(self, generators: Sequence[tuple[str, Settings]]) -> None:
        """Build these from now on (a scene was reloaded); what is built already is kept."""
        self._generators = tuple(generators)
        for desk in self._desks:
            if desk.child is not None:
                self._tell_to_load(desk)

    # SlowRung

    def takes(self, job: Job) -> bool:
        """What needs a network."""
        return job.network

    def submit(self, job: Job) -> None:
        """Take a job."""
        desk = self._desk_of_part.setdefault(job.request.part, next(self._next_desk))
        if self._closed or desk.child is None:
            self._replies.append(_failed(job, f"{desk.status.name} is {desk.status.state}"))
            return
        try:
            desk.child.send(job)
        except Exception as error:  # a plug-in's settings that cannot be pickled
            self._replies.append(_failed(job, f"it cannot be sent to a worker: {error!r}"))
            return
        if not self._is_busy(desk):
            desk.sign_of_life = time.monotonic()
        desk.jobs[job.ticket] = job
        self.counters["jobs"] += 1

    def poll(self, timeout: float) -> Sequence[Reply]:
        """Replies that have come in; waits up to `timeout` seconds for the first one."""
        until = time.monotonic() + timeout
        while True:
            self._take_arrivals(0.0)
            self._supervise()
            now = time.monotonic()
            if self._replies or now >= until:
                break
            self._take_arrivals(min(until - now, self._next_look(now)))
        replies = list(self._replies)
        self._replies.clear()
        return replies

    def cancel(self, tickets: Sequence[int]) -> None:
        """Nobody waits for these any more."""
        for desk in self._desks:
            dropped = [ticket for ticket in tickets if desk.jobs.pop(ticket, None) is not None]
            if dropped and desk.child is not None:
                desk.cancelled.update(dropped)
                desk.child.send(Cancel(tuple(dropped)))

    def close(self) -> None:
        """End all workers; jobs that are out come back as failed."""
        self._closed = True
        for desk in self._desks:
            self._fail_all(desk, "the engine is stopping")
            if desk.child is not None:
                # Nothing is lost by it: a worker has no state, and a network in its midst may take seconds to end.
                desk.child.kill()
                desk.child = None
            desk.status.state = State.CLOSED

    # What comes in

    def _take_arrivals(self, timeout: float) -> None:
        try:
            child, message = self._arrivals.get(timeout=timeout) if timeout > 0 else self._arrivals.get_nowait()
            while True:
                desk = next((desk for desk in self._desks if desk.child is child), None)
                if desk is not None:  # else from a process that was replaced
                    self._take_safely(desk, message)
                child, message = self._arrivals.get_nowait()
        except queue.Empty:
            return

    def _take_safely(self, desk: _Desk, message: object) -> None:
        try:
            self._take(desk, message)
        except Exception as error:  # an object of the right type with the wrong things inside
            if desk.child is not None:
                self._replace(desk, "babbles", f"it sent a {type(message).__name__} that makes no sense: {error!r}")

    def _take(self, desk: _Desk, message: object) -> None:
        desk.sign_of_life = time.monotonic()
        status = desk.status
        match message:
            case Reply():
                self._take_reply(desk, message)
            case Started():
                pass
            case Loading(kind=kind, done=done, total=total):
                status.state, status.loading, status.loaded, status.to_load = State.LOADING, kind, done, total
            case Loaded(seconds=seconds, problems=problems):
                desk.loads -= 1
                if desk.loads:
                    return  # it goes on with what it was told later
                status.state, status.loading, status.loaded = State.READY, "", status.to_load
                status.seconds_to_load, status.problems = seconds, dict(problems)
                for kind, problem in problems:
                    log.warning("%s cannot load %s: %s", status.name, kind, problem)
            case Gone(reason=reason, by_itself=by_itself):
                self._replace(desk, "deaths" if by_itself else "babbles", reason)
            case _:
                self._replace(desk, "babbles", f"it sent {type(message).__name__}, which is no message of a worker")

    def _take_reply(self, desk: _Desk, reply: Reply) -> None:
        job = desk.jobs.pop(reply.ticket, None)
        if job is None:
            if reply.ticket in desk.cancelled:
                desk.cancelled.discard(reply.ticket)
            else:
                self._replace(desk, "babbles", f"it answered a job that it did not have (ticket {reply.ticket!r})")
            return
        if reply.problem or reply.raw is None or reply.phrase is None:
            self.counters["failures"] += 1
            self._replies.append(_failed(job, str(reply.problem or "it came back empty"), reply.seconds))
            return
        try:
            raw, phrase = (_checked(phrase, job) for phrase in (reply.raw, reply.phrase))
        except PerpetuumError as error:
            self.counters["failures"] += 1
            self._replies.append(_failed(job, str(error), reply.seconds))
            return
        desk.backoff.reset()
        self.counters["phrases"] += 1
        self._replies.append(Reply(job.ticket, raw, phrase, "", reply.seconds))

    # Supervision

    def _supervise(self) -> None:
        now = time.monotonic()
        for desk in self._desks:
            if desk.child is None:
                if not self._closed and now >= desk.restart_at:
                    self._start(desk)
            elif self._is_busy(desk) and now > desk.sign_of_life + self._limit(desk):
                self._replace(desk, "hangs", f"it gave no sign for {self._limit(desk):g} s")

    def _is_busy(self, desk: _Desk) -> bool:
        # A cancelled job counts until the worker answers: it may be the one that hangs.
        return bool(desk.jobs or desk.cancelled) or desk.status.state is not State.READY

    def _limit(self, desk: _Desk) -> float:
        return self._patience if desk.status.state is State.READY else self._loading_patience

    def _next_look(self, now: float) -> float:
        """Seconds until a worker is to be started again or may turn out to hang."""
        times = [
            desk.restart_at if desk.child is None else desk.sign_of_life + self._limit(desk) for desk in self._desks
        ]
        return min(max(0.005, min(times) - now), 0.5)

    def _start(self, desk: _Desk) -> None:
        desk.status.state = State.STARTING
        desk.sign_of_life = time.monotonic()
        desk.loads = 0
        try:
            desk.child = Child(desk.status.name, self._command, self._deliver, extra_env=THREADS)
        except OSError as error:
            self._mark_dead(desk, "deaths", f"it cannot be started: {error}")
            return
        self.counters["starts"] += 1
        self._tell_to_load(desk)

    def _tell_to_load(self, desk: _Desk) -> None:
        assert desk.child is not None
        desk.status.to_load = len(self._generators)
        desk.status.state = State.STARTING if desk.status.state is State.STARTING else State.LOADING
        desk.sign_of_life = time.monotonic()
        desk.child.send(Load(self._generators))
        desk.loads += 1

    def _deliver(self, child: Child, message: object) -> None:
        self._arrivals.put((child, message))

    def _replace(self, desk: _Desk, what: str, reason: str) -> None:
        assert desk.child is not None
        child, desk.child = desk.child, None
        # One that ended may need a moment to leave its exit status; one that only closed its socket gets no more.
        status = child.close(0.2) if what == "deaths" else child.kill()
        words = child.last_words()
        if what == "deaths":
            reason = f"{reason} ({exit_text(status)})"
        self._mark_dead(desk, what, reason + (f"; its last words: {words}" if words else ""))

    def _mark_dead(self, desk: _Desk, what: str, reason: str) -> None:
        self.counters[what] += 1
        delay = desk.backoff.next_delay()
        desk.status.state, desk.status.loading = State.DEAD, ""
        desk.restart_at = time.monotonic() + delay
        log.warning("%s is replaced in %.1f s: %s", desk.status.name, delay, reason)
        self._fail_all(desk, f"{desk.status.name}: {reason}")
        desk.cancelled.clear()

    def _fail_all(self, desk: _Desk, reason: str) -> None:
        self._replies.extend(_failed(job, reason) for job in desk.jobs.values())
        self.counters["failures"] += len(desk.jobs)
        desk.jobs.clear()


def _failed(job: Job, problem: str, seconds: object = 0.0) -> Reply:
    return Reply(job.ticket, None, None, problem, seconds if isinstance(seconds, float) else 0.0)


def _checked(phrase: object, job: Job) -> Phrase:
    try:
        return validated(phrase, job.request, job.kind)
    except PerpetuumError:
        raise
    except Exception as error:  # an object that only looks like a phrase
        raise PerpetuumError(f"part {job.request.part!r}: {job.kind} sent no phrase: {error!r}") from error
