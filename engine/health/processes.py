# pyright: strict
"""What each process of an installation uses, read when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from engine.health.names import OTHER, PREFIX, component_of

WORKER = "engine.runtime.workers.worker"
"""Module that a worker runs."""

PLAYERS = frozenset({"pw-cat", "pacat", "aplay"})
"""Programs that sound is given to."""


class ProcessCollector:
    """Memory, processor time, descriptors and threads by component; of several of one kind, the sum.

    Memory is the proportional set size: what processes share is divided among them, so that the sum is what it costs.

    Args:
        processes: gives names and numbers of those that are known to run now; what these have started is found.
    """

    def __init__(self, processes: Callable[[], Sequence[tuple[str, int]]]) -> None:
        self._processes = processes
        self._ended: dict[str, float] = {}  # processor seconds of processes that are gone
        self._running: dict[tuple[str, int], float] = {}

    def collect(self) -> Iterable[Metric]:
        """What Prometheus asks for."""
        label = ["component"]
        memory = GaugeMetricFamily(f"{PREFIX}_process_memory_bytes", "Memory, shared pages by share.", labels=label)
        files = GaugeMetricFamily(f"{PREFIX}_process_open_fds", "Open file descriptors.", labels=label)
        threads = GaugeMetricFamily(f"{PREFIX}_process_threads", "Threads.", labels=label)
        count = GaugeMetricFamily(f"{PREFIX}_processes", "Processes that run.", labels=label)
        used = CounterMetricFamily(f"{PREFIX}_process_cpu_seconds", "Processor time, of ended ones too.", labels=label)
        started = GaugeMetricFamily(f"{PREFIX}_process_start_time_seconds", "When the newest began.", labels=label)
        sums: dict[str, list[float]] = {}
        newest: dict[str, float] = {}
        running: dict[tuple[str, int], float] = {}
        for name, number in _with_children(self._processes()):
            found = _usage(number)
            if found is not None:
                component = component_of(name)
                running[component, number] = found.cpu
                newest[component] = max(newest.get(component, 0.0), found.started)
                more = (1.0, found.memory, found.files, found.threads)
                sums[component] = [a + b for a, b in zip(sums.get(component, [0.0] * 4), more, strict=True)]
        for (component, number), seconds in self._running.items():
            if (component, number) not in running:
                self._ended[component] = self._ended.get(component, 0.0) + seconds
        self._running = running
        for component, (processes, bytes_, descriptors, strands) in sums.items():
            count.add_metric([component], processes)
            memory.add_metric([component], bytes_)
            files.add_metric([component], descriptors)
            threads.add_metric([component], strands)
            started.add_metric([component], newest[component])
        for component in sorted({*self._ended, *(component for component, _ in running)}):
            now = sum(seconds for (name, _), seconds in running.items() if name == component)
            used.add_metric([component], self._ended.get(component, 0.0) + now)
        return (count, memory, files, threads, started, used)


class Usage(NamedTuple):
    """What a process uses: processor seconds, bytes, descriptors, threads; and when it began, in seconds since 1970."""

    cpu: float
    memory: float
    files: float
    threads: float
    started: float


def _with_children(known: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Those, and what they have started: a mind its workers, a keeper what plays."""
    numbers = {number for _, number in known}
    found = dict[int, str]()
    for _, number in known:
        with suppress(psutil.Error):
            for child in psutil.Process(number).children(recursive=True):
                if child.pid not in numbers and child.pid not in found:
                    found[child.pid] = _name_of(child)
    return [*known, *((name, number) for number, name in found.items())]


def _name_of(process: psutil.Process) -> str:
    """What a process is, by what it runs: a module of ours, or a program that plays."""
    with suppress(psutil.Error):
        words = process.cmdline()
        if "-m" not in words[:-1]:
            return "player" if words and Path(words[0]).name in PLAYERS else OTHER
        return "worker" if words[words.index("-m") + 1] == WORKER else OTHER
    return OTHER


def _usage(number: int) -> Usage | None:
    """What a process uses; None if it is gone or not ours to ask."""
    try:
        process = psutil.Process(number)
        with process.oneshot():
            times = process.cpu_times()
            memory = process.memory_full_info()
            size = float(getattr(memory, "pss", 0) or memory.rss)
            cpu = times.user + times.system
            return Usage(cpu, size, process.num_fds(), process.num_threads(), process.create_time())
    except psutil.Error:
        return None
