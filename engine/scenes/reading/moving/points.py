# pyright: strict
"""Values by the time of day, as files write them: `{08:00: -20 dB, 14:00: -12 dB}`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import WrongValueError
from engine.scenes.text.nodes import MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem
from engine.scenes.text.source import SourceFile, clipped
from engine.units import parse_time_of_day

EXPECTED = "times of day and values, like `{06:00: 1, 12:00: 6, 22:00: 1.5}`"


@dataclass(frozen=True, slots=True)
class Points:
    """A curve of the day.

    Attributes:
        points: (seconds since midnight, value) in order; at least one where nothing is wrong.
        wrong: what is no point.
    """

    points: tuple[tuple[float, Any], ...]
    wrong: tuple[Problem, ...]


def read_points(
    source: SourceFile,
    node: Node,
    key: ScalarNode,
    read: Callable[[ScalarNode], Any | Problem],
    expected: str = EXPECTED,
) -> Points:
    """Read a curve of the day.

    Args:
        source: the file.
        node: where the curve stands.
        key: of the setting that follows the day.
        read: a value at a time.
        expected: what the curve should be, for messages.
    """
    if not isinstance(node, MapNode) or not list(node.meant()):
        message = f"`{clipped(key.text)}` needs a curve of the day"
        return Points((), (source.error(key.span, message, expected),))
    points: dict[float, Any] = {}
    wrong: list[Problem] = []
    for text, hour, value in node.meant():
        try:
            time = parse_time_of_day(text)
        except WrongValueError as error:
            wrong.append(source.error(hour.span, error.message, f"a time like {error.example}"))
            continue
        if time in points:
            message = f"`{clipped(text)}` stands here already"
            wrong.append(source.error(hour.span, message, hint="delete one of them"))
        if not isinstance(value, ScalarNode) or value.value is None:
            wrong.append(source.error(hour.span, f"`{clipped(text)}` has no value", expected))
            continue
        found = read(value)
        if isinstance(found, Problem):
            wrong.append(found)
        else:
            points[time] = found
    return Points(tuple(sorted(points.items(), key=lambda point: point[0])), tuple(wrong))
