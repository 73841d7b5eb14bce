# pyright: strict
"""When an installation is open: the week, and days that differ. Values; `timetable` says what they mean at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from engine.score.time import DAY

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""Days by `date.weekday()`."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of a day.

    Attributes:
        start: seconds since the midnight of the day that it belongs to, below 86,400.
        end: seconds since the same midnight, above `start`; beyond 86,400 it ends on the next day, at most at the time
            at which it began.
    """

    start: float
    end: float

    def __str__(self) -> str:
        """As a file says them: "10:00..18:00", and "24:00" at the end of a day."""
        return f"{_clock(self.start)}..{_clock(self.end if self.end <= DAY else self.end - DAY)}"


def _clock(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@dataclass(frozen=True, slots=True)
class ExceptionDays:
    """Days with hours of their own.

    Attributes:
        first: (year, month, day); year 0 means every year.
        last: the same, included; before `first` within a year where they go over New Year's Eve.
        hours: of each of these days, in order; none: closed.
    """

    first: tuple[int, int, int]
    last: tuple[int, int, int]
    hours: tuple[Hours, ...]

    @property
    def yearly(self) -> bool:
        """Whether they come back every year."""
        return self.first[0] == 0

    @property
    def single(self) -> bool:
        """Whether it is one day."""
        return self.first == self.last

    def holds(self, day: date) -> bool:
        """Whether a date is one of them."""
        this = (0 if self.yearly else day.year, day.month, day.day)
        if self.first <= self.last:
            return self.first <= this <= self.last
        return this >= self.first or this <= self.last


@dataclass(frozen=True, slots=True)
class Opening:
    """When the installation is open.

    Attributes:
        week: hours of Monday to Sunday, in order; a day without any is closed. None: open always.
        exceptions: days that differ. Of several that hold a day the first counts.
    """

    week: tuple[tuple[Hours, ...], ...] | None = None
    exceptions: tuple[ExceptionDays, ...] = ()
