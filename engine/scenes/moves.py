"""Moves: settings that a section moves along curves, each point checked against the setting that it moves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from engine.generators.contract import Settings
from engine.scenes.chains import settings_with
from engine.scenes.diagnostics import listed, nearest
from engine.scenes.drafts import PartDraft, Reading
from engine.scenes.models import Pan, split_curve
from engine.scenes.nodes import ListNode, MapNode, Node, ScalarNode, resolve
from engine.scenes.positions import span_within
from engine.scenes.scene import Curve, Move
from engine.scenes.source import Span, clipped
from engine.scenes.validation import PLUG_IN_HINT, problem
from engine.units import Decibels

SILENT = -72.0
"""dB that `off` stands for at the end of a fade: a straight line cannot lead to minus infinity."""


class SoundSettings(Settings):
    """What of a part's sound can move."""

    level: Decibels = 0.0
    pan: Pan = 0.0
    reverb: Decibels = -math.inf
    delay: Decibels = -math.inf


@dataclass(frozen=True)
class _Target:
    """The setting that a move names: its model, the settings around it in the file, and which transform it is of; and
    what names the weights of a network for some settings."""

    model: type[BaseModel]
    raw: dict[str, Any]
    setting: str
    transform: int | None
    weights: Callable[[Any], str] | None = None

    def network_of(self, settings: Any) -> tuple[str, str] | None:
        """The network that plays some settings; None for rules."""
        return (self.weights(settings), str(getattr(settings, "config", ""))) if self.weights else None


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
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        return []
    if not isinstance(node, MapNode):
        reading.source.error(
            at, "`move` must be a mapping", "settings and curves, like `melody.temperature: 0.8 -> 1.2`"
        )
        return []
    moves: dict[tuple[str, str, int | None], Move] = {}
    for name, key, value in node.meant():
        target = _find_target(reading, name, key, parts)
        if target is None:
            continue
        part = name.partition(".")[0]
        if part not in heard:
            reading.source.warning(key.span, f"part `{part}` does not play in this section", "add it to `parts`")
        curve = _read_curve(reading, name, target, value, key)
        if curve is None:
            continue
        place = (part, target.setting, target.transform)
        if place in moves:
            reading.source.error(key.span, f"`{clipped(name)}` moves a setting that already moves here")
        moves[place] = Move(*place, curve)
    return list(moves.values())


def _find_target(reading: Reading, name: str, key: ScalarNode, parts: dict[str, PartDraft]) -> _Target | None:
    words = name.split(".")
    draft = parts.get(words[0])
    if draft is None:
        reading.source.error(
            span_within(reading.source, key, 0, len(words[0])),
            f"unknown part `{clipped(words[0])}`",
            listed(list(parts)) or "a part of the scene",
            nearest(words[0], parts),
        )
        return None
    rest = span_within(reading.source, key, len(words[0]) + (len(words) > 1), len(name))
    candidates = _candidates(draft)
    if len(words) not in (2, 3) or not all(words):
        reading.source.error(key.span, f"`{clipped(name)}` names no setting", _way(draft, candidates))
        return None
    if len(words) == 2 and words[1] in SoundSettings.model_fields:
        return _Target(SoundSettings, {}, words[1], None)
    if len(words) == 2 and draft.kind is not None and words[1] in draft.kind.settings.model_fields:
        if draft.settings is None:
            return None
        return _Target(draft.kind.settings, draft.raw, words[1], None, draft.kind.weights)
    if draft.kind is None or None in draft.transforms:
        return None  # what is unknown there could be the one that is meant
    places = [i for i, item in enumerate(draft.transforms) if item is not None and item.kind.name == words[1]]
    if not places:
        found = nearest(".".join(words[1:]), candidates)
        suggestion = f"{words[0]}.{found}" if found else ""
        reading.source.error(
            rest, f"part `{words[0]}` has no `{clipped(words[1])}`", _way(draft, candidates), suggestion
        )
        return None
    if len(places) > 1:
        reading.source.error(
            rest, f"`{words[1]}` stands {len(places)} times in part `{words[0]}`", hint="one that moves can stand once"
        )
        return None
    item = draft.transforms[places[0]]
    assert item is not None
    fields = list(item.kind.settings.model_fields)
    setting = words[2] if len(words) == 3 else item.kind.shorthand
    if setting is None or setting not in fields:
        options = [f"{words[0]}.{words[1]}.{field}" for field in fields]
        reading.source.error(
            rest,
            f"`{words[1]}` has no setting of that name",
            listed(options),
            nearest(name, options) if setting else "",
        )
        return None
    if item.settings is None:
        return None
    return _Target(item.kind.settings, item.raw, setting, places[0], item.kind.weights)


def _candidates(draft: PartDraft) -> list[str]:
    names = list(SoundSettings.model_fields)
    if draft.kind is not None:
        names += draft.kind.settings.model_fields
    for item in draft.transforms:
        if item is not None:
            names += [item.kind.name, *(f"{item.kind.name}.{field}" for field in item.kind.settings.model_fields)]
    return list(dict.fromkeys(names))


def _way(draft: PartDraft, candidates: list[str]) -> str:
    return listed([f"{draft.name}.{name}" for name in candidates if "." not in name], 24)


def _read_curve(reading: Reading, name: str, target: _Target, value: Node, key: ScalarNode) -> Curve | None:
    setting = name.rpartition(".")[2]
    if isinstance(value, MapNode | ListNode) or value.value is None:
        reading.source.error(key.span, f"`{clipped(name)}` needs a value or a curve", "like `0.8 -> 1.2`")
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
        try:
            moved = settings_with(target.model, target.raw, target.setting, text)
            points.append(getattr(moved, target.setting))
            if target.network_of(moved) != target.network_of(target.model.model_validate(target.raw)):
                reading.source.error(
                    value.span,
                    f"`{setting}` cannot differ from section to section: another network would have to play",
                    hint="make a part of its own with it, and let sections choose between the two",
                )
                return None
        except ValidationError as error:
            message, expected, suggestion = problem(error, target.model)
            span = _point_span(reading, value, place) if len(texts) > 1 else value.span
            reading.source.error(span, f"`{setting}`: {message}", expected, suggestion)
            return None
        except Exception as error:  # a plug-in's validators may raise anything
            message = f"`{clipped(name)}` cannot be read: {clipped(repr(error))}"
            reading.source.error(value.span, message, hint=PLUG_IN_HINT)
            return None
    if len(points) > 1:
        if not all(isinstance(point, int | float) and not isinstance(point, bool) for point in points):
            reading.source.error(
                value.span, f"`{setting}` cannot move along a curve, only numbers can", "one value for the section"
            )
            return None
        points = [SILENT if point == -math.inf else point for point in points]
    # One point is a constant, and a constant may be anything that the setting may be.
    return Curve(tuple(points))


def _point_span(reading: Reading, value: ScalarNode, place: int) -> Span:
    pieces = value.text.split("->")
    start = sum(len(piece) + 2 for piece in pieces[:place])
    piece = pieces[place]
    left = start + len(piece) - len(piece.lstrip())
    return span_within(reading.source, value, left, start + len(piece.rstrip()))
