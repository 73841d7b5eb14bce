# pyright: strict
"""Lengths, times and levels as an installation file writes them, each with its unit and its bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from pydantic import BeforeValidator

from engine.errors import WrongValueError
from engine.units import (
    DECIBELS,
    SECONDS,
    TIME_OF_DAY,
    Range,
    Unit,
    parse,
    parse_range,
    parse_time_of_day,
    text_schema,
    unit_schema,
)

LENGTH = Unit(
    "a length of time",
    {"min": 60, "h": 3600, "s": 1},
    "`30 min` or `1.5 h`",
    low=60,
    high=86400,
    foreign={
        **dict.fromkeys(("m", "mins", "minute", "minutes"), "min"),
        **dict.fromkeys(("hour", "hours", "hr", "hrs"), "h"),
        **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    },
)
"""In seconds."""


KEEP = Unit(
    "a time for which recordings are kept",
    {"h": 1, "days": 24, "day": 24},
    "`48 h` or `14 days`",
    low=1,
    high=24 * 3660,
    foreign={**dict.fromkeys(("hour", "hours", "hr"), "h"), "d": "days"},
)
"""In hours."""


AIR = replace(SECONDS, noun="a time", example="`10 s`", low=3, words={"off": math.inf})


BANK = replace(SECONDS, noun="a length", example="`60 s`", low=0, high=600, words={"off": 0.0})


LOWER = replace(DECIBELS, low=-60, high=0, words={}, example="`-12 dB`")


def _in(unit: Unit) -> Callable[[object], float]:
    return lambda value: parse(value, unit)


def _lengths(value: object) -> Range:
    return value if isinstance(value, Range) else parse_range(value, LENGTH)


def _bank(value: object) -> float:
    seconds = parse(value, BANK)
    if 0 < seconds < 5:
        raise ValueError(f"`{value}` is out of range: 5 s to 10 min, or `off`")
    return seconds


def _time(value: object) -> float:
    if not isinstance(value, str):
        raise WrongValueError(expected="a time of day, like `04:30`")
    return parse_time_of_day(value)


Lengths = Annotated[Range, BeforeValidator(_lengths), unit_schema(LENGTH, many=True), LENGTH]


Keep = Annotated[float, BeforeValidator(_in(KEEP)), unit_schema(KEEP), KEEP]


Absence = Annotated[float, BeforeValidator(_in(LENGTH)), unit_schema(LENGTH), LENGTH]


Lower = Annotated[float, BeforeValidator(_in(LOWER)), unit_schema(LOWER), LOWER]


Air = Annotated[float, BeforeValidator(_in(AIR)), unit_schema(AIR), AIR]


Bank = Annotated[float, BeforeValidator(_bank), unit_schema(BANK), BANK]


TimeOfDay = Annotated[float, BeforeValidator(_time), text_schema(TIME_OF_DAY, "a time of day, like 04:30")]
