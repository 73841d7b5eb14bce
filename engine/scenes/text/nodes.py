# pyright: strict
"""A file as a tree in which every key and value knows its place."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.scenes.text.problems import Span

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{sign + word: math.inf for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **{"-" + word: -math.inf for word in (".inf", ".Inf", ".INF")},
}


@dataclass(eq=False, slots=True)
class ScalarNode:
    """A single value.

    Attributes:
        span: where it stands, quotes included.
        value: what it means: text, number, true, false or None.
        text: its characters.
        style: "" plain, "'" or '"' quoted, "|" or ">" block.
        size: 1.
        depth: 1.
    """

    span: Span
    value: Any
    text: str
    style: str
    size: int = 1
    depth: int = 1

    def plain(self) -> Any:
        """What it means, for pydantic."""
        return self.value


@dataclass(eq=False, slots=True)
class ListNode:
    """A list.

    Attributes:
        span: where it stands.
        items: its nodes.
        size: values in it, aliases written out.
        depth: levels of nesting.
    """

    span: Span
    items: list[Node]
    size: int = 1
    depth: int = 1

    def plain(self) -> list[Any]:
        """What it means, for pydantic."""
        return [item.plain() for item in self.items]


@dataclass(eq=False, slots=True)
class MapNode:
    """A mapping, merges (`<<`) done.

    Attributes:
        span: where it stands.
        entries: by key, the key's node and the value.
        size: values in it, aliases written out.
        depth: levels of nesting.
    """

    span: Span
    entries: dict[str, tuple[ScalarNode, Node]]
    size: int = 1
    depth: int = 1

    def plain(self) -> dict[str, Any]:
        """What it means, for pydantic; without the free `x-` keys."""
        return {key: value.plain() for key, _, value in self.meant()}

    def meant(self) -> Iterator[tuple[str, ScalarNode, Node]]:
        """(key, its node, value) of all but the free `x-` keys."""
        for key, (node, value) in self.entries.items():
            if not key.startswith("x-"):
                yield key, node, value

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        entry = self.entries.get(key)
        return entry[1] if entry else None

    def key(self, key: str) -> ScalarNode:
        """The node of a key that there is."""
        return self.entries[key][0]


Node = ScalarNode | ListNode | MapNode


def resolve(text: str) -> Any:
    """What a plain scalar means in YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > 64:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
