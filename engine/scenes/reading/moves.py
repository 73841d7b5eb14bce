"""Moves: settings that a section moves along curves, each point checked against the setting that it moves."""

from __future__ import annotations

from typing import Any

from engine.form.curves import Curve, Move
from engine.scenes.reading.drafts import PartDraft, Reading
from engine.scenes.reading.targets import Target, number_of, read_targets, read_value
from engine.scenes.schema.models import split_curve
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode, resolve
from engine.scenes.text.positions import span_within
from engine.scenes.text.problems import Span
from engine.scenes.text.source import clipped


def read_moves(
    reading: Reading, node: Node | None, at: Span, parts: dict[str, PartDraft], heard: set[str]
) -> list[Move]:
    """The moves of a section.

    Args:
        reading: the file.
        node: value of `move`.
        at: its key.
        parts: of the scene.
        heard: parts that the section plays or needs.
    """
    moves: dict[tuple[str, str, int | None], Move] = {}
    form = "settings and curves, like `melody.temperature: 0.8 -> 1.2`"
    for name, key, value, target in read_targets(reading, node, at, parts, "move", form):
        if target.part.name not in heard:
            reading.source.warning(
                key.span, f"part `{target.part.name}` does not play in this section", "add it to `parts`"
            )
        curve = _read_curve(reading, target, value, key)
        if curve is None:
            continue
        if target.place in moves:
            reading.source.error(key.span, f"`{clipped(name)}` moves a setting that already moves here")
        moves[target.place] = Move(*target.place, curve)
    return list(moves.values())


def _read_curve(reading: Reading, target: Target, value: Node, key: ScalarNode) -> Curve | None:
    if isinstance(value, MapNode | ListNode) or value.value is None:
        reading.source.error(key.span, f"`{clipped(key.text)}` needs a value or a curve", "like `0.8 -> 1.2`")
        return None
    texts: list[Any] = [value.value]
    if isinstance(value.value, str) and "->" in value.text:
        try:
            texts = [resolve(point) for point in split_curve(value.text)]
        except ValueError as error:
            message, _, way = str(error).partition("; write it like ")
            reading.source.error(value.span, message, f"a curve like {way}")
            return None
    points = []
    for place, text in enumerate(texts):
        span = _point_span(reading, value, place) if len(texts) > 1 else value.span
        whole = value if len(texts) == 1 else None
        value_there = read_value(reading, target, text, span, key.span, whole)
        if value_there is None:
            return None
        points += value_there
    if len(points) == 1:
        return Curve(tuple(points))  # a constant, which may be anything that the setting may be
    numbers = tuple(number_of(target, point) for point in points)
    if None in numbers:
        setting = key.text.rpartition(".")[2]
        reading.source.error(
            value.span, f"`{setting}` cannot move along a curve, only numbers can", "one value for the section"
        )
        return None
    return Curve(numbers)


def _point_span(reading: Reading, value: ScalarNode, place: int) -> Span:
    pieces = value.text.split("->")
    start = sum(len(piece) + 2 for piece in pieces[:place])
    piece = pieces[place]
    left = start + len(piece) - len(piece.lstrip())
    return span_within(reading.source, value, left, start + len(piece.rstrip()))
