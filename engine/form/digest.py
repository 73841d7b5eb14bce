# pyright: strict
"""A digest of a scene: equal where two scenes play the same, in every process and on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import PurePath
from typing import Any, cast

import msgspec
import numpy as np
from pydantic import BaseModel

from engine.form.scene import Scene

NOT_PLAYED = frozenset({"path", "title", "credits", "begin", "hearing"})
"""What of a scene no note depends on, or only where it begins."""


def scene_digest(scene: Scene) -> str:
    """Digest of all of a scene that decides what is played and heard, 32 hexadecimal digits.

    Orders count, those of parts and sections too: choices are drawn by place.
    """
    # How often an instrument was saved while it played is of this process alone.
    parts = {name: replace(part, sound=replace(part.sound, revision=0)) for name, part in scene.parts.items()}
    digest = hashlib.blake2b(digest_size=16)
    for field in fields(scene):
        if field.name not in NOT_PLAYED:
            digest.update(f"{field.name}=".encode())
            for piece in _pieces(parts if field.name == "parts" else getattr(scene, field.name)):
                digest.update(piece)
    return digest.hexdigest()


def _pieces(value: object) -> Iterator[bytes]:
    """A value as bytes, in an order of its own, so that no two values give the same."""
    if value is None or isinstance(value, bool | int | float | str | bytes | PurePath):
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        word = str(value) if isinstance(value, str | PurePath) else repr(number)
        yield f"{'text' if isinstance(value, str | PurePath) else 'value'}{len(word)}:{word};".encode()
    elif isinstance(value, Enum):
        yield f"{type(value).__name__}.{value.name};".encode()
    elif isinstance(value, np.ndarray):
        array = cast("np.ndarray[Any, np.dtype[Any]]", value)
        yield f"array{array.dtype.descr}{array.shape}:".encode()
        yield array.tobytes()
    elif isinstance(value, BaseModel):
        yield from _named(type(value), {name: getattr(value, name) for name in type(value).model_fields})
    elif is_dataclass(value) and not isinstance(value, type):
        yield from _named(type(value), {field.name: getattr(value, field.name) for field in fields(value)})
    elif isinstance(value, Mapping):
        yield from _named(dict, cast("Mapping[object, object]", value))
    elif isinstance(value, Set):
        members = sorted(b"".join(_pieces(member)) for member in cast("Set[object]", value))
        yield b"set(" + b"".join(members) + b")"
    elif isinstance(value, Sequence):
        yield b"("
        for member in cast("Sequence[object]", value):
            yield from _pieces(member)
        yield b")"
    else:  # of a plug-in's settings: dates, decimal numbers and the like
        yield type(value).__name__.encode() + msgspec.msgpack.encode(value, enc_hook=str, order="deterministic")


def _named(kind: type, values: Mapping[object, object] | Mapping[str, object]) -> Iterator[bytes]:
    yield f"{kind.__name__}{{".encode()
    for name, value in values.items():
        yield from _pieces(name)
        yield from _pieces(value)
    yield b"}"
