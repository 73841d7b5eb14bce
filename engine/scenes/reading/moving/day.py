# pyright: strict
"""Curves of the day: settings that follow the hour, each point checked against the setting that follows."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from engine.form.curves import Curve, DayCurve, DayMove, DaySteps
from engine.generators.contract import Settings
from engine.scenes.reading.drafts import ChainDraft, DayDraft, SceneReader
from engine.scenes.reading.moving.points import Points, read_points
from engine.scenes.reading.moving.targets import MoveTarget, Place, number_of, read_targets, read_value
from engine.scenes.schema.validation import problem
from engine.scenes.schema.values import DynamicsText, KeyText
from engine.scenes.text.nodes import MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Span
from engine.scenes.text.source import clipped
from engine.units import Qpm

_OF_THE_SCENE = ("tempo", "key", "dynamics")


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
    own: dict[str, Points] = {}
    form = "settings and curves, like `piano.level: {08:00: -20 dB, 14:00: -12 dB}`"
    if isinstance(node, MapNode):
        of_scene = {name: entry for name, entry in node.entries.items() if name in _OF_THE_SCENE}
        for name, (key, value) in of_scene.items():
            own[name] = read_points(reader.source, value, key, functools.partial(_read_of_scene, reader, name))
        node = replace(node, entries={name: entry for name, entry in node.entries.items() if name not in of_scene})
    for one in read_targets(reader, node, at, parts, "day", form):
        if isinstance(one, Problem):
            wrong.append(one)
            continue
        key, target = one.key, one.target
        hours = read_points(reader.source, one.value, key, functools.partial(_read_number, reader, target, key))
        wrong += hours.wrong
        if not hours.points:
            continue
        if target.place in found:
            message = f"`{clipped(one.name)}` is a setting that follows the day already"
            wrong.append(reader.source.error(key.span, message))
        found[target.place] = DayMove(*target.place, DayCurve(hours.points))
    tempo, key_steps, levels = own.get("tempo"), own.get("key"), own.get("dynamics")
    return DayDraft(
        (*found.values(), *wrong),
        tempo and (tempo.wrong[0] if tempo.wrong else DayCurve(tempo.points)),
        key_steps and (key_steps.wrong[0] if key_steps.wrong else DaySteps(key_steps.points)),
        levels and (levels.wrong[0] if levels.wrong else DayCurve(levels.points)),
    )


def _read_of_scene(reader: SceneReader, name: str, value: ScalarNode) -> Any | Problem:
    """A tempo in qpm, a key or a level of playing."""
    model = {"tempo": TempoSettings, "key": KeySettings, "dynamics": LevelSettings}[name]
    try:
        found = getattr(model.model_validate({name: value.value}), name)
        return found.points[0] if isinstance(found, Curve) else found
    except ValidationError as error:
        message, expected, suggestion = problem(error, model)
        return reader.source.error(value.span, f"`{name}`: {message}", expected, suggestion)


class TempoSettings(Settings):
    """A tempo at a time of day."""

    tempo: Qpm


class KeySettings(Settings):
    """A key at a time of day."""

    key: KeyText


class LevelSettings(Settings):
    """A level of playing at a time of day."""

    dynamics: DynamicsText


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
