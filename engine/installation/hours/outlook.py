# pyright: strict
"""What a day will bring: the timetable and the programme as a list of what happens when, in words for people.

Turns are as long as they are meant to be here. In the performance each ends where its transition lets it, so that of a
long day the later times are about right; which scene follows which, and with which notes, is as it will be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from engine.installation.choices.calibration import loudness_words
from engine.installation.hours.programme import Turn, first_turn, fixed_turn, next_turn
from engine.installation.hours.timetable import Session, Source, Timetable
from engine.installation.hours.walltime import first_moment, on_the_wall
from engine.installation.installation import AfterRest, AtSection, Overlap, Transition

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_TOLD = 1.0
"""dB of a change of loudness that is told."""


class What(StrEnum):
    """What happens, in the order in which it is told where several things happen at once."""

    CLOSES = "closes"
    CLOSED = "closed"
    RESTARTS = "restarts"
    OPENS = "opens"
    SCENE = "scene"
    QUIET = "quiet"
    LOUDNESS = "loudness"


@dataclass(frozen=True, slots=True)
class TurnSlot:
    """A stretch of a session in which one turn is on.

    Attributes:
        start: in UTC.
        end: in UTC.
        source: the programme, or a scene's own hours.
        turn: that is on.
    """

    start: datetime
    end: datetime
    source: Source
    turn: Turn


@dataclass(frozen=True, slots=True)
class PlanLine:
    """Something that happens.

    Attributes:
        at: when, with the zone of the installation.
        what: of which kind it is.
        text: in words.
        scene: that begins, or plays; empty without.
        until: when it is over; None where that is not its business.
        seed: of the performance that begins; None without.
    """

    at: datetime
    what: What
    text: str
    scene: str = ""
    until: datetime | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a day will bring.

    Attributes:
        day: the date.
        zone: name of the time zone.
        hours: when it is open, in words.
        lines: what happens, in order.
    """

    day: date
    zone: str
    hours: str
    lines: tuple[PlanLine, ...]


def slots(timetable: Timetable, session: Session) -> Iterator[TurnSlot]:
    """All turns of a session, in order, the scenes with hours of their own among them."""
    programme = timetable.installation.programme
    turn: Turn | None = None
    for start, end, source, scene in _sources(timetable, session):
        if source is Source.FIXED:
            name = start.astimezone(timetable.zone).isoformat(timespec="minutes")
            yield TurnSlot(start, end, source, fixed_turn(programme, scene, name, (end - start).total_seconds()))
            continue
        while start < end:
            turn = first_turn(programme, session.name) if turn is None else next_turn(programme, turn)
            until = min(start + timedelta(seconds=turn.seconds), end)
            yield TurnSlot(start, until, source, turn)
            start = until


def due(timetable: Timetable, moment: datetime) -> TurnSlot | None:
    """The turn that is due at a moment, if all before it were as long as they are meant to be; None while closed."""
    moment = moment.astimezone(UTC)
    session = timetable.session(moment)
    if session is None:
        return None
    return next((one for one in slots(timetable, session) if one.start <= moment < one.end), None)


def outlook(timetable: Timetable, day: date) -> Outlook:
    """What a date will bring, from midnight to midnight."""
    writer = _Writer(timetable, day)
    lines = [*writer.edges(), *writer.turns(), *writer.quiet(), *writer.loudness(), *writer.restarts()]
    order = list(What)
    lines.sort(key=lambda line: (line.at.astimezone(UTC), order.index(line.what)))
    return Outlook(day, timetable.zone_name, writer.hours(), tuple(lines))


