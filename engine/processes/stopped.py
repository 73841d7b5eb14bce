# pyright: strict
"""Whether a process is stopped rather than gone: the kernel says so, however busy the machine is."""

from __future__ import annotations

from pathlib import Path


def is_stopped(pid: int) -> bool:
    """Whether a signal (SIGSTOP) or a debugger has stopped a process, so that it does nothing until it may go on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()[0] in ("T", "t")
    except (OSError, IndexError):
        return False
