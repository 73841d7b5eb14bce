# pyright: strict
"""The machine and the processes on it, as psutil shows them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

import psutil


def up_since() -> datetime:
    """When the machine was started."""
    return datetime.fromtimestamp(psutil.boot_time(), UTC)


def runs(pid: int) -> bool:
    """Whether there is a process with a number."""
    return psutil.pid_exists(pid)


def processes_with(words: Iterable[str]) -> list[str]:
    """A line for each process whose command has one of some words: number, state, memory, processor time, threads."""
    wanted, lines = tuple(words), list[str]()
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            command = " ".join(one.cmdline())
            if not any(word in command for word in wanted):
                continue
            with one.oneshot():
                memory, times = one.memory_info().rss, one.cpu_times()
                since = datetime.fromtimestamp(one.create_time(), UTC)
                lines.append(
                    f"{one.pid} {one.status()} {memory / 1e6:.0f} MB, {times.user + times.system:.0f} s of processor, "
                    f"{one.num_threads()} threads, since {since:%F %T} {command}"
                )
    return lines
