"""Units in values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine import units
from engine.generators.contract import Settings
from engine.units import PitchRange, Range, parse, parse_range, written

ALL = [value for value in vars(units).values() if isinstance(value, units.Unit)]


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("8 bars", units.BARS, 8),
        ("1 bar", units.BARS, 1),
        ("-14 dB", units.DECIBELS, -14.0),
        ("-14dB", units.DECIBELS, -14.0),
        ("off", units.DECIBELS, -math.inf),
        ("70 %", units.PERCENT, 0.7),
        ("350 ms", units.SECONDS, 0.35),
        ("1.5 min", units.SECONDS, 90.0),
        ("3/4 beats", units.BEATS, 0.75),
        ("-1 octave", units.SEMITONES, -12),
        ("1.2 kHz", units.HERTZ, 1200.0),
    ],
)
def test_a_value_is_a_number_in_its_base_unit(text, unit, value):
    assert parse(text, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (8, units.BARS, "has no unit"),
        ("8", units.BARS, "write it like `8 bars`"),
        ("8 beats", units.BARS, "`beats` is not a unit"),
        ("2.5 bars", units.BARS, "whole number"),
        ("0 bars", units.BARS, "out of range"),
        ("30 dB", units.DECIBELS, "-120 dB to 24 dB"),
        ("120 %", units.PERCENT, "0 % to 100 %"),
        ("1/0 beats", units.BEATS, "divides by zero"),
        (True, units.BARS, "expected"),
        (None, units.SECONDS, "expected a time"),
        ("loud", units.DECIBELS, "`-14 dB`"),
    ],
)
def test_a_wrong_value_is_refused_with_the_way_to_write_it(value, unit, words):
    with pytest.raises(ValueError, match=words):
        parse(value, unit)


def test_the_unit_of_a_range_may_stand_once_at_its_end():
    assert parse_range("16..24 bars", units.BARS) == Range(16, 24)
    assert parse_range("16 bars..24 bars", units.BARS) == Range(16, 24)
    assert parse_range("16 bars", units.BARS) == Range(16, 16)


def test_a_range_upside_down_is_refused():
    with pytest.raises(ValueError, match="upside down"):
        parse_range("24..16 bars", units.BARS)


@pytest.mark.parametrize("unit", ALL, ids=lambda unit: unit.noun)
def test_the_example_of_every_unit_can_be_read(unit):
    for example in unit.example.split("`")[1::2]:
        assert isinstance(parse(example, unit), int | float)


@pytest.mark.parametrize("unit", ALL, ids=lambda unit: unit.noun)
@given(data=st.data())
def test_what_is_written_is_read_back_as_the_same_value(unit, data):
    low, high = max(unit.low, -1000), min(unit.high, 1000)
    value = data.draw(st.integers(math.ceil(low), math.floor(high)) if unit.whole else st.floats(low, high))
    assert parse(written(value, unit), unit) == pytest.approx(value, abs=1e-3, rel=1e-3)


def test_values_are_written_as_scenes_write_them():
    assert written(0.35, units.PERCENT) == "35 %"
    assert written(0.012, units.SECONDS) == "12 ms"
    assert written(1, units.BARS) == "1 bar"
    assert written(Range(16, 24), units.BARS) == "16..24 bars"
    assert written(PitchRange(60, 84)) == "C4..C6"
    assert written(-math.inf, units.DECIBELS) == "off"


class Example(Settings):
    length: units.Bars | None = None
    range: units.Pitches = PitchRange(60, 72)
    root: units.Pitch = 60


def test_units_work_as_types_of_settings():
    settings = Example.model_validate({"length": "4 bars", "range": "C3..C5", "root": "F#3"})
    assert (settings.length, settings.range, settings.root) == (4, PitchRange(48, 72), 54)


@pytest.mark.parametrize("settings", [{"length": 4}, {"range": "C5..C3"}, {"range": "C4..D4"}, {"root": 60}])
def test_settings_refuse_values_without_units(settings):
    with pytest.raises(ValidationError):
        Example.model_validate(settings)
