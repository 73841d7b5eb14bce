# pyright: strict
"""The processes of an installation, as /proc shows them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def descendants(pid: int) -> dict[int, str]:
    """Command lines of all processes below one, by process id."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError, IndexError):
                fields = (folder / "stat").read_text("latin-1").rpartition(")")[2].split()
                if fields[0] != "Z":
                    parents[int(folder.name)] = int(fields[1])
    found: dict[int, str] = {}
    reached = {pid}
    while reached:
        reached = {child for child, parent in parents.items() if parent in reached}
        for child in reached:
            with suppress(OSError):
                command = Path(f"/proc/{child}/cmdline").read_bytes()
                found[child] = command.replace(b"\0", b" ").decode("utf-8", "replace")
    return found


def those(pid: int, words: str) -> list[int]:
    """Processes below one whose command line has some words."""
    return sorted(child for child, command in descendants(pid).items() if words in command)


def tell(pids: Iterable[int], number: int) -> None:
    """Send a signal to processes; those that are gone are left alone."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def stop_tree(pid: int) -> list[int]:
    """Stop a process and all below it; which they were."""
    pids = [pid, *descendants(pid)]
    tell(pids, signal.SIGSTOP)
    return pids
