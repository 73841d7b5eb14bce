# pyright: strict
"""The report of a day, for lender and insurer: how long it sounded, what interrupted it, and who changed what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from engine.events.processes import SoundResumed, SoundStarved
from engine.events.sounding import GainMoved
from engine.events.vocabulary import Commanded, HandAsked, SceneTookOver
from engine.installation.history.accidents import words_of_accident
from engine.installation.hours.timetable import Timetable
from engine.installation.hours.walltime import first_moment, on_the_wall
from engine.journal.entries import TurnBegan
from engine.journal.reader import Journal
from engine.journal.records import Sitting

SHORTEST = 1.0
"""Seconds; a shorter silence between two runs of the sound, or within one, is told with no duration of its own."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """A while in which it was to sound and did not.

    Attributes:
        began, ended: in seconds of UTC.
        what: "not running", "no sound", "muted".
        cause: what is known of why, for people.
    """

    began: float
    ended: float
    what: str
    cause: str


@dataclass(frozen=True, slots=True)
class ReportedChange:
    """Something that somebody changed.

    Attributes:
        wall: when, in seconds of UTC.
        who: a hand by where it asked, "timetable", "installation file".
        what: was done, for people.
    """

    wall: float
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class DailyReport:
    """A day.

    Attributes:
        day: which.
        open_seconds: for which sound was intended, up to now; None where no timetable is known.
        sounded_seconds: for which it sounded, whoever heard it.
        interruptions: in order.
        changes: likewise.
        accidents: what went wrong otherwise, pairs of a moment and what.
    """

    day: date
    open_seconds: float | None
    sounded_seconds: float
    interruptions: tuple[Interruption, ...]
    changes: tuple[ReportedChange, ...]
    accidents: tuple[tuple[float, str], ...]


def daily_report(journal: Journal, day: date, zone: tzinfo, timetable: Timetable | None, now: datetime) -> DailyReport:
    """The report of a day.

    Args:
        journal: of the installation.
        day: which.
        zone: of its clock.
        timetable: of its file as it is now; None where that cannot be read.
        now: nothing later is reported.
    """
    begin = first_moment(on_the_wall(day, 0), zone).timestamp()
    end = min(first_moment(on_the_wall(day + timedelta(days=1), 0), zone).timestamp(), now.timestamp())
    sittings = [one for one in journal.sittings(begin, end) if one.end_frame > one.first_frame]
    intended = list(_intended(timetable, begin, end)) if timetable is not None else None
    silent = _silences(journal, sittings, begin, end)
    heard = sum(min(one.ended, end) - max(one.began, begin) for one in sittings)
    gaps = _gaps(sittings, intended, begin, end)
    return DailyReport(
        day=day,
        open_seconds=None if intended is None else sum(last - first for first, last in intended),
        sounded_seconds=max(0.0, heard - sum(one.ended - one.began for one in silent)),
        interruptions=tuple(sorted([*gaps, *silent], key=lambda one: one.began)),
        changes=tuple(_changes(journal, sittings, begin, end)),
        accidents=tuple(
            (one.wall, text)
            for one in journal.happenings(begin, end)
            if not isinstance(one.value, SoundStarved | SoundResumed) and (text := words_of_accident(one.value))
        ),
    )


def _intended(timetable: Timetable, begin: float, end: float) -> Iterator[tuple[float, float]]:
    """Stretches in which sound is intended."""
    moment = datetime.fromtimestamp(begin, UTC)
    last = datetime.fromtimestamp(end, UTC)
    while moment < last:
        intent = timetable.intent(moment)
        until = min(intent.until or last, last)
        if intent.sounds:
            yield moment.timestamp(), until.timestamp()
        moment = max(until, moment + timedelta(seconds=1))


def _gaps(
    sittings: Sequence[Sitting], intended: Sequence[tuple[float, float]] | None, begin: float, end: float
) -> Iterator[Interruption]:
    """Where nothing ran though sound was intended; without a timetable, between what ran."""
    if intended is None:
        intended = [(sittings[0].began, sittings[-1].ended)] if sittings else []
    for first, last in intended:
        place, before = first, None
        for one in [*sittings, None]:
            began = last if one is None else min(one.began, last)
            if began - place > SHORTEST:
                why = "" if before is None else before.ending or "it was cut off"
                then = "" if one is None or one.began >= last else one.told.why
                yield Interruption(place, began, "not running", "; ".join(filter(None, (why, then))) or "not known")
            if one is not None and one.ended > first:
                place, before = max(place, min(one.ended, last)), one


def _silences(journal: Journal, sittings: Sequence[Sitting], begin: float, end: float) -> list[Interruption]:
    """Where it ran and could not be heard."""
    found: list[Interruption] = []
    for sitting in sittings:
        starved: float | None = None
        muted: float | None = None
        last = min(sitting.ended, end)
        for one in journal.happenings(
            kinds=[SoundStarved.__name__, SoundResumed.__name__, GainMoved.__name__], sitting=sitting.number, until=end
        ):
            match one.value:
                case SoundStarved():
                    starved = one.wall
                case SoundResumed(seconds=seconds):
                    began = starved if starved is not None else one.wall - seconds
                    if one.wall - began >= SHORTEST and one.wall > begin:
                        found.append(Interruption(max(began, begin), one.wall, "no sound", "no sound could be made"))
                    starved = None
                case GainMoved(gain="mute", target=target):
                    if target == 0.0:
                        muted = one.wall if muted is None else muted
                    elif muted is not None:
                        if one.wall > begin:
                            found.append(Interruption(max(muted, begin), one.wall, "muted", _by(journal, muted)))
                        muted = None
                case _:
                    pass
        if muted is not None and last > max(muted, begin):
            found.append(Interruption(max(muted, begin), last, "muted", _by(journal, muted)))
        if starved is not None and last - max(starved, begin) >= SHORTEST:
            found.append(Interruption(max(starved, begin), last, "no sound", "no sound could be made"))
    return found


def _by(journal: Journal, wall: float) -> str:
    """Who asked for silence at a moment."""
    for one in journal.happenings(wall - 5.0, wall + 5.0, kinds=[HandAsked.__name__]):
        if isinstance(one.value, HandAsked) and one.value.ask in ("mute", "alarm"):
            return f"{one.value.who} asked: {one.value.ask}"
    return "it was muted at its beginning, as before"


def _changes(journal: Journal, sittings: Sequence[Sitting], begin: float, end: float) -> Iterator[ReportedChange]:
    """Who changed what, in order."""
    found: list[ReportedChange] = []
    kinds = [HandAsked.__name__, Commanded.__name__, TurnBegan.__name__, SceneTookOver.__name__]
    for one in journal.happenings(begin, end, kinds=kinds):
        match one.value:
            case HandAsked(ask=ask, who=who):
                found.append(ReportedChange(one.wall, who, ask))
            case Commanded(command=command, argument=argument):
                found.append(ReportedChange(one.wall, "command", f"{command} {argument}".strip()))
            case TurnBegan(source=source, scene=scene):
                found.append(ReportedChange(one.wall, "timetable", f"{scene} ({source})"))
            case SceneTookOver(title=title):
                found.append(ReportedChange(one.wall, "performance", f"{title} plays, as its file is now"))
            case _:
                pass
    known = ""
    for sitting in sittings:
        if known and sitting.installation and sitting.installation != known:
            found.append(
                ReportedChange(sitting.began, "installation file", f"another one: {sitting.installation[:12]}")
            )
        known = sitting.installation or known
    yield from sorted(found, key=lambda one: one.wall)
