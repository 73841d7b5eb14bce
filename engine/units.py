"""Values with their units, as scenes and instruments write them: `8 bars`, `-14 dB`, `350 ms`, `70 %`, `C3..C5`.

Each name here is a type for pydantic settings. It reads text and gives a plain number in one base unit, so the rest
of the engine never meets a unit. A bare number where a unit is wanted is an error that shows how to write it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, WithJsonSchema

from engine.errors import WrongValueError
from engine.score.harmony.keys import parse_pitch, pitch_name

TIME_OF_DAY = r"^\s*([01]?\d|2[0-3]):[0-5]\d\s*$"
"""Pattern of a time of day."""

_NUMBER = r"[-+]?(?:\d+\.\d+|\d+\s*/\s*\d+|\d+|\.\d+)"
_LONGEST = 64
"""Characters of a value; no measure needs more digits."""

_WITH_UNIT = re.compile(rf"\s*({_NUMBER})\s*([^\d\s.].*?)?\s*")


class Range(NamedTuple):
    """Lowest and highest value, both included; equal for a fixed value."""

    low: float
    high: float


class Turns(NamedTuple):
    """Some bars again and again: of every so many (`turns`) the so manyeth (`turn`), counted from 1."""

    turn: int
    turns: int


class PitchRange(NamedTuple):
    """Lowest and highest MIDI pitch, both included."""

    low: int
    high: int


@dataclass(frozen=True, eq=False)
class Unit:
    """A kind of measure. It is also metadata of the settings in it, so that messages can write their limits.

    Attributes:
        noun: what it measures, for messages.
        factors: accepted spellings, each with the factor to the base unit.
        example: how to write it.
        whole: only whole numbers.
        low: smallest accepted value in the base unit.
        high: largest.
        words: values that are words ("off").
        foreign: what others write, in small letters, each with our spelling of it.
    """

    noun: str
    factors: Mapping[str, float]
    example: str
    whole: bool = False
    low: float = -math.inf
    high: float = math.inf
    words: Mapping[str, float] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)

    def meant(self, spelling: str) -> str:
        """Our spelling of a unit as others write it ("bpm", "db"); empty if it is none."""
        folded = spelling.casefold().rstrip(".")
        return {ours.casefold(): ours for ours in self.factors}.get(folded) or self.foreign.get(folded, "")


def parse_number(text: str) -> Fraction:
    """Read "1.5", "-3" or "3/4", exactly.

    Raises:
        ValueError: not a number.
    """
    top, slash, bottom = text.partition("/")
    if slash and Fraction(bottom.strip()) == 0:
        raise ValueError(f"`{text}` divides by zero")
    return Fraction(top.strip()) / Fraction(bottom.strip()) if slash else Fraction(top)


def parse(value: object, unit: Unit) -> float:
    """Read one value with its unit; gives the number in the base unit.

    Raises:
        ValueError: no unit, a wrong unit, or out of range; the message says how to write it.
    """
    if isinstance(value, str) and value.strip() in unit.words:
        return unit.words[value.strip()]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise WrongValueError(expected=f"{unit.noun}, like {unit.example}")
    text = str(value)
    match = _WITH_UNIT.fullmatch(text) if len(text) <= _LONGEST else None
    if not match:
        raise WrongValueError(f"`{value}` is not {unit.noun}", example=unit.example)
    spelling = match[2] or ""
    if spelling not in unit.factors:
        if not spelling:
            raise WrongValueError(f"`{value}` has no unit", example=unit.example)
        message, right = f"`{spelling}` is not a unit of {unit.noun}", unit.meant(spelling)
        raise WrongValueError(message, example=unit.example, wrong=spelling if right else "", right=right)
    # Exact up to here, and then the nearest float: 95 % is the 0.95 that a limit says, which 95 * 0.01 is not.
    number = float(parse_number(match[1]) * Fraction(str(unit.factors[spelling])))
    if unit.whole and abs(number - round(number)) > 1e-9:
        raise ValueError(f"`{value}` must be a whole number, like {unit.example}")
    if not unit.low <= number <= unit.high:
        raise ValueError(f"`{value}` is out of range: {_span(unit)}")
    return round(number) if unit.whole else number


def parse_range(value: object, unit: Unit) -> Range:
    """Read "8 bars" or "16..24 bars" (the unit once, at the end).

    Raises:
        ValueError: as `parse`; or the range is upside down.
    """
    if isinstance(value, str) and ".." in value:
        left, _, right = value.partition("..")
        high = parse(right, unit)
        suffix = _WITH_UNIT.fullmatch(right)
        spelling = (suffix[2] or "") if suffix else ""
        low_match = _WITH_UNIT.fullmatch(left)
        low = parse(left if low_match and low_match[2] else f"{left} {spelling}", unit)
        if low > high:
            raise ValueError(f"`{value}` is upside down; write the smaller number first")
        return Range(low, high)
    single = parse(value, unit)
    return Range(single, single)


def written(value: object, unit: Unit | None = None) -> str:
    """A value as a scene would write it: 0.35 of PERCENT is "35 %", a range of pitches is "C4..C6"."""
    if isinstance(value, PitchRange):
        return f"{pitch_name(value.low)}..{pitch_name(value.high)}"
    if isinstance(value, Turns):
        return f"{value.turns} bars" if value.turn == value.turns else f"{value.turn}:{value.turns} bars"
    if isinstance(value, Range):
        high = written(value.high, unit)
        return high if value.low == value.high else f"{written(value.low, unit).split()[0]}..{high}"
    if isinstance(value, bool) or value is None:
        return "none" if value is None else str(value).lower()
    if not isinstance(value, int | float):
        return str(value)
    if unit is None:
        return f"{value:g}"
    for word, number in unit.words.items():
        if value == number:
            return word
    # Small values take a smaller unit: 0.012 s is 12 ms.
    fitting = [(name, factor) for name, factor in unit.factors.items() if 1 <= abs(value) / factor < 1000]
    name, factor = next(iter(unit.factors.items()))
    if unit.noun == SECONDS.noun and 0 < abs(value) < 1:
        name, factor = fitting[0] if fitting else (name, factor)
    singular = name.removesuffix("s")
    number = round(value / factor, 6)
    digits = f"{number:.6f}".rstrip("0").rstrip(".")
    return f"{digits} {singular if number == 1 and singular in unit.factors and len(singular) > 1 else name}"


def parse_time_of_day(text: str) -> float:
    """Read a time of day, "6:30" or "18:05"; gives seconds since midnight.

    Raises:
        WrongValueError: it is none.
    """
    if not re.match(TIME_OF_DAY, text):
        raise WrongValueError(f"`{text}` is no time of day", example="`06:00` or `18:30` (midnight is `00:00`)")
    hours, _, minutes = text.partition(":")
    return 3600.0 * int(hours) + 60.0 * int(minutes)


def written_time_of_day(seconds: float) -> str:
    """A time of day as a scene would write it, to the minute that it lies in: "06:30"."""
    minutes = int(seconds // 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _span(unit: Unit) -> str:
    if math.isinf(unit.high):
        return f"at least {written(unit.low, unit)}"
    if math.isinf(unit.low):
        return f"at most {written(unit.high, unit)}"
    return f"{written(unit.low, unit)} to {written(unit.high, unit)}"


_SHARES = {"percent": "%", "per cent": "%", "pct": "%"}
_TIMES = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("msec", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("m", "mins", "minute", "minutes"), "min"),
}

BARS = Unit("a number of bars", {"bars": 1, "bar": 1}, "`8 bars`", whole=True, low=1, high=4096)
BARS_OR_NONE = replace(BARS, low=0)
TIMES = Unit("a number of times", {"times": 1, "time": 1}, "`3 times`", whole=True, low=1, high=1000)
BEATS = Unit("a number of beats", {"beats": 1, "beat": 1}, "`2 beats`", low=0, high=4096)
STEPS = Unit("a number of sixteenth steps", {"steps": 1, "step": 1}, "`32 steps`", whole=True, low=1, high=4096)
SECONDS = Unit("a time", {"s": 1, "ms": 0.001, "min": 60}, "`2.5 s` or `350 ms`", low=0, high=3600, foreign=_TIMES)
MICROTIME = replace(SECONDS, noun="a small time", example="`9 ms` or `-5 ms`", low=-0.1, high=0.1)
DECIBELS = Unit(
    "a level",
    {"dB": 1},
    "`-14 dB`",
    low=-120,
    high=24,
    words={"off": -math.inf},
    foreign={"dbfs": "dB", "decibels": "dB"},
)
DIFFERENCE = replace(DECIBELS, noun="a difference", example="`12 dB`", low=1, high=60, words={})
PERCENT = Unit("a share", {"%": 0.01}, "`70 %`", low=0, high=1, foreign=_SHARES)
AMOUNT = Unit("an amount", {"%": 0.01}, "`130 %`", low=0, high=2, foreign=_SHARES)
SEMITONES = Unit(
    "an interval",
    {"semitones": 1, "semitone": 1, "octaves": 12, "octave": 12},
    "`7 semitones` or `-1 octave`",
    whole=True,
    low=-60,
    high=60,
)
CENTS = Unit("a detuning", {"cents": 1, "cent": 1}, "`8 cents`", low=-1200, high=1200)
QPM = Unit(
    "a tempo in quarter notes per minute", {"qpm": 1}, "`96 qpm`", low=20, high=300, foreign={"bpm": "qpm", "mm": "qpm"}
)
HERTZ = Unit(
    "a frequency",
    {"Hz": 1, "kHz": 1000},
    "`440 Hz` or `1.2 kHz`",
    low=0.01,
    high=20000,
    foreign={"hertz": "Hz", "kilohertz": "kHz"},
)


def _one(unit: Unit) -> Callable[[object], float]:
    return lambda value: parse(value, unit)


def _many(unit: Unit) -> Callable[[object], Range]:
    return lambda value: value if isinstance(value, Range) else parse_range(value, unit)


def unit_schema(unit: Unit, many: bool = False) -> WithJsonSchema:
    """JSON Schema of a value with a unit; with `many` of a range, too."""
    spellings = "|".join(re.escape(spelling) for spelling in unit.factors)
    number = r"[-+]?(\d+(\.\d+)?|\.\d+|\d+\s*/\s*\d+)"
    first = rf"({number}\s*({spellings})?\s*\.\.\s*)?" if many else ""
    pattern = rf"^\s*{first}{number}\s*({spellings})\s*$"
    if unit.words:
        pattern = rf"{pattern}|^({'|'.join(unit.words)})$"
    return text_schema(pattern, f"{unit.noun}, like {unit.example}".replace("`", ""))


def text_schema(pattern: str, wanted: str) -> WithJsonSchema:
    """JSON Schema of a value that is written as text.

    Args:
        pattern: regular expression.
        wanted: what it is and how to write it; editors say so when the pattern does not match.
    """
    return WithJsonSchema(
        {
            "type": "string",
            "pattern": pattern,
            "description": wanted,
            # The YAML language server shows this instead of the pattern.
            "patternErrorMessage": f"Expected {wanted}",
        }
    )


Bars = Annotated[int, BeforeValidator(_one(BARS)), unit_schema(BARS), BARS]
BarsOrNone = Annotated[int, BeforeValidator(_one(BARS_OR_NONE)), unit_schema(BARS_OR_NONE), BARS_OR_NONE]
Beats = Annotated[float, BeforeValidator(_one(BEATS)), unit_schema(BEATS), BEATS]
Steps = Annotated[int, BeforeValidator(_one(STEPS)), unit_schema(STEPS), STEPS]
Seconds = Annotated[float, BeforeValidator(_one(SECONDS)), unit_schema(SECONDS), SECONDS]
Microtime = Annotated[float, BeforeValidator(_one(MICROTIME)), unit_schema(MICROTIME), MICROTIME]
Decibels = Annotated[float, BeforeValidator(_one(DECIBELS)), unit_schema(DECIBELS), DECIBELS]
Difference = Annotated[float, BeforeValidator(_one(DIFFERENCE)), unit_schema(DIFFERENCE), DIFFERENCE]
Percent = Annotated[float, BeforeValidator(_one(PERCENT)), unit_schema(PERCENT), PERCENT]
Amount = Annotated[float, BeforeValidator(_one(AMOUNT)), unit_schema(AMOUNT), AMOUNT]
Semitones = Annotated[int, BeforeValidator(_one(SEMITONES)), unit_schema(SEMITONES), SEMITONES]
Cents = Annotated[float, BeforeValidator(_one(CENTS)), unit_schema(CENTS), CENTS]
Qpm = Annotated[float, BeforeValidator(_one(QPM)), unit_schema(QPM), QPM]
Hertz = Annotated[float, BeforeValidator(_one(HERTZ)), unit_schema(HERTZ), HERTZ]
BarRange = Annotated[Range, BeforeValidator(_many(BARS)), unit_schema(BARS, many=True), BARS]
TimesRange = Annotated[Range, BeforeValidator(_many(TIMES)), unit_schema(TIMES, many=True), TIMES]
SecondsRange = Annotated[Range, BeforeValidator(_many(SECONDS)), unit_schema(SECONDS, many=True), SECONDS]
PercentRange = Annotated[Range, BeforeValidator(_many(PERCENT)), unit_schema(PERCENT, many=True), PERCENT]
AmountRange = Annotated[Range, BeforeValidator(_many(AMOUNT)), unit_schema(AMOUNT, many=True), AMOUNT]
QpmRange = Annotated[Range, BeforeValidator(_many(QPM)), unit_schema(QPM, many=True), QPM]


def _pitch(value: object) -> int:
    if not isinstance(value, str):
        raise WrongValueError(expected="a pitch: a note name with its octave, like C4 (middle C)")
    return parse_pitch(value)


def _pitch_range(value: Any) -> PitchRange:
    if isinstance(value, PitchRange):
        return value
    if not isinstance(value, str) or ".." not in value:
        raise WrongValueError(expected="a range of pitches, like C3..C5")
    low, _, high = value.partition("..")
    span = PitchRange(parse_pitch(low), parse_pitch(high))
    if span.high - span.low < 11:
        raise ValueError(f"`{value}` must span an octave at least, the lower pitch first, like C3..C5")
    return span


def _turns(value: object) -> Turns:
    if isinstance(value, Turns):
        return value
    match = re.fullmatch(r"\s*(?:(\d{1,3})\s*:\s*)?(\d{1,3})\s*bars?\s*", value) if isinstance(value, str) else None
    if not match:
        raise WrongValueError(expected="some bars out of a group, like `4 bars` (the last of every four) or `1:4 bars`")
    turns = int(match[2])
    turn = int(match[1] or turns)
    if not 2 <= turns <= 64 or not 1 <= turn <= turns:
        raise ValueError(f"`{value}` is out of range: one of the bars of a group of 2 to 64")
    return Turns(turn, turns)


EveryBars = Annotated[
    Turns,
    BeforeValidator(_turns),
    text_schema(r"^\s*(\d{1,3}\s*:\s*)?\d{1,3}\s*bars?\s*$", "some bars out of a group, like 4 bars or 1:4 bars"),
]

_PITCH_PATTERN = r"[A-Ga-g](##|bb|#|b)?-?\d"
Pitch = Annotated[
    int,
    BeforeValidator(_pitch),
    text_schema(rf"^\s*{_PITCH_PATTERN}\s*$", "a pitch, like C4"),
]
Pitches = Annotated[
    PitchRange,
    BeforeValidator(_pitch_range),
    text_schema(
        rf"^\s*{_PITCH_PATTERN}\s*\.\.\s*{_PITCH_PATTERN}\s*$", "a range of pitches of at least an octave, like C3..C5"
    ),
]
