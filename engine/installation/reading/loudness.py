# pyright: strict
"""How loud an installation is: the keys of `loudness`, in LUFS or in what a meter in the room shows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from engine.errors import WrongValueError
from engine.form.curves import DayCurve
from engine.generators.contract import Settings
from engine.installation.choices.calibration import Calibration
from engine.installation.installation import Loudness, LowCutHours
from engine.scenes.reading.moving.points import read_points
from engine.scenes.text.nodes import MapNode, ScalarNode
from engine.scenes.text.problems import Problem
from engine.scenes.text.source import SourceFile, clipped
from engine.units import HERTZ, Unit, parse, unit_schema

_DBA = {"db(a)": "dBA", "dba": "dBA", "db a": "dBA", "laeq": "dBA"}

LUFS = Unit(
    "a loudness", {"LUFS": 1}, "`-20 LUFS`", low=-60, high=-8, foreign={"lkfs": "LUFS", "lu": "LUFS", "db": "LUFS"}
)
DBA = Unit("a reading of a meter", {"dBA": 1}, "`62 dBA`", low=20, high=130, foreign=_DBA)
"""In dB(A)."""

IN_THE_ROOM = Unit(
    "a loudness", {**LUFS.factors, **DBA.factors}, LUFS.example, low=-60, high=130, foreign={**LUFS.foreign, **_DBA}
)
"""Either of the two; what a value comes to depends on the calibration."""

PEAK = Unit("a true peak", {"dB": 1}, "`-1 dB`", low=-40, high=0, foreign={"dbtp": "dB", "dbfs": "dB"})
STEEPNESS = Unit(
    "a change of level",
    {"dB/min": 1},
    "`3 dB/min`",
    low=0.1,
    high=60,
    foreign=dict.fromkeys(("db a minute", "db per minute", "db/minute", "db / min"), "dB/min"),
)
CUT = Unit("a frequency", {"Hz": 1}, "`80 Hz`", low=20, high=300, words={"off": 0.0}, foreign=HERTZ.foreign)
"""Below it, sound gets softer; 0 for never."""


def _in(unit: Unit) -> Callable[[object], float]:
    return lambda value: parse(value, unit)


Steepness = Annotated[float, BeforeValidator(_in(STEEPNESS)), unit_schema(STEEPNESS), STEEPNESS]
MeterReading = Annotated[float, BeforeValidator(_in(DBA)), unit_schema(DBA), DBA]
AtLoudness = Annotated[float, BeforeValidator(_in(LUFS)), unit_schema(LUFS), LUFS]


class CalibrationFile(Settings):
    """What a meter in the room showed, at which loudness; `perpetuum calibrate` finds it out."""

    reading: MeterReading = Field(description="What the meter showed.", examples=["68 dBA"])
    at: AtLoudness = Field(description="How loud the noise was.", examples=["-20 LUFS"])


class LoudnessFile(Settings):
    """How loud it is, over the day."""

    target: Any = Field(
        default=None,
        description="Loudness that is held: `-20 LUFS`, or by the hour, `{08:00: -26 LUFS, 12:00: -20 LUFS}`, with "
        "straight lines between. With a `calibration` also in what a meter in the room shows, `62 dBA`.",
        json_schema_extra={"default": "-20 LUFS"},
    )
    limit: Any = Field(
        default=None,
        description="Loudness that nobody passes, neither target nor staff: `-18 LUFS` or `65 dBA`, or by the hour; "
        "without it, there is none.",
    )
    ceiling: Any = Field(
        default=None,
        description="True peak that is never passed: `-1 dB`, or by the hour.",
        json_schema_extra={"default": "-1 dB"},
    )
    steepest: Steepness = Field(
        default=3.0, description="The largest jump: no faster does the target move, whatever hours and curves say."
    )
    low_cut: Any = Field(
        default=None,
        description="Frequency below which bass is taken away, 24 dB an octave, `80 Hz` or `off`; or by the hour from "
        "which it counts, `{22:00: 80 Hz, 08:00: off}`.",
        json_schema_extra={"default": "off"},
    )
    calibration: CalibrationFile | None = Field(
        default=None, description="What a meter in the room showed, so that loudness may be said in dBA."
    )


def read_loudness(source: SourceFile, node: MapNode, head: LoudnessFile) -> Loudness | Problem:
    """How loud it is.

    Args:
        source: the file.
        node: of the whole installation.
        head: what its `loudness` says, the curves left out.
    """
    mapping = node.get("loudness")
    default = Loudness(steepest=head.steepest)
    if not isinstance(mapping, MapNode):
        return default
    said = head.calibration
    calibration = Calibration(said.reading, said.at) if said is not None else None
    in_the_room = partial(_in_the_room, source, calibration)
    target = _read_curve(source, mapping, "target", LUFS, in_the_room)
    limit = _read_curve(source, mapping, "limit", LUFS, in_the_room)
    ceiling = _read_curve(source, mapping, "ceiling", PEAK, partial(_peak, source))
    cut = _read_curve(source, mapping, "low_cut", CUT, partial(_read_level, source, CUT))
    if isinstance(target, Problem):
        return target
    if isinstance(limit, Problem):
        return limit
    if isinstance(ceiling, Problem):
        return ceiling
    if isinstance(cut, Problem):
        return cut
    low_cut = LowCutHours(cut.points) if cut is not None else default.low_cut
    return Loudness(target or default.target, ceiling or default.ceiling, head.steepest, limit, low_cut, calibration)


_Read = Callable[[ScalarNode, ScalarNode], float | Problem]
"""Reads a value of a key."""


def _read_curve(source: SourceFile, mapping: MapNode, name: str, unit: Unit, read: _Read) -> DayCurve | Problem | None:
    if name not in mapping.entries:
        return None
    key, value = mapping.entries[name]
    if isinstance(value, ScalarNode):
        level = read(key, value)
        return level if isinstance(level, Problem) else DayCurve(((0.0, level),))
    form = f"{unit.example}, or by the hour, like `{{08:00: {unit.example.strip('`')}}}`"
    found = read_points(source, value, key, partial(read, key), form)
    return found.wrong[0] if found.wrong else DayCurve(found.points)


def _in_the_room(
    source: SourceFile, calibration: Calibration | None, key: ScalarNode, node: ScalarNode
) -> float | Problem:
    """LUFS of a value in LUFS or dBA."""
    if not node.text.casefold().rstrip().endswith(tuple(_DBA)):
        return _read_level(source, LUFS, key, node)
    shown = _read_level(source, DBA, key, node)
    if isinstance(shown, Problem):
        return shown
    if calibration is None:
        message = f"`{key.text}`: nothing says how loud `{clipped(node.text)}` is in LUFS"
        hint = "`perpetuum calibrate` finds it out with a meter"
        return source.error(node.span, message, "a `calibration` in `loudness`, or a value like `-20 LUFS`", hint=hint)
    found = calibration.lufs(shown)
    if LUFS.low <= found <= LUFS.high:
        return found
    message = f"`{key.text}`: `{clipped(node.text)}` would be {found:.1f} LUFS here, out of range"
    low, high = (calibration.decibels_a(one) for one in (LUFS.low, LUFS.high))
    hint = "turn the amplifier up or down and calibrate again"
    return source.error(node.span, message, f"{low:.1f} dBA to {high:.1f} dBA", hint=hint)


def _peak(source: SourceFile, key: ScalarNode, node: ScalarNode) -> float | Problem:
    if node.text.casefold().rstrip().endswith(tuple(_DBA)):
        message = f"`{key.text}` is a peak of the signal, which no meter in the room shows"
        hint = "how loud it may be in the room is `limit`"
        return source.error(node.span, message, f"a value like {PEAK.example}", hint=hint)
    return _read_level(source, PEAK, key, node)


def _read_level(source: SourceFile, unit: Unit, key: ScalarNode, node: ScalarNode) -> float | Problem:
    span = node.span if node.span.end > node.span.start else key.span
    try:
        return parse(node.value, unit)
    except WrongValueError as error:
        meant = node.text.replace(error.wrong, error.right) if error.right else ""
        if not error.message:
            return source.error(span, f"`{key.text}`: `{clipped(node.text)}` will not do", error.expected)
        return source.error(span, f"`{key.text}`: {error.message}", f"a value like {unit.example}", meant)
    except ValueError as error:
        return source.error(span, f"`{key.text}`: {error}")
