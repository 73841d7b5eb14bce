# pyright: strict
"""Watches a room by its microphone: tells when what is sent is not heard there any more, and when it is again."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.events.proof import RoomFound
from engine.health.room.likeness import Samples
from engine.health.room.listener import RoomListener, RoomVerdict

DEAF = 45.0
"""Seconds without any sample, or with zeros alone, after which a microphone gives nothing: it always has some noise."""

NOT_HEARD = "what is sent is not heard in the room; look at the amplifier, its volume and the cables"
GIVES_NOTHING = "the microphone gives nothing; is it plugged in, and is its own switch on?"


class RoomWatch:
    """Takes what is sent and what is heard; one thread calls all of it.

    Args:
        clock: gives seconds.

    Attributes:
        listener: that judges.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.listener = RoomListener()
        self._clock = clock
        self._sounded_at = clock()
        self._fault: str | None = None
        self._expected = False

    def sent(self, samples: Samples) -> None:
        """Take what leaves for the output."""
        self.listener.sent(samples)

    def heard(self, samples: Samples) -> None:
        """Take what the microphone hears."""
        if samples.any():
            self._sounded_at = self._clock()
        self.listener.heard(samples)

    def expect(self, expected: bool) -> None:
        """Say whether sound is meant to be heard: not while it is closed, muted or at rest."""
        self._expected = expected

    def look(self) -> RoomFound | None:
        """What is to be told now; None for nothing new."""
        verdict = self.listener.verdict
        if self._clock() - self._sounded_at > DEAF:
            return self._tell(GIVES_NOTHING)
        if not self._expected or verdict is RoomVerdict.HEARD:
            return self._tell("") if self._fault or verdict is RoomVerdict.HEARD else None
        if verdict is RoomVerdict.UNHEARD:
            return self._tell(NOT_HEARD)
        return self._tell("") if self._fault == GIVES_NOTHING else None

    def _tell(self, fault: str) -> RoomFound | None:
        if fault == self._fault:
            return None
        self._fault = fault
        return RoomFound(fault, self.listener.delay)
