# pyright: strict
"""The target of loudness over time: what the hours ask for, made so smooth that nothing jumps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from engine.form.curves import DayCurve
from engine.installation.hours.walltime import first_moment, last_moment, leap_between, on_the_wall, time_of_day
from engine.installation.installation import Loudness

LONGEST_REACH = timedelta(days=1)
"""How far ahead a moment may be felt."""

SCENES_PEAK = -1.0
"""dB of true peak that no scene passes: its limiter sees to that (`engine.sound.messages.MixSound`)."""

_INSTANT = timedelta(microseconds=1)


class LoudnessCourse:
    """The loudest course that is never above what the hours ask for and nowhere steeper than allowed.

    With w the wish and s the steepest change it is the lower Lipschitz envelope: the least w(u) + s |t - u| of all u.
    The wish is straight between its corners, so that the least is at t itself or at a corner.

    Args:
        curve: the wish over the day, in LUFS.
        steepest: dB per minute.
        quiet: dB by which quiet hours lower it, at most 0.
        zone: of the clock.
    """

    def __init__(self, curve: DayCurve, steepest: float, quiet: float, zone: tzinfo) -> None:
        self._curve = curve
        self._steepest = steepest
        self._quiet = quiet
        self._zone = zone
        values = [value for _, value in curve.points]
        minutes = (max(values) - min(values) - quiet) / steepest
        self.reach = min(timedelta(minutes=minutes), LONGEST_REACH)
        """How far away what is asked for can still count."""

    def at(self, moment: datetime, quiet: Sequence[tuple[datetime, datetime]]) -> float:
        """LUFS at a moment.

        Args:
            moment: in UTC.
            quiet: the quiet hours (start, end) about it, in UTC.
        """
        least = self._wish(moment, quiet)
        for corner in self._corners(moment, quiet):
            away = abs((corner - moment).total_seconds()) / 60
            # At a corner the wish may leap: the lower side counts.
            wish = min(self._wish(corner, quiet), self._wish(corner - _INSTANT, quiet))
            least = min(least, wish + self._steepest * away)
        return least

    def _wish(self, moment: datetime, quiet: Sequence[tuple[datetime, datetime]]) -> float:
        lower = self._quiet if any(start <= moment < end for start, end in quiet) else 0.0
        return self._curve.at(time_of_day(moment, self._zone)) + lower

    def _corners(self, moment: datetime, quiet: Sequence[tuple[datetime, datetime]]) -> list[datetime]:
        """Where the wish bends or leaps, as near as counts."""
        first, last = moment - self.reach, moment + self.reach
        corners = [edge for stretch in quiet for edge in stretch]
        if len(self._curve.points) > 1:
            day = first.astimezone(self._zone).date() - timedelta(days=1)
            while day <= last.astimezone(self._zone).date():
                midnight = first_moment(on_the_wall(day, 0), self._zone)
                shown = [on_the_wall(day, time) for time, _ in self._curve.points]
                # An hour that passes twice has its points twice.
                corners += [midnight, *(find(one, self._zone) for one in shown for find in (first_moment, last_moment))]
                day += timedelta(days=1)
                leap = leap_between(midnight, first_moment(on_the_wall(day, 0), self._zone), self._zone)
                corners += [leap] if leap is not None else []
        return [corner.astimezone(UTC) for corner in corners if first <= corner <= last]


class CarefulLoudness(NamedTuple):
    """How loud it may be while nobody knows what time it is: as at the least loud hour.

    Attributes:
        target, most, ceiling, low_cut: as of an `Intent`.
    """

    target: float
    most: float
    ceiling: float
    low_cut: float


class LoudnessPlan:
    """How loud an installation is to be, moment by moment.

    Args:
        loudness: as its file says.
        quiet: dB by which quiet hours lower it, at most 0.
        zone: of the clock.

    Attributes:
        reach: how far away what is asked for can still count.
    """

    def __init__(self, loudness: Loudness, quiet: float, zone: tzinfo) -> None:
        self._loudness = loudness
        self._course = LoudnessCourse(loudness.target, loudness.steepest, quiet, zone)
        self._peaks = LoudnessCourse(loudness.ceiling, loudness.steepest, 0.0, zone)
        limit = loudness.limit
        self._limit = LoudnessCourse(limit, loudness.steepest, 0.0, zone) if limit is not None else None
        self.reach = self._course.reach

    def target(self, moment: datetime, quiet: Sequence[tuple[datetime, datetime]]) -> float:
        """LUFS at a moment in UTC; see `LoudnessCourse.at`."""
        return min(self._course.at(moment, quiet), self.most(moment))

    def most(self, moment: datetime) -> float:
        """LUFS that nothing and nobody passes at a moment in UTC: the limit, and what the ceiling leaves."""
        found = self._beneath(self._peaks.at(moment, ()))
        return found if self._limit is None else min(found, self._limit.at(moment, ()))

    @property
    def careful(self) -> CarefulLoudness:
        """See there."""
        loudness = self._loudness
        ceiling = min(value for _, value in loudness.ceiling.points)
        limit = min(value for _, value in loudness.limit.points) if loudness.limit is not None else math.inf
        most = min(limit, self._beneath(ceiling))
        target = min(most, min(value for _, value in loudness.target.points))
        return CarefulLoudness(target, most, ceiling, max(hertz for _, hertz in loudness.low_cut.points))

    def _beneath(self, ceiling: float) -> float:
        """LUFS at which a scene that is as loud as the loudest target has no peak above a ceiling.

        Where that is the scenes' own or higher it asks for nothing: what a hand lifts is rounded off below it.
        """
        return self._loudness.loudest + ceiling - SCENES_PEAK if ceiling < SCENES_PEAK else math.inf
