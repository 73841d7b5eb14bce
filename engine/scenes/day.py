"""Curves of the day: settings that follow the hour, each point checked against the setting that follows."""

from __future__ import annotations

from engine.scenes.drafts import PartDraft, Reading
from engine.scenes.nodes import MapNode, Node, ScalarNode
from engine.scenes.scene import DayCurve, DayMove
from engine.scenes.source import Span, clipped
from engine.scenes.targets import Target, number_of, read_targets, read_value
from engine.units import parse_time_of_day

_EXPECTED = "times of day and values, like `{06:00: 1, 12:00: 6, 22:00: 1.5}`"


def read_day(reading: Reading, node: Node | None, at: Span, parts: dict[str, PartDraft]) -> list[DayMove]:
    """The settings of a scene that follow the time of day.

    Args:
        reading: the file.
        node: value of `day`.
        at: its key.
        parts: of the scene.
    """
    found: dict[tuple[str, str, int | None], DayMove] = {}
    form = "settings and curves, like `piano.level: {08:00: -20 dB, 14:00: -12 dB}`"
    for name, key, value, target in read_targets(reading, node, at, parts, "day", form):
        curve = _read_curve(reading, target, value, key)
        if curve is None:
            continue
        if target.place in found:
            reading.source.error(key.span, f"`{clipped(name)}` is a setting that follows the day already")
        found[target.place] = DayMove(*target.place, curve)
    return list(found.values())


def _read_curve(reading: Reading, target: Target, node: Node, key: ScalarNode) -> DayCurve | None:
    if not isinstance(node, MapNode) or not list(node.meant()):
        reading.source.error(key.span, f"`{clipped(key.text)}` needs a curve of the day", _EXPECTED)
        return None
    points: dict[float, float] = {}
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
        there = read_value(reading, target, value.value, value.span, key.span)
        if there is None:
            continue
        number = number_of(target, there[0])
        if number is None:
            reading.source.error(
                value.span,
                f"`{target.setting}` cannot follow the day, only numbers can",
                "a setting that is a number",
                hint=f"sections can have their own: `move: {{{clipped(key.text)}: {clipped(value.text)}}}`",
            )
            return None
        points[time] = number
    return DayCurve(tuple(sorted(points.items()))) if points else None
