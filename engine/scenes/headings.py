"""The first lines of a scene or instrument: what lists show, without looking into the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.errors import PerpetuumError
from engine.scenes.nodes import MapNode, ScalarNode, parse
from engine.scenes.source import Source, UnreadableError


def heading(path: Path, keys: Sequence[str]) -> dict[str, str]:
    """Some values of a file as they stand there; empty where there are none, or where the file cannot be read."""
    try:
        node = parse(Source.read(path))
    except (PerpetuumError, UnreadableError):
        return dict.fromkeys(keys, "")
    if not isinstance(node, MapNode):
        return dict.fromkeys(keys, "")
    values = {key: node.get(key) for key in keys}
    return {key: " ".join(value.text.split()) if isinstance(value, ScalarNode) else "" for key, value in values.items()}
