# pyright: strict
"""Where the music stands, written down, so that another keeper goes on there. A disk that stalls holds nobody."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import msgspec

from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.programme import Turn
from engine.installation.timetable import Source

NAME = "position"


@dataclass(frozen=True, slots=True)
class Remembered:
    """Where a performance stood.

    Attributes:
        source: of its turn.
        turn: that was on.
        played: seconds of it that had played.
        scene: path of the scene file.
        seed: of the performance.
        state: the mind's checkpoint.
    """

    source: Source
    turn: Turn
    played: float
    scene: str
    seed: int
    state: str

    def to_json(self) -> bytes:
        """Its JSON form."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Remembered | None:
        """From its JSON form; None where it is none, whatever it is."""
        try:
            return msgspec.json.decode(data, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
            return None


class Writer:
    """Writes to the state folder in a thread of its own; of what waits the latest counts.

    Args:
        folder: locked.

    Attributes:
        saved: seconds since 1970 at which it was last written where the music stands, or at which it began.
    """

    def __init__(self, folder: StateFolder) -> None:
        self.saved = time.time()
        self._folder = folder
        self._waiting: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._thread.start()

    def remember(self, remembered: Remembered | None) -> None:
        """Write down where the music stands; None: nowhere."""
        if self._waiting.qsize() < 2:
            self._waiting.put(lambda: self._write(remembered))

    def do(self, action: Callable[[], object]) -> None:
        """Do something else with the folder, in its turn."""
        self._waiting.put(action)

    def close(self, timeout: float) -> None:
        """Let what waits be written, for `timeout` seconds at most."""
        self._waiting.put(None)
        self._thread.join(timeout)

    def _write(self, remembered: Remembered | None) -> None:
        if remembered is None:
            self._folder.remove(NAME)
        elif self._folder.write(NAME, remembered.to_json()):
            self.saved = time.time()

    def _run(self) -> None:
        while (action := self._waiting.get()) is not None:
            action()


def recall(folder: StateFolder) -> Remembered | None:
    """Where the last performance stood; None where nobody knows."""
    data = folder.read(NAME)
    return Remembered.from_json(data) if data is not None else None
