# pyright: strict
"""Settings of generators and transforms as they stand in JSON, and back.

What is read is held against the types, limits and units of the kind's own model. Settings never name a file of another
machine: weights travel as digests, and whatever else is free text does not travel at all.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sized
from enum import Enum
from functools import cache
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

import msgspec
from annotated_types import Ge, Gt, Le, Lt, MaxLen

from engine.generators.contract import GeneratorKind, Settings, TransformKind
from engine.units import PitchRange, Range, Turns, Unit

WEIGHTS = "weights"
"""The setting that names a weights file."""

Described = GeneratorKind | TransformKind


@cache
def version_of(model: type[Settings]) -> str:
    """Eight hexadecimal digits that change with the name, type, limit or default of any setting, and with no words."""
    schema = json.dumps(_shape(model.model_json_schema()), sort_keys=True)
    return hashlib.sha256(schema.encode()).hexdigest()[:8]


_WORDS = ("title", "description", "examples")
_BY_NAME = ("properties", "$defs")
"""Keywords of JSON Schema: those that say nothing of what is valid, and those under which names stand, not keywords."""


def _shape(schema: Any) -> Any:
    """A schema without what is only there to be read: a better description is no other version."""
    if isinstance(schema, list):
        return [_shape(one) for one in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for word, value in cast("dict[str, Any]", schema).items():
        if word in _BY_NAME and isinstance(value, dict):
            kept[word] = {name: _shape(one) for name, one in cast("dict[str, Any]", value).items()}
        elif word in ("default", "const", "enum"):  # values, whatever words are in them
            kept[word] = value
        elif word not in _WORDS:
            kept[word] = _shape(value)
    return kept


def written_settings(settings: Settings) -> bytes:
    """Settings as JSON, but for the weights' name.

    Raises:
        ValueError: one of them cannot travel.
    """
    values = _written(settings)
    try:
        return msgspec.json.encode(values)
    except (TypeError, ValueError) as error:  # a plug-in's settings may hold anything
        raise ValueError(f"settings of {type(settings).__name__} cannot travel: {error}") from error


def _written(settings: Settings) -> dict[str, object]:
    """Values by name; of settings within settings the same."""
    model, values = type(settings), dict[str, object]()
    for name in model.model_fields:
        if name != WEIGHTS:
            value = getattr(settings, name)
            _require_travelling(name, _hints(model)[name], value)
            values[name] = _written(value) if isinstance(value, Settings) else value
    return values


def read_settings(model: type[Settings], data: bytes | memoryview | msgspec.Raw, weights: str | None) -> Settings:
    """The settings that JSON says.

    Args:
        model: of the kind.
        data: as `written_settings` gives them.
        weights: path of the weights file here; None for kinds without.

    Raises:
        ValueError: they are none of the kind.
    """
    return _read(model, msgspec.json.decode(data, type=dict[str, Any]), weights)


def _read(model: type[Settings], given: Mapping[str, Any], weights: str | None) -> Settings:
    hints = _hints(model)
    if unknown := sorted(given.keys() - (hints.keys() - {WEIGHTS})):
        raise ValueError(f"there is no setting `{unknown[0][:40]}`")
    if missing := sorted(hints.keys() - {WEIGHTS} - given.keys()):
        raise ValueError(f"the setting `{missing[0]}` is missing")
    values: dict[str, Any] = {}
    for name, one in given.items():
        try:
            inner = _inner(hints[name])
            if inner is not None:
                values[name] = _read(inner, msgspec.convert(one, dict[str, Any]), None)
                continue
            values[name] = msgspec.convert(one, hints[name])
            _require_travelling(name, hints[name], values[name])
            _require_limits(model, name, values[name])
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"`{name}`: {str(error)[:200]}") from None
    if WEIGHTS in hints:
        values[WEIGHTS] = weights
    # They were valid where they came from, and units are written differently in a scene than they are kept.
    return model.model_construct(**values)


def _inner(hint: Any) -> type[Settings] | None:
    """The settings that a setting consists of; None for a plain one."""
    return hint if isinstance(hint, type) and issubclass(hint, Settings) else None


def _require_travelling(name: str, hint: Any, value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"`{name}` is {value}, which JSON cannot say")
    if isinstance(value, str) and not isinstance(value, Enum) and value not in _choices(hint):
        raise ValueError(f"`{name}` is text, which may name a file of another machine")
    if isinstance(value, tuple):
        for one in _each(cast("object", value)):
            _require_travelling(name, hint, one)


def _require_limits(model: type[Settings], name: str, value: object) -> None:
    """Hold a value against what the model says of it.

    Raises:
        ValueError: says what it breaks.
    """
    for one in model.model_fields[name].metadata:
        if isinstance(one, MaxLen):
            if isinstance(value, Sized) and len(value) > one.max_length:
                raise ValueError(f"longer than {one.max_length}")
            continue
        low: Any = -math.inf
        high: Any = math.inf
        if isinstance(one, Unit):
            low, high = one.low, one.high
        elif isinstance(one, Ge | Gt):
            low = one.ge if isinstance(one, Ge) else one.gt
        elif isinstance(one, Le | Lt):
            high = one.le if isinstance(one, Le) else one.lt
        for number in _each(value):
            if isinstance(number, int | float) and not low <= number <= high:
                raise ValueError(f"{number} is out of range: {low} to {high}")
    if isinstance(value, PitchRange) and not (value.low >= 0 and value.high <= 127 and value.high - value.low >= 11):
        raise ValueError(f"{value.low} to {value.high} is no range of MIDI pitches of an octave at least")
    if isinstance(value, Turns) and not (2 <= value.turns <= 64 and 1 <= value.turn <= value.turns):
        raise ValueError(f"{value.turn} of {value.turns} is no bar of a group of 2 to 64")
    if isinstance(value, Range) and not value.low <= value.high:
        raise ValueError(f"{value.low} to {value.high} is upside down")


def _each(value: object) -> tuple[object, ...]:
    return cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)


@cache
def _choices(hint: Any) -> frozenset[object]:
    """The words that a type hint lists."""
    if get_origin(hint) is Literal:
        return frozenset(get_args(hint))
    return frozenset[object]().union(*(_choices(one) for one in get_args(hint)))


@cache
def _hints(model: type[Settings]) -> Mapping[str, Any]:
    return {name: hint for name, hint in get_type_hints(model).items() if name in model.model_fields}
