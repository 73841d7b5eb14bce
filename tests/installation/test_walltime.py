"""Local clocks on the days on which they leap."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.installation.hours.walltime import (
    find_zone,
    first_moment,
    last_moment,
    leap_between,
    on_the_wall,
    time_of_day,
    zone_of_the_machine,
)

BERLIN = ZoneInfo("Europe/Berlin")

# Leaps by an hour, half an hour, two hours, at midnight, and by a whole day; a zone without any.
LEAPS = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Antarctica/Troll", date(2026, 3, 29)),
    ("Antarctica/Troll", date(2026, 10, 25)),
    ("America/Santiago", date(2026, 9, 6)),
    ("America/Santiago", date(2026, 4, 5)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 30)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Asia/Kathmandu", date(2026, 6, 1)),
]


def shown_minutes(zone, day):
    """(moment, what the clock shows) of every minute about a day, asked of zoneinfo forwards, never backwards."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    for _ in range(5 * 288):
        yield moment, moment.astimezone(zone).replace(tzinfo=None)
        moment += timedelta(minutes=5)


@pytest.mark.parametrize(("name", "day"), LEAPS)
def test_a_time_that_a_clock_shows_twice_or_never_has_its_first_and_its_last_moment(name, day):
    zone = ZoneInfo(name)
    minutes = list(shown_minutes(zone, day))
    for wanted in range(0, 1440, 15):
        shown = on_the_wall(day, wanted * 60.0)
        first = next(moment for moment, face in minutes if face >= shown)
        last = next(moment for moment, face in reversed(minutes) if face < shown) + timedelta(minutes=5)
        assert (first_moment(shown, zone), last_moment(shown, zone)) == (first, last), shown


def test_a_leap_is_found_to_the_second():
    noon = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert leap_between(noon, noon + timedelta(days=1), BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert leap_between(noon, noon + timedelta(hours=2), BERLIN) is None


@given(st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1)), st.sampled_from([name for name, _ in LEAPS]))
def test_the_time_of_day_is_what_the_clock_shows(moment, name):
    moment = moment.replace(tzinfo=UTC)
    local = moment.astimezone(ZoneInfo(name))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    shown = (local.replace(tzinfo=None) - midnight).total_seconds()
    assert time_of_day(moment, ZoneInfo(name)) == pytest.approx(shown)


@pytest.mark.parametrize(
    "name", ["", "Europe", "Europe/Berln", "../../etc/passwd", "/etc/localtime", "x" * 5000, "a\0b"]
)
def test_what_is_no_zone_is_said_to_be_none(name):
    with pytest.raises(PerpetuumError, match="there is no time zone"):
        find_zone(name)


def test_the_zone_of_the_machine_is_what_tz_names_or_what_the_system_says(monkeypatch, tmp_path):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert zone_of_the_machine().utcoffset(datetime(2026, 1, 1)) == timedelta(hours=9)
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    assert zone_of_the_machine(tmp_path / "nothing") is UTC
    (tmp_path / "broken").write_text("no zone")
    assert zone_of_the_machine(tmp_path / "broken") is UTC
