# pyright: strict
"""The installation file, read by a child that lives no longer than that."""

from __future__ import annotations

import queue
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.codec import Codec
from engine.installation.installation import Installation
from engine.processes.child import Child, Gone, OomScore, python_module

PATIENCE = 30.0
"""Seconds that reading may take: a Raspberry Pi imports for some."""


@dataclass(frozen=True, slots=True)
class FileRead:
    """What came of a file.

    Attributes:
        installation: that it is; None where nothing can be played.
        problems: what is wrong, or doubtful, for people; several lines.
    """

    installation: Installation | None
    problems: str


FILE_READ: Codec[FileRead] = Codec(FileRead)


class Reading:
    """A file that is being read.

    Args:
        path: of the file.

    Raises:
        OSError: no process can be started.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._arrivals: queue.Queue[FileRead | Gone] = queue.Queue()
        command = [*python_module("engine.installation.reader"), str(path)]
        self._child: Child[FileRead, FileRead] = Child(
            "reader",
            command,
            FILE_READ,
            FILE_READ,
            lambda child, message: self._arrivals.put(message),
            OomScore.BACKGROUND,
        )

    def result(self, timeout: float) -> FileRead | None:
        """What came of it; None if it is not there within `timeout` seconds. Ends the child when it is."""
        with suppress(queue.Empty):
            message = self._arrivals.get(timeout=timeout) if timeout > 0 else self._arrivals.get_nowait()
            words = "\n".join(self._child.tail)
            self._child.close()
            if isinstance(message, Gone):
                return FileRead(None, f"{self._path} cannot be read: {message.reason}\n{words}")
            return message
        return None

    def give_up(self) -> FileRead:
        """It takes too long."""
        self._child.kill()
        return FileRead(None, f"{self._path} cannot be read within {PATIENCE:g} s")
