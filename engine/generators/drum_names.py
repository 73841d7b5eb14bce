# pyright: strict
"""Drums as a setting names them: one or several, by group, class or symbol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, cast

from pydantic import BeforeValidator, WithJsonSchema

from engine.score import drums
from engine.score.notation import NotationError

_DRUMS = (*drums.GROUPS, *drums.CLASSES, *drums.SYMBOLS)


def _read_drums(value: object) -> tuple[int, ...]:
    found: set[int] = set()
    several: Sequence[object] = [value]
    if isinstance(value, list | tuple) and value:
        several = cast("Sequence[object]", value)
    for name in several:
        if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(drums.CLASSES):
            found.add(name)  # it has been read before
            continue
        index = drums.index_of(name) if isinstance(name, str) else None
        classes = drums.GROUPS.get(name, ()) if isinstance(name, str) else ()
        if not classes and index is None:
            expected = "one or a list of " + ", ".join(f"`{known}`" for known in (*drums.GROUPS, *drums.CLASSES))
            raise NotationError(f"`{name}` is no drum", 0, 1 << 30, expected, str(name), _DRUMS)
        found |= {*classes, *(() if index is None else (index,))}
    return tuple(sorted(found))


Drums = Annotated[
    tuple[int, ...],
    BeforeValidator(_read_drums),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "enum": list(_DRUMS)},
                {"type": "array", "items": {"type": "string", "enum": list(_DRUMS)}, "minItems": 1},
            ]
        }
    ),
]
"""Drums by their names, one or several, as indexes of their classes in ascending order."""
