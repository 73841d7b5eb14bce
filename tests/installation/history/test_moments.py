"""What people type is the moment that they mean, on the installation's clock; what is none is refused in words."""

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.installation.history.moments import parse_moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=BERLIN)
"""A Saturday."""


def moment(text: str, latest: bool = False) -> str:
    return parse_moment(text, BERLIN, NOW, latest).at.astimezone(BERLIN).isoformat(" ", "minutes")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-20 15:32", "2026-11-20 15:32+01:00"),
        ("2026-11-20T15:32", "2026-11-20 15:32+01:00"),
        ("2026-11-20 15:32Z", "2026-11-20 16:32+01:00"),
        ("2026-07-20 15:32", "2026-07-20 15:32+02:00"),
        ("9:00", "2026-11-28 09:00+01:00"),
        ("15:32", "2026-11-27 15:32+01:00"),
        ("yesterday 15:32", "2026-11-27 15:32+01:00"),
        ("today 11:00", "2026-11-28 11:00+01:00"),
        ("Tuesday 15:32", "2026-11-24 15:32+01:00"),
        ("sat 15:32", "2026-11-21 15:32+01:00"),
        ("sat 9:00", "2026-11-28 09:00+01:00"),
        ("20 Nov 3:32 pm", "2026-11-20 15:32+01:00"),
        ("24 Dec 10:00", "2025-12-24 10:00+01:00"),
        ("yesterday", "2026-11-27 00:00+01:00"),
        ("2026-11-20", "2026-11-20 00:00+01:00"),
    ],
)
def test_what_people_type_is_understood(text, meant):
    assert moment(text) == meant


def test_a_day_ends_where_its_end_is_asked_for():
    assert moment("2026-03-29", latest=True) == "2026-03-30 00:00+02:00"
    assert moment("yesterday", latest=True) == "2026-11-28 00:00+01:00"


@pytest.mark.parametrize(
    "text",
    ["", "10", "foo", "3/4/2026 15:32", "20.11.2026 15:32", "2026-13-40 15:32", "2026-11-20 25:00", "15:32 EST",
     "mon\x00 15:32", "0001-01-01 00:00", "1" * 5000, "yesterday 2026-11-01 15:32", "-1:30", "now()"],
)  # fmt: skip
def test_what_is_no_moment_or_could_be_two_is_refused_with_what_to_write(text):
    with pytest.raises(PerpetuumError, match="is no moment") as found:
        parse_moment(text, BERLIN, NOW)
    assert len(str(found.value)) < 300


def test_of_an_hour_that_passes_twice_it_is_said_which_one_is_meant():
    found = parse_moment("2026-10-25 02:30", BERLIN, NOW)
    assert found.at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert "twice" in found.note
    assert "2026-10-25 02:30+01:00 for the second" in found.note
    assert parse_moment("2026-10-25 02:30+01:00", BERLIN, NOW).at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_time_that_no_clock_showed_is_refused():
    with pytest.raises(PerpetuumError, match="put forward") as found:
        parse_moment("2026-03-29 02:30", BERLIN, NOW)
    assert "03:00" in str(found.value)


@given(st.integers(0, 365 * 24 * 60 - 1), st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"]))
def test_what_a_clock_shows_is_a_moment_at_which_it_shows_that(minutes, name):
    """The oracle is a clock that is read at the moment found, and at all others near it."""
    zone = ZoneInfo(name)
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    shown = f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
    found = parse_moment(shown, zone, datetime(2028, 1, 1, tzinfo=UTC))
    assert f"{found.at.astimezone(zone):%Y-%m-%d %H:%M}" == shown
    others = [at + timedelta(minutes=step) for step in range(-120, 121, 30)]
    twice = sum(f"{other.astimezone(zone):%Y-%m-%d %H:%M}" == shown for other in others) > 1
    assert ("twice" in found.note) == twice


@given(st.text(max_size=30))
def test_no_text_does_more_than_raise_that_error(text):
    with contextlib.suppress(PerpetuumError):
        parse_moment(text, BERLIN, NOW)
