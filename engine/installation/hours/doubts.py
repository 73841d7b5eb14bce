# pyright: strict
"""What of an installation is probably not meant, as only its timetable shows: looked for in the week from a day on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from engine.form.curves import DayCurve
from engine.installation.hours.opening import Hours
from engine.installation.hours.outlook import clock, span_words
from engine.installation.hours.timetable import Source, Timetable
from engine.installation.hours.walltime import first_moment, last_moment, on_the_wall
from engine.installation.installation import AfterRest
from engine.score.time import DAY
from engine.units import written_time_of_day

_DAY = timedelta(days=1)
_WEEK = 7
_LONG_REST = 60.0
"""Seconds of a rest that a visitor takes for a failure."""


def doubts(timetable: Timetable, day: date) -> list[str]:
    """Sentences about what should perhaps be otherwise, each once.

    Args:
        timetable: of the installation.
        day: the first of the seven days that are looked at.
    """
    found = [
        *_never_open(timetable, day),
        *_restarts(timetable, day),
        *_never_due(timetable, day),
        *_short_openings(timetable, day),
        *_steep(timetable),
        *_without_notes(timetable),
        *_left_out(timetable, day),
    ]
    return list(dict.fromkeys(found))


def _never_open(timetable: Timetable, day: date) -> Iterator[str]:
    if timetable.openings(day, day + _DAY * (_WEEK - 1)):
        return
    start = first_moment(on_the_wall(day, 0), timetable.zone)
    following = timetable.next_opening(start)
    when = f"it opens again on {_named(following, timetable)}" if following is not None else "it never opens"
    yield f"closed for the whole week from {day} on: {when}"


def _restarts(timetable: Timetable, day: date) -> Iterator[str]:
    for one in timetable.restarts(day, day + _DAY * (_WEEK - 1)):
        if timetable.session(one) is not None:
            when = clock(one.astimezone(timetable.zone))
            yield f"the planned restart at {when} is in open hours: the music will be interrupted"
            return


def _never_due(timetable: Timetable, day: date) -> Iterator[str]:
    """Scenes whose hours, and quiet hours that, never come while it is open."""
    start, end = (first_moment(on_the_wall(one, 0), timetable.zone) for one in (day, day + _DAY * _WEEK))
    intents = [intent for _, intent in timetable.changes(start, end)]
    due = {intent.scene for intent in intents if intent.source is Source.FIXED}
    if not any(intent.open for intent in intents):
        return
    for name, entry in timetable.installation.programme.scenes.items():
        if entry.hours and name not in due:
            yield f"{name} is never heard in this week: its hours lie in closed ones"
    if timetable.installation.quiet.hours and not any(intent.quiet for intent in intents):
        yield "the quiet hours lie in closed ones, all of this week"


def _short_openings(timetable: Timetable, day: date) -> Iterator[str]:
    fades = timetable.installation.fades
    for start, end in timetable.openings(day, day + _DAY * (_WEEK - 1)):
        length = (end - start).total_seconds()
        whole = timetable.session(start)
        if whole is not None and (whole.end - whole.start).total_seconds() <= fades.fade_in + fades.fade_out:
            when = _named(start, timetable)
            yield f"{when} it is open for {span_words(length)} only, which the fades fill: it never gets to its level"
            return


def _steep(timetable: Timetable) -> Iterator[str]:
    loudness = timetable.installation.loudness
    for before, after, jump, minutes in _segments(loudness.target):
        if abs(jump) > loudness.steepest * minutes * (1 + 1e-9):
            way = "rises" if jump > 0 else "falls"
            length = span_words(abs(jump) / loudness.steepest * 60)
            jumps = f"the loudness {way} by {abs(jump):g} dB from {before} to {after}"
            yield f"{jumps}, faster than {loudness.steepest:g} dB a minute: it will take {length}"


def _without_notes(timetable: Timetable) -> Iterator[str]:
    quiet = timetable.installation.quiet
    if quiet.density == 0:
        when = "in the quiet hours nothing sounds, although it is open" if quiet.hours else "quiet mode is silence"
        yield f"{when}: `density` is 0 %"
    programme = timetable.installation.programme
    for one in (programme.transition, *(entry.transition for entry in programme.scenes.values())):
        if isinstance(one, AfterRest) and one.rest > _LONG_REST:
            yield f"between scenes nothing sounds for {span_words(one.rest)}, although it is open"


def _left_out(timetable: Timetable, day: date) -> Iterator[str]:
    """Hours that a clock that is put forward leaves out altogether."""
    for one in (day + _DAY * number for number in range(_WEEK)):
        for hours in timetable.hours_of(one) or ():
            if _is_left_out(timetable, one, hours):
                yield f"the hours {hours} do not come on {one}: the clock is put forward over them"


def _is_left_out(timetable: Timetable, day: date, hours: Hours) -> bool:
    start, end = on_the_wall(day, hours.start), on_the_wall(day, hours.end)
    return first_moment(start, timetable.zone) >= last_moment(end, timetable.zone)


def _segments(curve: DayCurve) -> Iterator[tuple[str, str, float, float]]:
    """(from, to, change, minutes) of the lines between the points of a curve, that over midnight included."""
    points = list(curve.points)
    if len(points) < 2:
        return
    for (time, value), (next_time, next_value) in zip(points, [*points[1:], points[0]], strict=True):
        minutes = ((next_time - time) % DAY or DAY) / 60
        yield written_time_of_day(time), written_time_of_day(next_time), next_value - value, minutes


def _named(moment: datetime, timetable: Timetable) -> str:
    return moment.astimezone(timetable.zone).strftime("%A %-d %B at %H:%M")
