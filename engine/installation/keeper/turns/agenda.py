# pyright: strict
"""What the timetable says now, by a clock that may not know the time yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from engine.health.clock import known
from engine.installation.hours.timetable import Intent, Timetable
from engine.installation.installation import Installation


def wall_clock() -> datetime:
    """The time of the machine."""
    return datetime.now(UTC)


class Agenda:
    """What an installation intends at the moment that a clock shows.

    Args:
        installation: whose hours count.
        wall: the time.

    Attributes:
        timetable: of the installation.
    """

    def __init__(self, installation: Installation, wall: Callable[[], datetime] = wall_clock) -> None:
        self.timetable = Timetable(installation)
        self._wall = wall
        self._closes = installation.opening.week is not None
        self._restart_at: datetime | None = None

    def take(self, installation: Installation) -> None:
        """The hours of another installation count."""
        self.timetable = Timetable(installation)
        self._closes = installation.opening.week is not None
        self._restart_at = None

    @property
    def moment(self) -> datetime:
        """What the clock shows."""
        return self._wall()

    @property
    def intent(self) -> Intent:
        """What is intended now."""
        moment = self._wall()
        return self.timetable.intent(moment) if known(moment) else self.timetable.while_unknown()

    def opens_within(self, seconds: float, moment: datetime) -> bool:
        """Whether something is to sound some seconds after a moment; never if there are none, or nobody knows."""
        later = moment + timedelta(seconds=seconds)
        return seconds > 0.0 and known(moment) and self.timetable.intent(later).sounds

    def restarts(self, moment: datetime, playing: bool) -> bool:
        """Whether all processes are to begin anew, as planned: once, when nobody is there, or where it never closes.

        Args:
            moment: of the clock.
            playing: something sounds.
        """
        if self._restart_at is None:
            self._restart_at = self.timetable.next_restart(moment)
        elif moment >= self._restart_at and not (playing and self._closes):
            self._restart_at = None
            return True
        return False
