"""Curves of the day: settings that follow the hour, each point checked against the setting that follows."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from engine.form.curves import DayCurve, DayMove, DaySteps
from engine.generators.contract import Settings
from engine.scenes.reading.drafts import PartDraft, Reading
from engine.scenes.reading.targets import Target, number_of, read_targets, read_value
from engine.scenes.schema.models import KeyText
from engine.scenes.schema.validation import problem
from engine.scenes.text.nodes import MapNode, Node, ScalarNode
from engine.scenes.text.problems import Span
from engine.scenes.text.source import clipped
from engine.units import Qpm, parse_time_of_day

_EXPECTED = "times of day and values, like `{06:00: 1, 12:00: 6, 22:00: 1.5}`"
_OF_THE_SCENE = ("tempo", "key")


@dataclass
class Day:
    """What of a scene follows the time of day.

    Attributes:
        moves: settings of parts.
        tempo: qpm; None where it does not follow.
        key: keys, which change in steps; None where it does not follow.
    """

    moves: list[DayMove] = field(default_factory=list)
    tempo: DayCurve | None = None
    key: DaySteps | None = None


def read_day(reading: Reading, node: Node | None, at: Span, parts: dict[str, PartDraft]) -> Day:
    """The settings of a scene that follow the time of day.

    Args:
        reading: the file.
        node: value of `day`.
        at: its key.
        parts: of the scene.
    """
    found: dict[tuple[str, str, int | None], DayMove] = {}
    day = Day()
    form = "settings and curves, like `piano.level: {08:00: -20 dB, 14:00: -12 dB}`"
    if isinstance(node, MapNode):
        own = {name: entry for name, entry in node.entries.items() if name in _OF_THE_SCENE}
        for name, (key, value) in own.items():
            points = _read_hours(reading, value, key, functools.partial(_read_of_scene, reading, name))
            if points and name == "tempo":
                day.tempo = DayCurve(points)
            elif points:
                day.key = DaySteps(points)
        node = replace(node, entries={name: entry for name, entry in node.entries.items() if name not in own})
    for name, key, value, target in read_targets(reading, node, at, parts, "day", form):
        points = _read_hours(reading, value, key, functools.partial(_read_number, reading, target, key))
        if not points:
            continue
        if target.place in found:
            reading.source.error(key.span, f"`{clipped(name)}` is a setting that follows the day already")
        found[target.place] = DayMove(*target.place, DayCurve(points))
    day.moves = list(found.values())
    return day


def _read_of_scene(reading: Reading, name: str, value: ScalarNode) -> Any:
    """A tempo in qpm or a key; None if it is none, and that is noted."""
    model = TempoSettings if name == "tempo" else KeySettings
    try:
        return getattr(model.model_validate({name: value.value}), name)
    except ValidationError as error:
        message, expected, suggestion = problem(error, model)
        reading.source.error(value.span, f"`{name}`: {message}", expected, suggestion)
        return None


class TempoSettings(Settings):
    """A tempo at a time of day."""

    tempo: Qpm


class KeySettings(Settings):
    """A key at a time of day."""

    key: KeyText


def _read_number(reading: Reading, target: Target, key: ScalarNode, value: ScalarNode) -> float | None:
    there = read_value(reading, target, value.value, value.span, key.span)
    if there is None:
        return None
    number = number_of(target, there[0])
    if number is None:
        reading.source.error(
            value.span,
            f"`{target.setting}` cannot follow the day, only numbers can",
            "a setting that is a number",
            hint=f"sections can have their own: `move: {{{clipped(key.text)}: {clipped(value.text)}}}`",
        )
    return number


def _read_hours(
    reading: Reading, node: Node, key: ScalarNode, read: Callable[[ScalarNode], Any]
) -> tuple[tuple[float, Any], ...]:
    """(seconds since midnight, value) of each point of a curve of the day, in order; what is no point is noted."""
    if not isinstance(node, MapNode) or not list(node.meant()):
        reading.source.error(key.span, f"`{clipped(key.text)}` needs a curve of the day", _EXPECTED)
        return ()
    points: dict[float, Any] = {}
    for text, hour, value in node.meant():
        try:
            time = parse_time_of_day(text)
        except ValueError as error:
            message, _, way = str(error).partition("; write it like ")
            reading.source.error(hour.span, message, f"a time like {way}")
            continue
        if time in points:
            reading.source.error(hour.span, f"`{clipped(text)}` stands here already", hint="delete one of them")
        if not isinstance(value, ScalarNode) or value.value is None:
            reading.source.error(hour.span, f"`{clipped(text)}` has no value", _EXPECTED)
            continue
        found = read(value)
        if found is not None:
            points[time] = found
    return tuple(sorted(points.items(), key=lambda point: point[0]))
