"""Reading works in processes of their own, which may hang or die without ending the whole."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import resource
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

MEMORY = 4 << 30
"""Bytes of address space that a process may take, beyond what it has when it begins."""


PATIENCE = 10.0
_ALARMS = (signal.SIGPROF, signal.SIGALRM)


@dataclass(frozen=True, slots=True)
class Died:
    """A process ended before it had a result: why, in few words."""

    reason: str


@dataclass
class _Child(Generic[Job]):
    process: Any
    pipe: Connection
    job: Job | None = None


class Pool(Generic[Job, Result]):
    """Processes that apply one function to job after job.

    Args:
        function: importable by name; what it raises ends its process.
        count: processes; begun when they are needed.
        seconds: of the processor's time that one job may take before its process is ended; `PATIENCE` times as many
            by the clock.
    """

    def __init__(self, function: Callable[[Job], Result], count: int, seconds: float) -> None:
        self._function, self._count, self._seconds = function, count, seconds
        self._context = multiprocessing.get_context("spawn")
        self._children: list[_Child[Job]] = []

    def map(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result | Died]]:
        """Each job and its result, in the order in which they are done; jobs are taken as processes come free."""
        waiting = iter(jobs)
        while True:
            idle = [child for child in self._children if child.job is None]
            room = len(idle) + self._count - len(self._children)
            for job in itertools.islice(waiting, room):
                child = idle.pop() if idle else self._begin()
                child.job = job
                with contextlib.suppress(OSError):  # it died while it was idle: its pipe is at an end
                    child.pipe.send(job)
            busy = {child.pipe: child for child in self._children if child.job is not None}
            if not busy:
                return
            for pipe in wait(list(busy)):
                child = busy[pipe]  # type: ignore[index]
                job, child.job = child.job, None
                assert job is not None
                try:
                    yield job, child.pipe.recv()
                except (EOFError, OSError):
                    self._children.remove(child)
                    yield job, Died(self._obituary(child))

    def close(self) -> None:
        """End all processes, at once."""
        for child in self._children:
            child.process.kill()
        for child in self._children:
            child.process.join()
            child.pipe.close()
        self._children.clear()

    def _begin(self) -> _Child[Job]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._function, self._seconds), daemon=True)
        process.start()
        theirs.close()
        child = _Child[Job](process, ours)
        self._children.append(child)
        return child

    def _obituary(self, child: _Child[Job]) -> str:
        child.process.join()
        child.pipe.close()
        if child.process.exitcode in [-alarm for alarm in _ALARMS]:
            return f"took longer than {self._seconds:g} seconds"
        return "ended its reader"


def _serve(pipe: Connection, function: Callable[[Any], Any], seconds: float) -> None:
    """Life of a process: it ends with the pipe, and by an alarm, which no loop in C can swallow."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for alarm in _ALARMS:
        signal.signal(alarm, signal.SIG_DFL)
    _limit_memory()
    with contextlib.suppress(EOFError, OSError):
        while True:
            job = pipe.recv()
            # Time of the processor: on a busy machine the same files are skipped as on an idle one.
            signal.setitimer(signal.ITIMER_PROF, seconds)
            signal.setitimer(signal.ITIMER_REAL, PATIENCE * seconds)
            result = function(job)
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            pipe.send(result)


def _limit_memory() -> None:
    """Let what needs too much memory fail, before the machine is slowed down by it; where the system can tell."""
    taken = Path("/proc/self/statm")
    if taken.exists():
        most = int(taken.read_text().split()[0]) * resource.getpagesize() + MEMORY
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
