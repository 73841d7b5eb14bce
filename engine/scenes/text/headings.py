# pyright: strict
"""The first lines of a scene or instrument: what lists show, without looking into the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from engine.errors import PerpetuumError
from engine.scenes.text.nodes import MapNode, ScalarNode
from engine.scenes.text.parsing import parse
from engine.scenes.text.source import SourceFile, UnreadableError, clipped

LONGEST = 200
"""Characters of the longest value that is shown."""

LARGEST = 32 * 1024
"""Characters of the largest text that is parsed for its heading; a list of a thousand files must not take minutes."""

_TOP = re.compile(r"^(?=[^\s#])", re.MULTILINE)
"""Where a line begins that is not indented."""


def heading(path: Path, keys: Sequence[str]) -> dict[str, str]:
    """Some values of a file as they stand there; empty where there are none, or where the file cannot be read."""
    try:
        source = SourceFile.read(path)
        node = _top(source, keys)
        if node is None and len(source.text) <= LARGEST:
            node = parse(source)
    except (PerpetuumError, UnreadableError):
        return dict.fromkeys(keys, "")
    if not isinstance(node, MapNode):
        return dict.fromkeys(keys, "")
    values = {key: node.get(key) for key in keys}
    return {key: clipped(value.text, LONGEST) if isinstance(value, ScalarNode) else "" for key, value in values.items()}


def _top(source: SourceFile, keys: Sequence[str]) -> MapNode | None:
    """The mapping of some keys alone, made from their lines; None where it takes the whole file to know them.

    The parser is by far the slowest there is in listing many files, and these are a few lines of a hundred.
    """
    if not source.readable:
        return None
    pieces = [piece for piece in _TOP.split(source.text) if piece.strip()]
    if any(not re.match(r"[A-Za-z_][\w-]*:\s|#", piece) for piece in pieces):
        return None
    wanted = SourceFile(source.path, "".join(piece for piece in pieces if piece.partition(":")[0] in keys))
    if len(wanted.text) > LARGEST:
        return None
    try:
        node = parse(wanted)
    except UnreadableError:
        return None
    return node if isinstance(node, MapNode) else None
