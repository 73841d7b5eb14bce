# pyright: strict
"""Moves: settings that a section moves along curves, each point checked against the setting that it moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import WrongValueError
from engine.form.curves import Curve, Move
from engine.scenes.reading.drafts import ChainDraft, SceneReader
from engine.scenes.reading.moving.targets import MoveTarget, Place, number_of, read_targets, read_value
from engine.scenes.schema.values import split_curve
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode, resolve
from engine.scenes.text.positions import span_within
from engine.scenes.text.problems import Problem, Span
from engine.scenes.text.source import clipped


def read_moves(
    reader: SceneReader, node: Node | None, at: Span, parts: Mapping[str, ChainDraft], heard: set[str]
) -> tuple[Move | Problem, ...]:
    """The moves of a section.

    Args:
        reader: the file.
        node: value of `move`.
        at: its key.
        parts: of the scene.
        heard: parts that the section plays or needs.
    """
    moves: dict[Place, Move] = {}
    wrong: list[Problem] = []
    form = "settings and curves, like `melody.temperature: 0.8 -> 1.2`"
    for one in read_targets(reader, node, at, parts, "move", form):
        if isinstance(one, Problem):
            wrong.append(one)
            continue
        key, target = one.key, one.target
        if target.part.name not in heard:
            reader.source.warning(
                key.span, f"part `{target.part.name}` does not play in this section", "add it to `parts`"
            )
        curve = _read_curve(reader, target, one.value, key)
        if isinstance(curve, Problem):
            wrong.append(curve)
            continue
        if target.place in moves:
            message = f"`{clipped(one.name)}` moves a setting that already moves here"
            wrong.append(reader.source.error(key.span, message))
        moves[target.place] = Move(*target.place, curve)
    return (*moves.values(), *wrong)


def _read_curve(reader: SceneReader, target: MoveTarget, value: Node, key: ScalarNode) -> Curve | Problem:
    if isinstance(value, MapNode | ListNode) or value.value is None:
        return reader.source.error(key.span, f"`{clipped(key.text)}` needs a value or a curve", "like `0.8 -> 1.2`")
    texts: list[Any] = [value.value]
    if isinstance(value.value, str) and "->" in value.text:
        try:
            texts = [resolve(point) for point in split_curve(value.text)]
        except WrongValueError as error:
            return reader.source.error(value.span, error.message, f"a curve like {error.example}")
    points: list[Any] = []
    for place, text in enumerate(texts):
        span = _point_span(reader, value, place) if len(texts) > 1 else value.span
        whole = value if len(texts) == 1 else None
        found = read_value(reader, target, text, span, key.span, whole)
        if isinstance(found, Problem):
            return found
        points.append(found.value)
    if target.timbre and len(points) > 1:
        return reader.source.error(
            value.span,
            "the notes of a timbre change at section lines alone",
            "one value for the section",
            hint="sections that follow each other can have other values; `over` goes a way from line to line",
        )
    if len(points) == 1:
        return Curve(tuple(points))  # a constant, which may be anything that the setting may be
    numbers = [number for number in (number_of(target, point) for point in points) if number is not None]
    if len(numbers) < len(points):
        setting = key.text.rpartition(".")[2]
        return reader.source.error(
            value.span, f"`{setting}` cannot move along a curve, only numbers can", "one value for the section"
        )
    return Curve(tuple(numbers))


def _point_span(reader: SceneReader, value: ScalarNode, place: int) -> Span:
    pieces = value.text.split("->")
    start = sum(len(piece) + 2 for piece in pieces[:place])
    piece = pieces[place]
    left = start + len(piece) - len(piece.lstrip())
    return span_within(reader.source, value, left, start + len(piece.rstrip()))
