# pyright: strict
"""The time of day, for settings that follow it: counted on by the music itself, or read off the wall.

No other thing asks what time it is: a wall clock that leaps moves these settings, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.score.time import DAY, SAMPLE_RATE

NOON = DAY / 2


class TimeOfDay(Protocol):
    """Tells the time of day."""

    def at(self, frame: int) -> float:
        """Seconds since midnight, 0..86400, that count for what sounds at a frame of the output."""
        ...


@dataclass(frozen=True, slots=True)
class CountedDay:
    """The time that a performance begins at, and on from there by the frames of its own sound: the same in each render.

    Attributes:
        start: seconds since midnight.
    """

    start: float = NOON

    def at(self, frame: int) -> float:
        """The time at a frame."""
        return (self.start + frame / SAMPLE_RATE) % DAY


AT_NOON: TimeOfDay = CountedDay()
"""What counts where nobody says at which time of day a performance begins."""


@dataclass(frozen=True, slots=True)
class WallDay:
    """The local time when it is asked for, summer time and all.

    Attributes:
        now: gives it.
    """

    now: Callable[[], datetime] = datetime.now

    def at(self, frame: int) -> float:
        """The time now: phrases are asked for some seconds before they sound, which no curve of a day can tell."""
        time = self.now().time()
        return time.hour * 3600.0 + time.minute * 60.0 + time.second + time.microsecond / 1e6
