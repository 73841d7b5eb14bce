# pyright: strict
"""Values that scenes write as text: keys, tempi, levels of playing, shapes, places between the speakers."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, WithJsonSchema

from engine.errors import WrongValueError
from engine.form.curves import Curve
from engine.form.scene import Tempo
from engine.form.shapes import SHAPES
from engine.score.dynamics import LEVELS, parse_level
from engine.score.harmony.keys import MODES, Key, meant_key, parse_pitch_class
from engine.score.harmony.relations import RELATIONS, Relation
from engine.score.time import Meter
from engine.units import (
    BEATS,
    PERCENT,
    QPM,
    SECONDS,
    Range,
    parse,
    parse_range,
    text_schema,
)


def split_curve(text: str) -> list[str]:
    """The points of "-30 -> -14 dB" with a unit on each: the last one's unit also counts for those without.

    Raises:
        WrongValueError: a point is missing.
    """
    points = [point.strip() for point in text.split("->")]
    if not all(points):
        raise WrongValueError(f"a point is missing in `{text}`", example="`0.8 -> 1.2`")
    unit = re.fullmatch(r"[-+\d./\s]*\d\s*([^\d\s.].*)", points[-1])
    bare = re.compile(r"[-+]?[\d./\s]*\d")
    return [f"{point} {unit[1]}" if unit and bare.fullmatch(point) else point for point in points]


def _text_of(parser: Callable[[str], Any], wanted: str, kind: type | UnionType) -> Callable[[object], Any]:
    def read(value: object) -> Any:
        if isinstance(value, kind):
            return value
        if not isinstance(value, str):
            raise WrongValueError(expected=wanted)
        return parser(value)

    return read


def _key(text: str) -> Key:
    tonic, _, mode = text.strip().partition(" ")
    mode = " ".join(mode.lower().replace("_", " ").split())
    try:
        if mode and mode not in MODES:
            parse_pitch_class(tonic)
            raise WrongValueError(f"`{mode}` is no mode", word=mode, candidates=list(MODES))
        return Key.parse(text)
    except WrongValueError as error:
        meant = meant_key(text)
        if meant:
            raise WrongValueError(error.message, example=error.example, wrong=text, right=meant) from error
        raise


def _section_key(text: str) -> Key | Relation:
    name = " ".join(text.lower().split())
    if name in RELATIONS:
        return Relation(name)
    try:
        return _key(text)
    except WrongValueError as error:
        if error.right:
            raise
        raise WrongValueError(
            f"`{text}` is neither a key nor a relation to one",
            example="`F major` or `fifth up`",
            word=error.word or text,
            candidates=(*error.candidates, *RELATIONS),
        ) from error


def _dynamics(text: str) -> Curve:
    return Curve(tuple(parse_level(point) for point in text.split("->")))


def _levels(text: str) -> Range:
    low, _, high = text.partition("..")
    span = Range(parse_level(low), parse_level(high or low))
    if span.low > span.high:
        raise WrongValueError(f"`{text}` is upside down", example="`p..f`, the softer level first")
    return span


def _shapes(value: object) -> dict[str, float]:
    if isinstance(value, str):
        value = {value: 1.0}
    if not isinstance(value, dict) or not value:
        raise WrongValueError(expected="a shape, like `arc`, or several with weights, like `{arc: 2, wave: 1}`")
    found: dict[str, float] = {}
    for name, weight in cast("dict[object, object]", value).items():
        if not isinstance(name, str) or name not in SHAPES:
            words = ", ".join(f"`{known}`" for known in SHAPES)
            raise WrongValueError(
                f"`{name}` is no shape of a movement", example=words, word=str(name), candidates=tuple(SHAPES)
            )
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1e6:
            raise WrongValueError(f"the weight of `{name}` will not do", example="`{arc: 2, wave: 1}`")
        found[name] = float(weight)
    if not sum(found.values()) > 0:
        raise WrongValueError("all weights are 0", example="`{arc: 2, wave: 1}`")
    return found


def _tempo(text: str) -> Tempo:
    if "->" in text:
        points = tuple(parse(point, QPM) for point in split_curve(text))
        return Tempo(Range(min(points), max(points)), Curve(points))
    return Tempo(parse_range(text, QPM))


_PAN_WANTED = "a place between the speakers, like `center`, `20 % left` or `35 % right`"


def _pan(value: object) -> float:
    if isinstance(value, float | int) and not isinstance(value, bool) and value == 0:
        return 0.0
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*(left|right)\s*", value) if isinstance(value, str) else None
    if isinstance(value, str) and value.strip() in ("center", "centre", "left", "right"):
        return {"left": -1.0, "right": 1.0}.get(value.strip(), 0.0)
    if not match or float(match[1]) > 100:
        raise WrongValueError(expected=_PAN_WANTED)
    return float(match[1]) / 100 * (-1 if match[2] == "left" else 1)


def _delay_time(value: object) -> tuple[float, str]:
    """(number, "beats" or "seconds")."""
    if isinstance(value, str) and value.rstrip().endswith(("beat", "beats")):
        beats = parse(value, BEATS)
        if beats <= 0:
            raise WrongValueError(f"`{value}` is too short", example="`3/4 beats`")
        return beats, "beats"
    if not isinstance(value, str) or value.rstrip()[-1:].isdigit():
        raise WrongValueError(expected="a time with its unit, like `3/4 beats` or `350 ms`")
    seconds = parse(value, SECONDS)
    if not 0.01 <= seconds <= 4:
        raise ValueError(f"`{value}` is out of range: 10 ms to 4 s")
    return seconds, "seconds"


def _reverb_time(value: object) -> float:
    seconds = parse(value, SECONDS)
    if not 0.1 <= seconds <= 20:
        raise ValueError(f"`{value}` is out of range: 0.1 s to 20 s")
    return seconds


def _feedback(value: object) -> float:
    share = parse(value, PERCENT)
    if share > 0.95:
        raise ValueError(f"`{value}` is out of range: 0 % to 95 %, or the echoes would never end")
    return share


_TEMPO_WANTED = "a tempo, like `90 qpm`, `84..92 qpm` or `84 -> 92 qpm`"
_KEY_WANTED = "a key, like `D dorian` or `F# minor`"
_SECTION_KEY_WANTED = "a key, like `F major`, or how it stands to the home key, like `fifth up` or `relative`"
_DYNAMICS_WANTED = "a level of playing from `pp` to `ff`, or a curve, like `mp -> f`"
_LEVELS_WANTED = "levels of playing, like `p..f`"
_METER_WANTED = "a meter, like `4/4` or `6/8`"

TempoText = Annotated[
    Tempo,
    BeforeValidator(_text_of(_tempo, _TEMPO_WANTED, Tempo)),
    text_schema(
        r"^\s*[0-9.]+\s*(qpm|(qpm)?\s*\.\.\s*[0-9.]+\s*qpm|(qpm)?(\s*->\s*[0-9.]+\s*(qpm)?)*\s*->\s*[0-9.]+\s*qpm)\s*$",
        _TEMPO_WANTED,
    ),
]
KeyText = Annotated[
    Key,
    BeforeValidator(_text_of(_key, _KEY_WANTED, Key)),
    text_schema(rf"^\s*[A-Ga-g](##|bb|#|b)?(\s+({'|'.join(MODES)}))?\s*$", _KEY_WANTED),
]
SectionKeyText = Annotated[
    Key | Relation,
    BeforeValidator(_text_of(_section_key, _SECTION_KEY_WANTED, Key | Relation)),
    text_schema(rf"^\s*([A-Ga-g](##|bb|#|b)?(\s+({'|'.join(MODES)}))?|{'|'.join(RELATIONS)})\s*$", _SECTION_KEY_WANTED),
]
_LEVEL = f"({'|'.join(LEVELS)})"
DynamicsText = Annotated[
    Curve,
    BeforeValidator(_text_of(_dynamics, _DYNAMICS_WANTED, Curve)),
    text_schema(rf"^\s*{_LEVEL}(\s*->\s*{_LEVEL})*\s*$", _DYNAMICS_WANTED),
]
LevelsText = Annotated[
    Range,
    BeforeValidator(_text_of(_levels, _LEVELS_WANTED, Range)),
    text_schema(rf"^\s*{_LEVEL}(\s*\.\.\s*{_LEVEL})?\s*$", _LEVELS_WANTED),
]
Shapes = Annotated[
    dict[str, float],
    BeforeValidator(_shapes),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": list(SHAPES)},
                {
                    "type": "object",
                    "properties": {name: {"type": "number", "minimum": 0} for name in SHAPES},
                    "additionalProperties": False,
                    "minProperties": 1,
                },
            ]
        }
    ),
]
MeterText = Annotated[
    Meter,
    BeforeValidator(_text_of(Meter.parse, _METER_WANTED, Meter)),
    text_schema(r"^\s*\d{1,2}\s*/\s*(1|2|4|8|16)\s*$", _METER_WANTED),
]
Pan = Annotated[
    float,
    BeforeValidator(_pan),
    text_schema(r"^\s*(cent(er|re)|left|right|\d+(\.\d+)?\s*%\s*(left|right))\s*$", _PAN_WANTED),
]
DelayTime = Annotated[
    tuple[float, str],
    BeforeValidator(_delay_time),
    text_schema(r"^\s*[0-9./ ]+\s*(beats?|s|ms)\s*$", "a time with its unit, like `3/4 beats` or `350 ms`"),
]
ReverbTime = Annotated[
    float, BeforeValidator(_reverb_time), text_schema(r"^\s*[0-9.]+\s*(s|ms)\s*$", "a time, like `4 s`"), SECONDS
]
Feedback = Annotated[
    float, BeforeValidator(_feedback), text_schema(r"^\s*\d+(\.\d+)?\s*%\s*$", "a share, like `35 %`"), PERCENT
]
