# pyright: strict
"""What other programs print, asked without waiting for them for ever."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

PATIENCE = 5.0
"""Seconds that another program may take to answer."""

Ask = Callable[..., str | None]
"""Runs a program; gives what it prints, None where it is not there or fails."""


def output_of(*command: str) -> str | None:
    """What another program prints; None if it is not there, fails or does not answer."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return run.stdout if run.returncode == 0 else None
