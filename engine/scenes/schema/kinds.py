# pyright: strict
"""Kinds of generators, transforms and instruments, as files name them."""

from __future__ import annotations

from engine.errors import PerpetuumError
from engine.registry import K, Registry
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import ScalarNode
from engine.scenes.text.problems import Problem
from engine.scenes.text.source import SourceFile, clipped

_LISTED_BY = {"instruments": "instruments", "timbres": "instruments", "outputs": "outputs"}
"""Verbs that list the kinds of a group."""


def find_kind(source: SourceFile, registry: Registry[K], node: ScalarNode) -> K | Problem:
    """The kind that a node names, or what is wrong with that."""
    name, known, noun = node.text, registry.names(), registry.noun
    if not isinstance(node.value, str) or name not in known:
        group = registry.group.removeprefix("perpetuum.")
        verb = f"perpetuum {_LISTED_BY.get(group, 'generators')}"
        return source.error(
            node.span,
            f"unknown {noun} `{clipped(name)}`",
            listed(known, 24) or f"a {noun}, but none is installed",
            nearest(name, known),
            f"`{verb}` tells what there is",
        )
    try:
        return registry.get(name)
    except PerpetuumError as error:
        return source.error(node.span, error.message, hint=error.hint or "")
