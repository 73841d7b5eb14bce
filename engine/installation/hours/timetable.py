# pyright: strict
"""The timetable: what an installation intends at a moment. A pure function of the moment.

Hours mean what the clock on the wall shows: open from the first moment at which it shows the opening time or later, to
the last at which it shows less than the closing time. So an hour that the clock leaves out is nobody's, and one that
passes twice is open throughout.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from engine.installation.choices.loudness import LoudnessPlan
from engine.installation.hours.opening import ExceptionDays, Hours
from engine.installation.hours.walltime import (
    find_zone,
    first_moment,
    last_moment,
    on_the_wall,
    time_of_day,
    zone_of_the_machine,
)
from engine.installation.installation import Installation

HORIZON = 400
"""Days that are looked ahead for the next change."""

LONGEST_SESSION = timedelta(hours=36)
"""What is open for longer has a session for each date."""

UNKNOWN = "unknown"
"""Name of the session while the time is unknown."""

_DAY = timedelta(days=1)
_KEPT = 64


class Phase(StrEnum):
    """Where in the opening hours a moment lies."""

    CLOSED = "closed"
    FADING_IN = "fading in"
    OPEN = "open"
    FADING_OUT = "fading out"


class Source(StrEnum):
    """Where the music of a moment comes from."""

    PROGRAMME = "programme"
    """The turn of the programme that is on."""

    FIXED = "fixed hours"
    """A scene with hours of its own."""

    OUTSIDE = "outside the hours"
    """The scene for closed hours."""

    NOTHING = "nothing"


class Stretch(NamedTuple):
    """A stretch of time: moments in UTC, the second one excluded."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A stretch of open hours in which the programme goes from its first turn on.

    Attributes:
        name: the local time at which it begins, with its offset from UTC: what its turns are drawn from.
        start: in UTC.
        end: in UTC.
    """

    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Intent:
    """What is intended at a moment.

    Attributes:
        phase: of the opening hours.
        quiet: whether quiet mode is due by the clock; never while nothing sounds.
        source: where the music comes from.
        scene: that sounds; empty where the programme says which, and where nothing sounds.
        loudness: target in LUFS, quiet mode and the level of what sounds outside the hours included.
        most: LUFS that no hand raises it above.
        ceiling: dB of true peak below full scale.
        low_cut: Hz below which bass is taken away; 0: none is.
        session: that it belongs to; None while it is closed.
        until: when something of this changes that is no curve, in UTC; None: not within `HORIZON` days.
    """

    phase: Phase
    quiet: bool
    source: Source
    scene: str
    loudness: float
    most: float
    ceiling: float
    low_cut: float
    session: Session | None
    until: datetime | None

    @property
    def open(self) -> bool:
        """Whether it is open, fades included."""
        return self.phase is not Phase.CLOSED

    @property
    def sounds(self) -> bool:
        """Whether sound is expected."""
        return self.source is not Source.NOTHING


class _State(NamedTuple):
    """What of an intent changes at once."""

    phase: Phase
    quiet: bool
    source: Source
    scene: str
    session: str


class Timetable:
    """What an installation intends, moment by moment.

    Args:
        installation: of which.
        zone: that its clock follows; None: the one that it names, or else the machine's own.

    Raises:
        PerpetuumError: there is no such zone.
    """

    def __init__(self, installation: Installation, zone: tzinfo | None = None) -> None:
        named = find_zone(installation.time_zone) if installation.time_zone else None
        self.installation = installation
        self.zone: tzinfo = zone or named or zone_of_the_machine()
        self._open: dict[date, list[Stretch]] = {}
        self._known: tuple[datetime, datetime | None, _State] | None = None
        self._loudness = LoudnessPlan(installation.loudness, installation.quiet.level, self.zone)

    @property
    def zone_name(self) -> str:
        """The time zone, for people."""
        return self.installation.time_zone or f"{getattr(self.zone, 'key', self.zone)} of the machine"

    def intent(self, moment: datetime) -> Intent:
        """What is intended at a moment.

        Args:
            moment: with its zone.
        """
        moment = _utc(moment)
        state, until = self._looked_up(moment)
        outside = self.installation.outside
        lower = outside.level if outside is not None and state.source is Source.OUTSIDE else 0.0
        return Intent(
            phase=state.phase,
            quiet=state.quiet,
            source=state.source,
            scene=state.scene,
            loudness=self.loudness(moment) + lower,
            most=self._loudness.most(moment),
            ceiling=self.ceiling(moment),
            low_cut=self.installation.loudness.low_cut.at(time_of_day(moment, self.zone)),
            session=self.session(moment),
            until=until,
        )

    def while_unknown(self) -> Intent:
        """What is intended while nobody knows what time it is: nothing that the clock decides."""
        installation, outside = self.installation, self.installation.outside
        target, most, ceiling, cut = self._loudness.careful
        if installation.unknown_time == "open":
            return Intent(Phase.OPEN, False, Source.PROGRAMME, "", target, most, ceiling, cut, None, None)
        if outside is None:
            return Intent(Phase.CLOSED, False, Source.NOTHING, "", target, most, ceiling, cut, None, None)
        target += outside.level
        return Intent(Phase.CLOSED, False, Source.OUTSIDE, outside.name, target, most, ceiling, cut, None, None)

    def loudness(self, moment: datetime) -> float:
        """Target in LUFS, quiet hours included; it moves no faster than the installation lets it.

        Before a quiet hour it goes down early enough for the whole hour to be quiet. Where the ceiling asks for more it
        is lower than the target: peaks are turned down with all the rest, and nothing is squeezed.
        """
        moment = _utc(moment)
        days = self._days(moment, self._loudness.reach + _DAY)
        return self._loudness.target(moment, [one for day in days for one in self._quiet(day)])

    def ceiling(self, moment: datetime) -> float:
        """True peak, in dB below full scale, that is not passed."""
        return self.installation.loudness.ceiling.at(time_of_day(moment, self.zone))

    def session(self, moment: datetime) -> Session | None:
        """The session that a moment lies in; None while it is closed."""
        moment = _utc(moment)
        found = self._opening(moment)
        if found is None:
            return None
        start, end = found
        if end - start > LONGEST_SESSION:
            today = moment.astimezone(self.zone).date()
            start = max(start, first_moment(on_the_wall(today, 0), self.zone))
            end = min(end, first_moment(on_the_wall(today + _DAY, 0), self.zone))
        name = start.astimezone(self.zone).isoformat(timespec="minutes")
        return Session(name, start, end)

    def openings(self, first: date, last: date) -> list[Stretch]:
        """When it is open from the midnight before a date to the one after another, cut off there; in order."""
        start = first_moment(on_the_wall(first, 0), self.zone)
        end = first_moment(on_the_wall(last + _DAY, 0), self.zone)
        days = (first + _DAY * number for number in range(-2, (last - first).days + 3))
        merged = _merged([one for day in days for one in self._opened(day)])
        cut = [Stretch(max(one.start, start), min(one.end, end)) for one in merged]
        return [one for one in cut if one.start < one.end]

    def next_opening(self, moment: datetime) -> datetime | None:
        """When it opens next, in UTC; None: not within `HORIZON` days."""
        moment = _utc(moment)
        today = moment.astimezone(self.zone).date()
        for ahead in range(HORIZON):
            for one in self.openings(today + _DAY * ahead, today + _DAY * (ahead + 1)):
                if one.start > moment and self._opening(one.start - timedelta(seconds=1)) is None:
                    return one.start
        return None

    def restarts(self, first: date, last: date) -> list[datetime]:
        """The planned restarts of some days, the last one included; in UTC, in order."""
        restart = self.installation.restart
        if restart is None:
            return []
        days = [first + _DAY * number for number in range((last - first).days + 1)]
        return [first_moment(on_the_wall(d, restart.at), self.zone) for d in days if d.weekday() in restart.days]

    def next_restart(self, moment: datetime) -> datetime | None:
        """The next planned restart after a moment, in UTC; None: none is planned."""
        moment = _utc(moment)
        today = moment.astimezone(self.zone).date()
        return next((one for one in self.restarts(today - _DAY, today + _DAY * 8) if one > moment), None)

    def hours_of(self, day: date) -> tuple[Hours, ...] | None:
        """The opening hours that belong to a date; none: closed. None: open always, and no exception."""
        exception = self.exception_of(day)
        if exception is not None:
            return exception.hours
        week = self.installation.opening.week
        return None if week is None else week[day.weekday()]

    def exception_of(self, day: date) -> ExceptionDays | None:
        """The exception that a date is."""
        return next((one for one in self.installation.opening.exceptions if one.holds(day)), None)

    def changes(self, first: datetime, last: datetime) -> Iterator[tuple[datetime, Intent]]:
        """(moment, intent) at the first moment and wherever something changes at once up to the last, excluded."""
        moment = _utc(first)
        while moment < _utc(last):
            intent = self.intent(moment)
            yield moment, intent
            if intent.until is None:
                return
            moment = intent.until

    def _looked_up(self, moment: datetime) -> tuple[_State, datetime | None]:
        """The state at a moment and when it ends; kept, for the next question is mostly about the same one."""
        if self._known is not None:
            since, until, state = self._known
            if since <= moment < (until or since + _DAY):
                return state, until
        state = self._state(moment)
        until = self._until(moment, state)
        self._known = moment, until, state
        return state, until

    def _state(self, moment: datetime) -> _State:
        session, days = self.session(moment), self._days(moment)
        outside = self.installation.outside
        quiet = any(_holds(self._quiet(day), moment) for day in days)
        if session is None and outside is None:
            return _State(Phase.CLOSED, False, Source.NOTHING, "", "")
        if session is None and outside is not None:
            return _State(Phase.CLOSED, quiet, Source.OUTSIDE, outside.name, "")
        fixed = self._fixed(days, moment)
        source = Source.FIXED if fixed else Source.PROGRAMME
        return _State(self._phase(moment), quiet, source, fixed, session.name if session is not None else "")

    def _phase(self, moment: datetime) -> Phase:
        fades, opening = self.installation.fades, self._opening(moment)
        if opening is None:
            return Phase.CLOSED
        if (opening.end - moment).total_seconds() <= fades.fade_out:
            return Phase.FADING_OUT
        return Phase.FADING_IN if (moment - opening.start).total_seconds() < fades.fade_in else Phase.OPEN

    def _until(self, moment: datetime, state: _State) -> datetime | None:
        """The next moment at which another state begins."""
        today = moment.astimezone(self.zone).date()
        for ahead in range(HORIZON):
            day = today + _DAY * ahead
            # Hours go over midnight, fades over the edges of hours: the days beside it count, too.
            edges = sorted({edge for number in (-2, -1, 0, 1) for edge in self._edges(day + _DAY * number)})
            end = first_moment(on_the_wall(day + _DAY, 0), self.zone)
            for edge in edges:
                if moment < edge <= end and self._state(edge) != state:
                    return edge
        return None

    def _edges(self, day: date) -> Iterator[datetime]:
        """Where something may change because of what a date says."""
        fades = self.installation.fades
        for one in self._opened(day):
            yield from one
            yield one.start + timedelta(seconds=fades.fade_in)
            yield one.end - timedelta(seconds=fades.fade_out)
        yield first_moment(on_the_wall(day, 0), self.zone)
        for one in self._quiet(day):
            yield from one
        for entry in self.installation.programme.scenes.values():
            if entry.hours and day.weekday() in entry.days:
                for one in self._stretches(day, entry.hours):
                    yield from one

    def _fixed(self, days: Sequence[date], moment: datetime) -> str:
        """The scene whose own hours a moment lies in; empty without."""
        for name, entry in self.installation.programme.scenes.items():
            if entry.hours and any(
                d.weekday() in entry.days and _holds(self._stretches(d, entry.hours), moment) for d in days
            ):
                return name
        return ""

    def _quiet(self, day: date) -> list[Stretch]:
        quiet = self.installation.quiet
        return self._stretches(day, quiet.hours) if day.weekday() in quiet.days else []

    def _opened(self, day: date) -> list[Stretch]:
        """The opening hours of a date."""
        found = self._open.get(day)
        if found is None:
            hours = self.hours_of(day)
            found = self._stretches(day, hours if hours is not None else (Hours(0.0, 86400.0),))
            if len(self._open) >= _KEPT + HORIZON:
                self._open.clear()
            self._open[day] = found
        return found

    def _opening(self, moment: datetime) -> Stretch | None:
        """The opening hours that a moment lies in, with those that touch them, as far as two days reach."""
        merged = _merged([one for day in self._days(moment, _DAY * 2) for one in self._opened(day)])
        return next((one for one in merged if one.start <= moment < one.end), None)

    def _days(self, moment: datetime, around: timedelta = _DAY) -> list[date]:
        """The dates about a moment, to one that is so far away."""
        today, number = moment.astimezone(self.zone).date(), -(-around // _DAY)
        return [today + _DAY * step for step in range(-number, number + 1)]

    def _stretches(self, day: date, hours: Sequence[Hours]) -> list[Stretch]:
        found: list[Stretch] = []
        for one in hours:
            start = first_moment(on_the_wall(day, one.start), self.zone)
            end = last_moment(on_the_wall(day, one.end), self.zone)
            if start < end:
                found.append(Stretch(start, end))
        return found


def _merged(stretches: list[Stretch]) -> list[Stretch]:
    """In order, those that overlap or touch as one."""
    merged: list[Stretch] = []
    for one in sorted(stretches):
        if merged and one.start <= merged[-1].end:
            merged[-1] = Stretch(merged[-1].start, max(merged[-1].end, one.end))
        else:
            merged.append(one)
    return merged


def _holds(stretches: Sequence[Stretch], moment: datetime) -> bool:
    return any(one.start <= moment < one.end for one in stretches)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC)
