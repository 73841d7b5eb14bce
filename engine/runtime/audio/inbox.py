# pyright: strict
"""What has come back from the audio processes, for whoever plays the music."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from engine.sound.messages import LevelReading, Ready, Setup, Trouble

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refused:
    """No process could build the graph of a new scene; the old graph plays on.

    Attributes:
        setup: of the new scene.
        reason: what the last process said.
    """

    setup: Setup
    reason: str


class Inbox:
    """Bounded: of many meters the latest 64 are kept, of the rest the latest 256.

    Attributes:
        last_trouble: what a process said last about why it cannot play.
    """

    def __init__(self) -> None:
        self.last_trouble = ""
        self._messages: deque[Ready | Trouble | Refused] = deque(maxlen=256)
        self._meters: deque[LevelReading] = deque(maxlen=64)
        self._told: deque[str] = deque(maxlen=64)

    def put(self, message: Ready | Trouble | Refused | LevelReading) -> None:
        """Keep a message until it is taken."""
        if isinstance(message, LevelReading):
            self._meters.append(message)
        else:
            self._messages.append(message)

    def trouble(self, trouble: Trouble) -> None:
        """Keep what a process complains of; every candidate and every spare finds the same instrument missing."""
        self.last_trouble = trouble.message
        if trouble.fatal or trouble.message not in self._told:
            self._told.append(trouble.message)
            log.warning("audio: %s", trouble.message)
            self.put(trouble)

    def refused(self, setup: Setup) -> None:
        """The graph of a scene cannot be built."""
        self.put(Refused(setup, self.last_trouble))

    def take(self) -> list[Ready | LevelReading | Trouble | Refused]:
        """What has come since the last call."""
        found: list[Ready | LevelReading | Trouble | Refused] = []
        for box in (self._messages, self._meters):
            with suppress(IndexError):
                while True:
                    found.append(box.popleft())
        return found
