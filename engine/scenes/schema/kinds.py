# pyright: strict
"""Kinds of generators, transforms and instruments, as files name them."""

from __future__ import annotations

from typing import Any

from engine.errors import PerpetuumError
from engine.registry import kind as registered
from engine.registry import names as registered_names
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import ScalarNode
from engine.scenes.text.source import SourceFile, clipped


def find_kind(source: SourceFile, group: str, noun: str, node: ScalarNode) -> Any:
    """The kind that a node names, or what is wrong with that."""
    name, known = node.text, registered_names(group)
    if not isinstance(node.value, str) or name not in known:
        verb = "perpetuum instruments" if group == "perpetuum.instruments" else "perpetuum generators"
        return source.error(
            node.span,
            f"unknown {noun} `{clipped(name)}`",
            listed(known, 24) or f"a {noun}, but none is installed",
            nearest(name, known),
            f"`{verb}` tells what there is",
        )
    try:
        return registered(group, name)
    except PerpetuumError as error:
        return source.error(node.span, error.message, hint=error.hint or "")
