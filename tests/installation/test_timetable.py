"""What is intended at a moment, against a clock that is read over and over."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.form.curves import DayCurve
from engine.installation.hours.opening import ExceptionDays, Hours, Opening
from engine.installation.hours.timetable import Phase, Source, Timetable
from engine.installation.installation import Fades, Loudness, Outside, PlannedRestart, Quiet, UnknownTime
from tests.installation.making import entry, hours, installation, programme
from tests.installation.test_walltime import LEAPS

STEP = timedelta(minutes=5)
A_DAY = 288
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
MUSEUM = ((), *[hours((10, 18))] * 6)
CLOSED = ((),) * 7


def berlin(text):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


# The oracle. It knows of no offsets: it reads the clock every five minutes, and looks when it first and last showed a
# time.


@cache
def faces(zone, start, steps):
    """(moments, what the clock shows at each)."""
    moments = [start + STEP * number for number in range(steps)]
    return moments, [moment.astimezone(zone).replace(tzinfo=None) for moment in moments]


def held(faces, day, hours):
    """For each of these moments whether it is in the hours of a date."""
    found = [False] * len(faces)
    midnight = datetime(day.year, day.month, day.day)
    for one in hours:
        start, end = midnight + timedelta(seconds=one.start), midnight + timedelta(seconds=one.end)
        after = [number for number, face in enumerate(faces) if face >= start]
        before = [number for number, face in enumerate(faces) if face < end]
        if after and before:
            for number in range(after[0], before[-1] + 1):
                found[number] = True
    return found


def either(columns):
    return [any(row) for row in zip(*columns, strict=True)]


minutes_of_day = st.integers(0, 287).map(lambda number: number * 5)


@st.composite
def some_hours(draw):
    """Up to three stretches of a day in order, the last one perhaps over midnight."""
    points = sorted(draw(st.lists(minutes_of_day, max_size=6, unique=True)))
    pairs = [Hours(a * 60.0, b * 60.0) for a, b in zip(points[::2], points[1::2], strict=False)]
    if pairs and draw(st.booleans()):
        last = pairs.pop()
        pairs.append(Hours(last.start, 86400.0 + draw(st.integers(0, points[0] // 5)) * 300.0))
    return tuple(pairs)


weeks = st.lists(some_hours(), min_size=7, max_size=7).map(tuple)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_every_moment_about_a_leap_is_what_the_clock_says(data):
    name, day = data.draw(st.sampled_from(LEAPS))
    zone = ZoneInfo(name)
    week = data.draw(st.none() | weeks)
    days = [day + DAY * number for number in range(-4, 5)]
    special = data.draw(st.dictionaries(st.sampled_from(days[2:7]), some_hours(), max_size=2))
    exceptions = tuple(ExceptionDays((d.year, d.month, d.day), (d.year, d.month, d.day), h) for d, h in special.items())
    own, quiet = data.draw(some_hours()), data.draw(some_hours())
    weekdays = tuple(sorted(data.draw(st.sets(st.integers(0, 6)))))
    made = installation(
        programme=programme(entry(), entry("evening", hours=own, days=weekdays)) if own else programme(),
        opening=Opening(week, exceptions),
        quiet=Quiet(quiet),
        fades=Fades(0.0, 0.0),
    )
    timetable = Timetable(made, zone)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - 4 * DAY
    moments, shown = faces(zone, start, 8 * A_DAY)
    whole = (Hours(0.0, 86400.0),)
    opened = either([held(shown, d, special.get(d, week[d.weekday()] if week is not None else whole)) for d in days])
    fixed = either([held(shown, d, own) for d in days if d.weekday() in weekdays] or [[False] * len(shown)])
    hushed = either([held(shown, d, quiet) for d in days])
    # The first and last days lack what lies beyond them.
    inner = range(2 * A_DAY, 6 * A_DAY)
    states = [
        (
            opened[n],
            opened[n] and hushed[n],
            Source.NOTHING if not opened[n] else Source.FIXED if fixed[n] else Source.PROGRAMME,
        )
        for n in range(len(moments))
    ]

    def told(moment):
        intent = timetable.intent(moment)
        return intent.open, intent.quiet, intent.source

    changes = [n for n in inner if states[n] != states[n - 1]]
    asked = {n + near for n in changes for near in (-1, 0, 1) if n + near in inner}
    asked |= set(data.draw(st.lists(st.sampled_from(inner), max_size=20)))
    for n in sorted(asked):
        assert told(moments[n]) == states[n], moments[n]
    # What the timetable calls the next change may be one of the session alone; those that the clock sees are all there.
    first, last = moments[inner.start], moments[inner.stop - 1]
    seen = [told(moment) for moment, _ in timetable.changes(first, last)]
    kept = [state for number, state in enumerate(seen) if number == 0 or state != seen[number - 1]]
    assert kept == [states[inner.start], *(states[n] for n in changes if inner.start < n < inner.stop - 1)]
    edges = {moment for moment, _ in timetable.changes(first, last)}
    assert {moments[n] for n in changes if n < inner.stop - 1} <= edges


def test_a_day_at_the_museum_fades_in_and_out_within_its_hours():
    timetable = Timetable(installation(opening=Opening(MUSEUM), fades=Fades(20.0, 60.0)), BERLIN)
    told = [
        (moment.astimezone(BERLIN).strftime("%a %H:%M:%S"), intent.phase)
        for moment, intent in timetable.changes(berlin("2026-11-30T12:00"), berlin("2026-12-02T12:00"))
    ]
    assert told == [
        ("Mon 12:00:00", Phase.CLOSED),
        ("Tue 10:00:00", Phase.FADING_IN),
        ("Tue 10:00:20", Phase.OPEN),
        ("Tue 17:59:00", Phase.FADING_OUT),
        ("Tue 18:00:00", Phase.CLOSED),
        ("Wed 10:00:00", Phase.FADING_IN),
        ("Wed 10:00:20", Phase.OPEN),
    ]


def test_hours_that_touch_over_midnight_do_not_fade_there():
    week = (hours((18, 24)), hours((0, 2)), *[()] * 5)
    timetable = Timetable(installation(opening=Opening(week), fades=Fades(60.0, 60.0)), BERLIN)
    phases = [
        (moment.astimezone(BERLIN).strftime("%H:%M"), intent.phase)
        for moment, intent in timetable.changes(berlin("2026-11-30T18:00"), berlin("2026-12-01T12:00"))
    ]
    assert phases == [
        ("18:00", Phase.FADING_IN),
        ("18:01", Phase.OPEN),
        ("01:59", Phase.FADING_OUT),
        ("02:00", Phase.CLOSED),
    ]


def test_the_narrower_exception_is_listed_first_and_counts():
    opening = Opening(
        MUSEUM,
        (
            ExceptionDays((2026, 12, 31), (2026, 12, 31), hours((20, 26))),
            ExceptionDays((0, 12, 24), (0, 1, 2), ()),
        ),
    )
    timetable = Timetable(installation(opening=opening), BERLIN)
    opened = [
        (one.start.astimezone(BERLIN).strftime("%d %H"), one.end.astimezone(BERLIN).strftime("%d %H"))
        for one in timetable.openings(date(2026, 12, 22), date(2027, 1, 3))
    ]
    assert opened == [("22 10", "22 18"), ("23 10", "23 18"), ("31 20", "01 02"), ("03 10", "03 18")]


def test_a_day_that_comes_only_in_leap_years_is_an_exception_then():
    one = ExceptionDays((0, 2, 29), (0, 2, 29), ())
    assert [one.holds(date(year, 2, 28) + DAY) for year in (2026, 2027, 2028)] == [False, False, True]


def test_what_is_always_open_has_a_session_for_each_date_and_what_is_not_one_for_each_opening():
    always = Timetable(installation(), BERLIN)
    assert [always.session(berlin(f"2026-11-{day}T12:00")).name for day in (30, 29)] == [
        "2026-11-30T00:00+01:00",
        "2026-11-29T00:00+01:00",
    ]
    assert always.intent(berlin("2026-11-30T12:00")).until == berlin("2026-12-01T00:00")
    museum = Timetable(installation(opening=Opening((hours((10, 13), (14, 26)), *[()] * 6))), BERLIN)
    names = [
        museum.session(berlin(f"2026-{time}")) for time in ("11-30T12:59", "11-30T13:30", "11-30T14:00", "12-01T01:59")
    ]
    assert [one and one.name for one in names] == ["2026-11-30T10:00+01:00", None, *["2026-11-30T14:00+01:00"] * 2]


def test_a_long_night_of_museums_is_one_session():
    week = (*[()] * 4, hours((18, 24)), hours((0, 24)), ())
    timetable = Timetable(installation(opening=Opening(week)), BERLIN)
    friday, saturday = (timetable.session(berlin(f"2026-11-{day}T20:00")) for day in (27, 28))
    assert friday == saturday
    assert (friday.end - friday.start).total_seconds() == 30 * 3600


def test_what_never_opens_says_that_nothing_will_change():
    timetable = Timetable(installation(opening=Opening(CLOSED)), BERLIN)
    intent = timetable.intent(berlin("2026-11-30T12:00"))
    assert (intent.phase, intent.source, intent.until) == (Phase.CLOSED, Source.NOTHING, None)
    assert timetable.next_opening(berlin("2026-11-30T12:00")) is None


def test_the_next_opening_is_past_the_one_that_runs():
    timetable = Timetable(installation(opening=Opening(MUSEUM)), BERLIN)
    found = [timetable.next_opening(berlin(f"2026-11-{time}")) for time in ("28T12:00", "29T19:00", "29T09:00")]
    assert found == [berlin("2026-11-29T10:00"), berlin("2026-12-01T10:00"), berlin("2026-11-29T10:00")]


def test_outside_the_hours_a_quiet_scene_may_sound():
    made = installation(
        opening=Opening(MUSEUM), outside=Outside("night", installation().path, -15.0), programme=programme()
    )
    night, day = (Timetable(made, BERLIN).intent(berlin(f"2026-12-01T{time}")) for time in ("03:00", "12:00"))
    assert (night.source, night.scene, night.sounds, night.open) == (Source.OUTSIDE, "night", True, False)
    assert day.loudness - night.loudness == pytest.approx(15.0)


def test_restarts_are_planned_for_their_days_and_once_where_their_hour_passes_twice_or_not_at_all():
    made = installation(restart=PlannedRestart(2.5 * 3600, (6,)))
    timetable = Timetable(made, BERLIN)
    told = [
        one.astimezone(BERLIN).strftime("%d %H:%M %Z")
        for one in timetable.restarts(date(2026, 10, 18), date(2026, 10, 31))
    ]
    assert told == ["18 02:30 CEST", "25 02:30 CEST"]
    assert timetable.next_restart(berlin("2026-03-28T12:00")) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert Timetable(installation(), BERLIN).next_restart(berlin("2026-03-28T12:00")) is None


@pytest.mark.parametrize(("policy", "phase"), [(UnknownTime.OPEN, Phase.OPEN), (UnknownTime.CLOSED, Phase.CLOSED)])
def test_while_the_time_is_unknown_nothing_is_louder_than_the_quietest_hour(policy, phase):
    curve = DayCurve(((0.0, -30.0), (43200.0, -20.0)))
    made = installation(unknown_time=policy, loudness=Loudness(curve), opening=Opening(MUSEUM))
    intent = Timetable(made, BERLIN).while_unknown()
    assert (intent.phase, intent.loudness, intent.until) == (phase, -30.0, None)


def test_no_peak_passes_the_ceiling_of_its_hour_and_the_level_moves_no_faster_for_it():
    """Where nothing is turned down a scene has peaks up to -1 dB."""
    ceilings = DayCurve(((28800.0, -1.0), (79200.0, -1.0), (79260.0, -12.0)))  # a leap within a minute, at 22:00
    made = installation(loudness=Loudness(DayCurve(((0.0, -20.0), (43200.0, -18.0))), ceilings, steepest=2.0))
    timetable = Timetable(made, BERLIN)
    start = datetime(2026, 11, 30, tzinfo=UTC)
    intents = [timetable.intent(start + timedelta(minutes=minute)) for minute in range(24 * 60)]
    turned_down = [min(0.0, intent.loudness - -18.0) for intent in intents]
    assert all(-1.0 + down <= intent.ceiling + 1e-9 for down, intent in zip(turned_down, intents, strict=True))
    assert np.abs(np.diff(turned_down)).max() <= 2.0 + 1e-9
    assert min(turned_down) == pytest.approx(-11.0)
    assert max(turned_down) == pytest.approx(0.0, abs=1e-6)
    assert timetable.while_unknown().loudness == pytest.approx(-29.0)


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="needs a time zone"):
        Timetable(installation()).intent(datetime(2026, 11, 30))


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_the_loudness_is_never_above_the_wish_nowhere_too_steep_and_never_lower_than_that_takes(data):
    """Oracle: the envelope by brute force over moments, from what a clock shows at each."""
    name, day = data.draw(st.sampled_from([one for one in LEAPS if one[0] != "Pacific/Apia"]))
    zone = ZoneInfo(name)
    times = sorted(data.draw(st.lists(minutes_of_day, min_size=1, max_size=5, unique=True)))
    points = tuple((time * 60.0, float(data.draw(st.integers(-40, -16)))) for time in times)
    steepest = data.draw(st.sampled_from([0.25, 1.0, 6.0]))
    made = installation(
        loudness=Loudness(DayCurve(points), steepest=steepest), quiet=Quiet(data.draw(some_hours()), level=-9.0)
    )
    timetable = Timetable(made, zone)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - DAY
    moments, shown = faces(zone, start, 3 * A_DAY)
    days = [day + DAY * number for number in range(-3, 5)]
    hushed = either([held(shown, d, made.quiet.hours) for d in days])
    seconds = [3600.0 * face.hour + 60.0 * face.minute for face in shown]
    # At each moment the wish, and what it comes to just before it.
    wishes = np.interp(seconds, *zip(*points, strict=True), period=86400.0) - 9.0 * np.array(hushed)
    before = np.interp(np.roll(seconds, 1) + 300.0, *zip(*points, strict=True), period=86400.0) - 9.0 * np.roll(
        hushed, 1
    )
    lows, away = np.minimum(wishes, before), 5.0 * np.abs(np.arange(len(moments))[:, None] - np.arange(len(moments)))
    for n in data.draw(st.lists(st.integers(A_DAY, 2 * A_DAY), min_size=1, max_size=8)):
        told = timetable.loudness(moments[n])
        assert told == pytest.approx(min((lows + steepest * away[n]).min(), wishes[n]), abs=1e-3)
        assert abs(timetable.loudness(moments[n] + STEP / 5) - told) <= steepest + 1e-3


def test_before_a_quiet_hour_it_goes_down_early_enough():
    made = installation(quiet=Quiet(hours((13, 14)), level=-12.0), loudness=replace(Loudness(), steepest=3.0))
    timetable = Timetable(made, BERLIN)
    told = [
        timetable.loudness(berlin(f"2026-12-01T{time}"))
        for time in ("12:55", "12:58", "13:00", "13:59", "14:02", "14:04")
    ]
    assert told == pytest.approx([-20, -26, -32, -32, -26, -20], abs=0.01)
