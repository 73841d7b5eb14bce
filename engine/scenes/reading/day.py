# pyright: strict
"""Curves of the day: settings that follow the hour, each point checked against the setting that follows."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from engine.errors import WrongValueError
from engine.form.curves import DayCurve, DayMove, DaySteps
from engine.generators.contract import Settings
from engine.scenes.reading.drafts import ChainDraft, DayDraft, SceneReader
from engine.scenes.reading.targets import MoveTarget, Place, number_of, read_targets, read_value
from engine.scenes.schema.models import KeyText
from engine.scenes.schema.validation import problem
from engine.scenes.text.nodes import MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Span
from engine.scenes.text.source import clipped
from engine.units import Qpm, parse_time_of_day

_EXPECTED = "times of day and values, like `{06:00: 1, 12:00: 6, 22:00: 1.5}`"
_OF_THE_SCENE = ("tempo", "key")


def read_day(reader: SceneReader, node: Node | None, at: Span, parts: Mapping[str, ChainDraft]) -> DayDraft:
    """The settings of a scene that follow the time of day.

    Args:
        reader: the file.
        node: value of `day`.
        at: its key.
        parts: of the scene.
    """
    found: dict[Place, DayMove] = {}
    wrong: list[Problem] = []
    own: dict[str, _Hours] = {}
    form = "settings and curves, like `piano.level: {08:00: -20 dB, 14:00: -12 dB}`"
    if isinstance(node, MapNode):
        of_scene = {name: entry for name, entry in node.entries.items() if name in _OF_THE_SCENE}
        for name, (key, value) in of_scene.items():
            own[name] = _read_hours(reader, value, key, functools.partial(_read_of_scene, reader, name))
        node = replace(node, entries={name: entry for name, entry in node.entries.items() if name not in of_scene})
    for one in read_targets(reader, node, at, parts, "day", form):
        if isinstance(one, Problem):
            wrong.append(one)
            continue
        key, target = one.key, one.target
        hours = _read_hours(reader, one.value, key, functools.partial(_read_number, reader, target, key))
        wrong += hours.wrong
        if not hours.points:
            continue
        if target.place in found:
            message = f"`{clipped(one.name)}` is a setting that follows the day already"
            wrong.append(reader.source.error(key.span, message))
        found[target.place] = DayMove(*target.place, DayCurve(hours.points))
    tempo, key_steps = own.get("tempo"), own.get("key")
    return DayDraft(
        (*found.values(), *wrong),
        tempo and (tempo.wrong[0] if tempo.wrong else DayCurve(tempo.points)),
        key_steps and (key_steps.wrong[0] if key_steps.wrong else DaySteps(key_steps.points)),
    )


def _read_of_scene(reader: SceneReader, name: str, value: ScalarNode) -> Any | Problem:
    """A tempo in qpm or a key."""
    model = TempoSettings if name == "tempo" else KeySettings
    try:
        return getattr(model.model_validate({name: value.value}), name)
    except ValidationError as error:
        message, expected, suggestion = problem(error, model)
        return reader.source.error(value.span, f"`{name}`: {message}", expected, suggestion)


class TempoSettings(Settings):
    """A tempo at a time of day."""

    tempo: Qpm


class KeySettings(Settings):
    """A key at a time of day."""

    key: KeyText


def _read_number(reader: SceneReader, target: MoveTarget, key: ScalarNode, value: ScalarNode) -> float | Problem:
    found = read_value(reader, target, value.value, value.span, key.span)
    if isinstance(found, Problem):
        return found
    number = number_of(target, found.value)
    if number is None:
        return reader.source.error(
            value.span,
            f"`{target.setting}` cannot follow the day, only numbers can",
            "a setting that is a number",
            hint=f"sections can have their own: `move: {{{clipped(key.text)}: {clipped(value.text)}}}`",
        )
    return number


@dataclass(frozen=True, slots=True)
class _Hours:
    """A curve of the day.

    Attributes:
        points: (seconds since midnight, value) in order; at least one where nothing is wrong.
        wrong: what is no point.
    """

    points: tuple[tuple[float, Any], ...]
    wrong: tuple[Problem, ...]


def _read_hours(
    reader: SceneReader, node: Node, key: ScalarNode, read: Callable[[ScalarNode], Any | Problem]
) -> _Hours:
    if not isinstance(node, MapNode) or not list(node.meant()):
        message = f"`{clipped(key.text)}` needs a curve of the day"
        return _Hours((), (reader.source.error(key.span, message, _EXPECTED),))
    points: dict[float, Any] = {}
    wrong: list[Problem] = []
    for text, hour, value in node.meant():
        try:
            time = parse_time_of_day(text)
        except WrongValueError as error:
            wrong.append(reader.source.error(hour.span, error.message, f"a time like {error.example}"))
            continue
        if time in points:
            message = f"`{clipped(text)}` stands here already"
            wrong.append(reader.source.error(hour.span, message, hint="delete one of them"))
        if not isinstance(value, ScalarNode) or value.value is None:
            wrong.append(reader.source.error(hour.span, f"`{clipped(text)}` has no value", _EXPECTED))
            continue
        found = read(value)
        if isinstance(found, Problem):
            wrong.append(found)
        else:
            points[time] = found
    return _Hours(tuple(sorted(points.items(), key=lambda point: point[0])), tuple(wrong))
