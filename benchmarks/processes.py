"""The two players: processes that answer lines of JSON.

A request is an object with "do" (hello, prepare, load, prime, count, play, memory; ours also import and compare) and
arguments; the reply an object, with "error" where it went wrong. Both stay warm between requests, so that rounds can
alternate; while one plays, the other waits for its next line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

_FOLDER = Path(__file__).resolve().parent


class PlayerError(Exception):
    """A player could not do what it was asked."""


class Player:
    """A player process; a context manager that ends it.

    Args:
        command: what to run.
        cores: numbers of the cores that it may use.
    """

    def __init__(self, command: list[str], cores: set[int]) -> None:
        # A file, because a pipe that nobody reads would stop a process that says much.
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115, closed with the process
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            cwd=_FOLDER.parent,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )

    @classmethod
    def ours(cls, cores: set[int]) -> Self:
        """Perpetuum in this interpreter."""
        return cls([sys.executable, "-m", "benchmarks.ours"], cores)

    @classmethod
    def original(cls, python: str, family: str, cores: set[int]) -> Self:
        """A family of Magenta in the interpreter that it is installed for."""
        return cls([python, str(_FOLDER / "original.py"), family], cores)

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Send a request; its reply.

        Raises:
            PlayerError: the process ended, or says that something went wrong.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
            reply = self._process.stdout.readline()
        except BrokenPipeError:
            reply = ""
        reply = json.loads(reply) if reply else {"error": "the process ended"}
        if "error" in reply:
            self._said.seek(0)
            raise PlayerError(f"{self._process.args}: {do}: {reply['error']}\n{self._said.read()[-3000:]}")
        return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()
