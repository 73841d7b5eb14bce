# pyright: strict
"""Messages to bytes and back: one codec for each closed union of frozen dataclasses, in MessagePack.

A message is a pair of its type's name and its fields. What comes in is checked field by field against the dataclass;
whatever is no message of the union is a `CodecError` and never code that runs, as a pickle would be. Arrays travel with
the name of their dtype, pydantic models with the name of their class.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Generic, TypeGuard, TypeVar, cast, get_args, get_type_hints

import msgspec
import numpy as np

from engine.score.phrase import NOTE

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M")

_DTYPES: dict[str, np.dtype[Any]] = {"note": NOTE}


class CodecError(ValueError):
    """Bytes that are no message of the union, or a message that cannot be written."""


def register_dtype(name: str, dtype: np.dtype[Any]) -> None:
    """Let arrays of records of a dtype travel.

    Args:
        name: under which the other side knows it too.
        dtype: of fields of a fixed size.
    """
    _DTYPES[name] = dtype


def _is_model(kind: Any) -> TypeGuard[type[BaseModel]]:
    """Whether something is a class of pydantic models; a process that has not imported pydantic has none."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def model_name(model: type[BaseModel]) -> str:
    """The name under which models of a class travel."""
    return f"{model.__module__}:{model.__qualname__}"


def _no_model(name: str) -> type[BaseModel]:
    raise ValueError(f"no {name} may come this way")


class Codec(Generic[M]):
    """Writes and reads the messages of a union.

    Args:
        union: of frozen dataclasses with different names.
        find_model: the class of pydantic models that goes by a name as `model_name` gives it; raises where none may
            come this way. By default none may.
    """

    def __init__(self, union: Any, find_model: Callable[[str], type[BaseModel]] = _no_model) -> None:
        members: tuple[type[Any], ...] = get_args(union) if isinstance(union, types.UnionType) else (union,)
        self._types: Mapping[str, type[Any]] = {member.__name__: member for member in members}
        self._find_model = find_model
        self._sendable: set[type[BaseModel]] = set()
        self._encoder = msgspec.msgpack.Encoder(enc_hook=self._write)
        self._envelope = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])
        self._decoders: dict[str, msgspec.msgpack.Decoder[Any]] = {}

    def encode(self, message: M) -> bytes:
        """A message as bytes.

        Raises:
            CodecError: it is none of the union, or holds what cannot travel.
        """
        name = type(message).__name__
        if self._types.get(name) is not type(message):
            raise CodecError(f"{type(message).__name__} is no message of this union: {', '.join(self._types)}")
        try:
            return self._encoder.encode((name, message))
        except Exception as error:  # a plug-in's settings may hold anything
            raise CodecError(f"a {name} cannot be sent: {error}") from error

    def decode(self, data: bytes) -> M:
        """The message that bytes are.

        Raises:
            CodecError: they are none of the union.
        """
        try:
            name, fields = self._envelope.decode(data)
            decoder = self._decoders.get(name)
            if decoder is None:
                decoder = msgspec.msgpack.Decoder(self._types[name], dec_hook=self._read)
                self._decoders[name] = decoder
            return decoder.decode(fields)
        except KeyError as error:
            raise CodecError(f"no message of this union: {str(error)[:80]}") from error
        except Exception as error:  # whatever reading garbage raises
            raise CodecError(f"not a message: {str(error)[:200]}") from error

    def _write(self, value: Any) -> Any:
        model = cast("type[Any]", type(value))
        if _is_model(model):
            if model not in self._sendable:
                self._check_readable(model)
                self._sendable.add(model)
            return model_name(model), {name: getattr(value, name) for name in model.model_fields}
        if isinstance(value, np.ndarray):
            return _written_array(cast("np.ndarray[Any, np.dtype[Any]]", value))
        if isinstance(value, np.generic):
            return cast("object", value.item())
        if isinstance(value, PurePath):
            return str(value)
        raise TypeError(f"a {type(value).__name__}")

    def _check_readable(self, model: type[BaseModel]) -> None:
        """Whoever writes is told what nobody could read; a reader could only break off.

        Raises:
            Exception: the other side does not know the model, or a field is of a type that MessagePack does not tell
                apart, such as one of two models.
        """
        if self._find_model(model_name(model)) is not model:
            raise ValueError(f"{model_name(model)} is the name of another")
        for name, hint in _hints(model).items():
            try:
                msgspec.msgpack.Decoder(hint)
            except TypeError as error:
                raise TypeError(f"{model.__name__}.{name}: {error}") from error

    def _read(self, expected: type[Any], value: Any) -> Any:
        if expected is np.ndarray:
            return _read_array(value)
        if _is_model(expected):
            return self._read_model(expected, value)
        if isinstance(expected, type) and issubclass(expected, PurePath):  # pyright: ignore[reportUnnecessaryIsInstance]
            return expected(value)
        raise NotImplementedError(f"{expected} cannot travel")

    def _read_model(self, expected: type[BaseModel], value: Any) -> BaseModel:
        name, fields = value
        model = self._find_model(name)
        if not issubclass(model, expected):
            raise ValueError(f"{name} is no {expected.__name__}")
        hints = _hints(model)
        if unknown := set(fields) - set(hints):
            raise ValueError(f"{name} has no {', '.join(sorted(unknown))}")
        # They were valid where they came from; units are written differently in a scene than they are kept.
        values = {name: msgspec.convert(one, hints[name], dec_hook=self._read) for name, one in fields.items()}
        return model.model_construct(**values)


def _written_array(array: np.ndarray[Any, np.dtype[Any]]) -> tuple[str, bytes]:
    for name, dtype in _DTYPES.items():
        if array.dtype == dtype and array.ndim == 1:
            return name, array.tobytes()
    raise TypeError(f"an array of {array.dtype} and shape {array.shape}")


def _read_array(value: Any) -> np.ndarray[Any, np.dtype[Any]]:
    name, data = value
    return cast("np.ndarray[Any, np.dtype[Any]]", np.frombuffer(data, _DTYPES[name]))  # read-only: it is no copy


@cache
def _hints(model: type[BaseModel]) -> dict[str, Any]:
    return {name: hint for name, hint in get_type_hints(model).items() if name in model.model_fields}
