# pyright: strict
"""The generator workers seen from the conductor: jobs go out, replies come back, and whoever fails is replaced.

`Workers` is a rung of the conductor's ladder. Nothing here waits for a worker: messages queue, and a job whose worker
is dead, hung or makes no sense comes back at once as a failed reply, for which the ladder has rules.
"""

from __future__ import annotations

import itertools
import queue
import time
from collections import deque
from collections.abc import Callable, Sequence

from engine.conductor.makers.contract import Job, Reply, SlowRung
from engine.generators.contract import Settings
from engine.processes.child import Gone, python_module
from engine.processes.reports import Reporter, log_report
from engine.processes.supervision import Limits, Supervision
from engine.runtime.workers.messages import FromWorker
from engine.runtime.workers.slot import Status, WorkerChild, WorkerSlot, WorkerState

__all__ = ["Status", "WorkerState", "Workers"]

PATIENCE = 20.0
"""Seconds that a job may take before its worker counts as hung."""

LOADING_PATIENCE = 120.0
"""Seconds without a sign while a worker starts, or builds one generator (a big network from a slow card takes long)."""

MEMORY = 1_500_000_000
"""Bytes that a worker may use. With the shipped scenes' networks it uses 60 to 110 MB (see `docs/architecture.md`);
plug-ins may compute with TensorFlow, which needs half a gigabyte before it does anything."""

LIMITS = Limits(restarts=6, period=60.0, first_delay=0.1, longest_delay=30.0, away=5.0, memory=MEMORY)
"""What a worker may do. One that is lost more than so often, even if it makes phrases in between, comes back after
pauses: rules play meanwhile, and networks are not loaded over and over."""


class Workers(SlowRung):
    """Starts workers and shares jobs out; one that dies, hangs, leaks or breaks the protocol is replaced.

    All parts of a scene may use one worker; with more, each part keeps to one of them, so that its jobs stay in
    order. Not thread-safe: one thread submits and polls.

    Args:
        count: number of workers.
        load: generators to build at the start, pairs of kind and settings; `load` may be called later, too.
        patience: seconds for a job.
        loading_patience: seconds without a sign while starting or building a generator.
        command: what a worker runs; for tests.
        report: told what is found out about the workers, in the thread that polls.
        limits: what a worker may do.
        clock: gives seconds.
    """

    name = "networks"

    def __init__(
        self,
        count: int = 1,
        load: Sequence[tuple[str, Settings]] = (),
        patience: float = PATIENCE,
        loading_patience: float = LOADING_PATIENCE,
        command: Sequence[str] | None = None,
        report: Reporter = log_report,
        limits: Limits = LIMITS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        command = list(command) if command is not None else python_module("engine.runtime.workers.worker")
        self._clock = clock
        self._arrivals: queue.Queue[tuple[WorkerChild, FromWorker | Gone]] = queue.Queue()
        self._replies: deque[Reply] = deque()
        self._slots = [
            WorkerSlot(
                Supervision(f"worker {number + 1}", limits, report, clock),
                command,
                self._deliver,
                self._replies.append,
                patience,
                loading_patience,
                clock,
            )
            for number in range(max(1, count))
        ]
        self._slot_of_part: dict[str, WorkerSlot] = {}
        self._next_slot = itertools.cycle(self._slots)
        for slot in self._slots:
            slot.load(tuple(load))
            slot.start()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def statuses(self) -> list[Status]:
        """How each worker is."""
        return [slot.status for slot in self._slots]

    @property
    def ready(self) -> bool:
        """Whether every worker has built what it was told to (or reported why it cannot)."""
        return all(slot.status.state is WorkerState.READY for slot in self._slots)

    @property
    def pids(self) -> list[int | None]:
        """Process ids of the workers; None where there is none now."""
        return [slot.child.process.pid if slot.child is not None else None for slot in self._slots]

    @property
    def worn(self) -> str:
        """Why a worker should be replaced where nobody hears it; empty: none. From any thread."""
        return next((worn for slot in self._slots if (worn := slot.worn)), "")

    def load(self, generators: Sequence[tuple[str, Settings]]) -> None:
        """Build these from now on (a scene was reloaded); what is built already is kept."""
        for slot in self._slots:
            slot.load(tuple(generators))

    # SlowRung

    def takes(self, job: Job) -> bool:
        """What needs a network."""
        return job.network

    def submit(self, job: Job) -> None:
        """Take a job."""
        self._slot_of_part.setdefault(job.request.part, next(self._next_slot)).submit(job)

    def poll(self, timeout: float) -> Sequence[Reply]:
        """Replies that have come in; waits up to `timeout` seconds for the first one."""
        until = self._clock() + timeout
        while True:
            self._take_arrivals(0.0)
            for slot in self._slots:
                slot.look()
            left = until - self._clock()
            if self._replies or left <= 0:
                break
            self._take_arrivals(min(left, self._next_look()))
        replies = list(self._replies)
        self._replies.clear()
        return replies

    def cancel(self, tickets: Sequence[int]) -> None:
        """Nobody waits for these any more."""
        for slot in self._slots:
            slot.cancel(tickets)

    def close(self) -> None:
        """End all workers; jobs that are out come back as failed."""
        for slot in self._slots:
            slot.close()

    def _take_arrivals(self, timeout: float) -> None:
        try:
            child, message = self._arrivals.get(timeout=timeout) if timeout > 0 else self._arrivals.get_nowait()
            while True:
                for slot in self._slots:
                    if slot.child is child:  # else it is from a process that was replaced
                        slot.take(message)
                child, message = self._arrivals.get_nowait()
        except queue.Empty:
            return

    def _next_look(self) -> float:
        """Seconds until a worker is to be started again or may turn out to hang."""
        return min(max(0.005, min(slot.next_look for slot in self._slots)), 0.5)

    def _deliver(self, child: WorkerChild, message: FromWorker | Gone) -> None:
        self._arrivals.put((child, message))