def span_words(seconds: float) -> str:
    """A length of time in words: "27 min", "1 h 5 min", "20 s"."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    named = ((hours, "h"), (minutes, "min"), (rest if whole < 600 else 0, "s"))
    return " ".join(f"{number} {unit}" for number, unit in named if number) or "0 s"


def _sources(timetable: Timetable, session: Session) -> list[tuple[datetime, datetime, Source, str]]:
    """(start, end, source, scene) of a session: where the programme is on, and where scenes with hours are."""
    found: list[tuple[datetime, datetime, Source, str]] = []
    for at, intent in timetable.changes(session.start, session.end):
        end = min(intent.until or session.end, session.end)
        if found and found[-1][2:] == (intent.source, intent.scene):
            found[-1] = (found[-1][0], end, intent.source, intent.scene)
        else:
            found.append((at, end, intent.source, intent.scene))
    return found


class _Writer:
    """Writes the lines of a day."""

    def __init__(self, timetable: Timetable, day: date) -> None:
        self._timetable = timetable
        self._installation = timetable.installation
        self._day = day
        self._zone = timetable.zone
        self._start = first_moment(on_the_wall(day, 0), self._zone)
        self._end = first_moment(on_the_wall(day + _DAY, 0), self._zone)
        self._leaps = self._local(self._start).utcoffset() != self._local(self._end).utcoffset()
        self._openings = timetable.openings(day, day)

    def hours(self) -> str:
        """When it is open, in words."""
        exception = self._timetable.exception_of(self._day)
        why = "" if exception is None else " (an exception)"
        if not self._openings:
            following = self._timetable.next_opening(self._start)
            after = f"; it opens on {_named_day(self._local(following))}" if following is not None else ""
            return f"closed all day{why}{after}"
        if self._openings == [(self._start, self._end)]:
            return f"open all day{why}"
        stretches = [f"{self._clock(one.start)} to {self._clock(one.end, midnight='24:00')}" for one in self._openings]
        return f"open {' and '.join(stretches)}{why}"

    def edges(self) -> Iterator[PlanLine]:
        """Openings and closings, and what sounds while it is closed."""
        fades = self._installation.fades
        closed_from: datetime | None = self._start
        for one in self._openings:
            if closed_from is not None and closed_from < one.start:
                yield from self._closed(closed_from, one.start)
            if self._timetable.session(one.start - _SECOND) is None:
                yield self._line(one.start, What.OPENS, f"opens, and fades in over {span_words(fades.fade_in)}")
            closes = self._timetable.session(one.end) is None
            if closes:
                yield self._line(one.end, What.CLOSES, f"closes, after fading out over {span_words(fades.fade_out)}")
            closed_from = one.end if closes else None
        if closed_from is not None and closed_from < self._end:
            yield from self._closed(closed_from, self._end)

    def turns(self) -> Iterator[PlanLine]:
        """Scenes."""
        seen: set[str] = set()
        for one in self._openings:
            moment = one.start
            while moment < one.end:
                session = self._timetable.session(moment)
                if session is None:
                    break
                if session.name not in seen:
                    seen.add(session.name)
                    yield from self._turns_of(session)
                moment = session.end

    def quiet(self) -> Iterator[PlanLine]:
        """Quiet hours."""
        quiet = self._installation.quiet
        was = False
        for at, intent in self._timetable.changes(self._start, self._end):
            if intent.quiet and not was:
                fewer = f", {quiet.density * 100:.0f} % of the notes" if quiet.density < 1 else ""
                yield self._line(at, What.QUIET, f"quiet: {-quiet.level:g} dB less loud{fewer}")
            if was and not intent.quiet:
                yield self._line(at, What.QUIET, "no longer quiet")
            was = intent.quiet

    def loudness(self) -> Iterator[PlanLine]:
        """The target at each full hour at which something sounds, where it has changed."""
        told: tuple[float, float, float] | None = None
        hours = [first_moment(on_the_wall(self._day, 3600.0 * hour), self._zone) for hour in range(24)]
        moments = {*hours, *(at for at, _ in self._timetable.changes(self._start, self._end))}
        # A date that a zone leaves out has none of these.
        for moment in sorted(one for one in moments if self._start <= one < self._end):
            intent = self._timetable.intent(moment)
            if not intent.sounds:
                continue
            now = intent.loudness, intent.ceiling, intent.low_cut
            if told is None or max(abs(a - b) for a, b in zip(now, told, strict=True)) >= _TOLD:
                words = loudness_words(intent.loudness, self._installation.loudness.calibration)
                cut = f", nothing below {intent.low_cut:g} Hz" if intent.low_cut else ""
                text = f"loudness {words}, no peak above {intent.ceiling:.1f} dB{cut}"
                yield self._line(moment, What.LOUDNESS, text)
                told = now

    def restarts(self) -> Iterator[PlanLine]:
        """Planned restarts."""
        for one in self._timetable.restarts(self._day, self._day):
            yield self._line(one, What.RESTARTS, "everything restarts, as planned")

    def _closed(self, start: datetime, end: datetime) -> Iterator[PlanLine]:
        outside = self._installation.outside
        if outside is None:
            yield self._line(start, What.CLOSED, "closed: nothing sounds", until=end)
            return
        text = f"closed: {outside.name} sounds, {-outside.level:g} dB less loud"
        yield self._line(start, What.CLOSED, text, scene=outside.name, until=end)

    def _turns_of(self, session: Session) -> Iterator[PlanLine]:
        programme, before = self._installation.programme, ""
        for one in slots(self._timetable, session):
            scene, turn = one.turn.scene, one.turn
            if one.end > self._start and one.start < self._end:
                how = ""
                if before:
                    how = _way(programme.scenes[scene].transition or programme.transition)
                length = span_words((one.end - one.start).total_seconds())
                text = f"{scene}, for {length}{how}"
                if one.source is Source.FIXED:
                    text = f"{scene} in its own hours, until {self._clock(one.end, midnight='24:00')}{how}"
                if one.start < self._start:
                    text = f"{scene} goes on, until {self._clock(one.end)}"
                at = max(one.start, self._start)
                yield self._line(at, What.SCENE, text, scene=scene, until=one.end, seed=turn.seed)
            before = scene

    def _line(
        self,
        at: datetime,
        what: What,
        text: str,
        scene: str = "",
        until: datetime | None = None,
        seed: int | None = None,
    ) -> PlanLine:
        return PlanLine(self._local(at), what, text, scene, self._local(until) if until is not None else None, seed)

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone)

    def _clock(self, moment: datetime, midnight: str = "00:00") -> str:
        return midnight if moment == self._end else clock(self._local(moment), self._leaps)


def clock(moment: datetime, with_zone: bool = False) -> str:
    """What a clock shows: minutes, seconds only where there are some, the zone where an hour passes twice."""
    return moment.strftime(f"%H:%M{':%S' if moment.second else ''}{' %Z' if with_zone else ''}")


def _named_day(moment: datetime) -> str:
    return moment.strftime("%A %-d %B %Y at %H:%M")


def _way(transition: Transition) -> str:
    """How a scene begins after another."""
    match transition:
        case AtSection():
            return ""
        case AfterRest(_, rest):
            return f", after a rest of {span_words(rest)}"
        case Overlap(bars):
            return f", over the last {bars} bars"
