# pyright: strict
"""What our processes hold: memory, files, threads. Read from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.processes.memory_budget import resident

OURSELVES = "soak"
"""How the process of the soak is called, which hosts the mind."""


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """What a process holds.

    Attributes:
        name: "soak" for ourselves, else the module that a child runs, with a number where several do.
        memory: resident bytes.
        files: open file descriptors.
        threads: that run.
    """

    name: str
    memory: int
    files: int
    threads: int


def measure_processes() -> list[ProcessFigures]:
    """Ourselves and all that we have started, and what these have started; one that ends meanwhile is left out."""
    found: list[ProcessFigures] = []
    counts: dict[str, int] = {}
    for pid in (os.getpid(), *_children(os.getpid())):
        memory = resident(pid)
        with suppress(OSError):
            files, threads = (len(list(Path(f"/proc/{pid}/{kind}").iterdir())) for kind in ("fd", "task"))
            if memory is None:
                continue
            name = OURSELVES if pid == os.getpid() else _name(pid)
            counts[name] = counts.get(name, 0) + 1
            number = f" {counts[name]}" if counts[name] > 1 else ""
            found.append(ProcessFigures(name + number, memory, files, threads))
    return found


def _children(pid: int) -> Iterator[int]:
    threads: list[Path] = []
    with suppress(OSError):
        threads = sorted(Path(f"/proc/{pid}/task").iterdir())
    for thread in threads:
        with suppress(OSError):
            for child in map(int, (thread / "children").read_text("ascii").split()):
                yield child
                yield from _children(child)


def _name(pid: int) -> str:
    """The module that a Python process runs, or its program."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    names = [word.decode("utf-8", "replace") for word in words if word]
    if "-m" in names[:-1]:
        return names[names.index("-m") + 1].removeprefix("engine.")
    return Path(names[0]).name if names else "process"
