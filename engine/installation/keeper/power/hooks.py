# pyright: strict
"""Commands of an installation file, run without a shell and without waiting for ever; what went wrong, in words."""

from __future__ import annotations

import subprocess

PATIENCE = 20.0
"""Seconds that a command may take."""


def run_hook(words: tuple[str, ...]) -> None:
    """Run a command to its end.

    Raises:
        Exception: it cannot be run, takes too long, or ends with another status than 0; see `problem_of`.
    """
    subprocess.run(words, check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL, capture_output=True)


def problem_of(error: Exception) -> str:
    """Why a command, or a pin, did not do what it should."""
    if isinstance(error, subprocess.CalledProcessError):
        said: bytes = error.stderr or b""
        return f"{error.cmd[0]} ends with {error.returncode}: {said.decode('utf-8', 'replace').strip()[-200:]}"
    return str(error) or repr(error)
