# pyright: strict
"""What follows what, by names and weights: sections of a scene, scenes of an installation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, good_items, problems
from engine.scenes.text.source import SourceFile, clipped


def read_next(
    source: SourceFile, node: MapNode, noun: str, names: Sequence[str]
) -> Mapping[str, float] | Problem | None:
    """The weights of what follows; None where `next` says nothing.

    Args:
        source: the file.
        node: of a section or scene.
        noun: what it is.
        names: of all there are.
    """
    value = node.get("next")
    if value is None:
        return None
    key = node.key("next").span
    if isinstance(value, ScalarNode) and isinstance(value.value, str) and value.text:
        unknown = _unknown(source, value, noun, names)
        return {value.text: 1.0} if unknown is None else unknown
    if not isinstance(value, MapNode) or not list(value.meant()):
        expected = f"the name of a {noun}, or weights, like `{{bloom: 3, drift: 1}}`"
        return source.error(key, f"`next` names no {noun}", expected)
    weights = {name: _read_weight(source, named, weight, noun, names) for name, named, weight in value.meant()}
    right = good_items(weights)
    if right and sum(right.values()) <= 0:
        return source.error(key, "all weights are 0: nothing could follow", "a weight above 0")
    return right if len(right) == len(weights) else problems(weights.values())[0]


def reachable(start: Iterable[str], follows: Callable[[str], Iterable[str]]) -> set[str]:
    """All that is reached from some names, these included."""
    found: set[str] = set()
    todo = list(start)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += follows(name)
    return found


def _read_weight(source: SourceFile, name: ScalarNode, value: Node, noun: str, names: Sequence[str]) -> float | Problem:
    unknown = _unknown(source, name, noun, names)
    if unknown is not None:
        return unknown
    weight = value.value if isinstance(value, ScalarNode) else None
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1e6:
        span = value.span if value.span.end > value.span.start else name.span
        return source.error(span, f"the weight of `{name.text}` will not do", "a number from 0 up, like `3`")
    return float(weight)


def _unknown(source: SourceFile, node: ScalarNode, noun: str, names: Sequence[str]) -> Problem | None:
    if node.text in names:
        return None
    return source.error(node.span, f"unknown {noun} `{clipped(node.text)}`", listed(names), nearest(node.text, names))
