# pyright: strict
"""The target of loudness over time: what the hours ask for, made so smooth that nothing jumps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from engine.form.curves import DayCurve
from engine.installation.walltime import first_moment, last_moment, leap_between, on_the_wall, time_of_day

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
