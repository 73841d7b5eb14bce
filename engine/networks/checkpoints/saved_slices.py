"""TensorFlow's V1 checkpoints: one table in which each value is a SavedTensorSlices message.

The entry with the empty key lists all variables; the others carry their numbers, one slice each. Magenta's bundles hold
such a checkpoint; its variables are one slice each.

Source: `tensorflow/core/util/saved_tensor_slice.proto` and `tensor_slice_writer.cc` of TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.networks.checkpoints.table import MAX_ENTRIES, Table
from engine.networks.checkpoints.variables import FLOATS, Variable, make_variable, numbers, shape_of
from engine.networks.checkpoints.wire import (
    MalformedError,
    integer,
    message,
    messages,
    read_varint,
    text,
)

# TensorProto: raw bytes in one field, or numbers in a field for each type.
_CONTENT = 4
_PACKED = {"float32": 5, "float64": 6}
_INT_FIELDS = {"int32": 7, "int64": 10}
_MAX_EXPANSION = 24
"""Blocks may be compressed with Snappy, which makes at most that much of a byte."""


class SavedSlices:
    """See `VariableSource`.

    Args:
        data: content of the file.

    Raises:
        MalformedError: it is damaged.
    """

    format = "TensorFlow V1 checkpoint"

    def __init__(self, data: memoryview) -> None:
        self._table = Table(data)
        key, value = next(self._table.entries(), (None, memoryview(b"")))
        if key != b"":
            raise MalformedError("it has no list of variables")
        self.variables: dict[str, Variable] = {}
        room = _MAX_EXPANSION * len(data)
        for saved in messages(message(value, 1), 1):
            name = text(saved, 1)
            if name in self.variables:
                raise MalformedError(f"variable {name!r} is listed twice")
            variable = make_variable(name, integer(saved, 3), shape_of(message(saved, 2)), room)
            room -= variable.size
            self.variables[name] = variable
            if len(self.variables) > MAX_ENTRIES:
                raise MalformedError(f"it lists more than {MAX_ENTRIES} variables")

    def read(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """See `VariableSource.read`."""
        wanted = list(names)
        missing = set(wanted)
        found: dict[str, np.ndarray] = {}
        for key, value in self._table.entries():
            if key == b"" or not missing:
                continue
            saved = message(value, 2)
            name = text(saved, 1)
            if name in missing:
                missing.remove(name)
                found[name] = _numbers(name, saved, self.variables[name])
        if missing:
            raise MalformedError(f"the numbers of variable {min(missing)!r} are not in it")
        return {name: found[name] for name in wanted}


def _numbers(name: str, saved: memoryview, variable: Variable) -> np.ndarray:
    if not _is_whole(message(saved, 2), variable.shape):
        raise MalformedError(f"variable {name!r} is stored in partitions, which Magenta never does")
    tensor = message(saved, 3)
    if variable.dtype in _INT_FIELDS:
        return _integer(name, tensor, variable)
    content = message(tensor, _PACKED.get(variable.dtype, _CONTENT)) or message(tensor, _CONTENT)
    if variable.dtype not in FLOATS.values() or len(content) != variable.size:
        raise MalformedError(f"variable {name!r} of shape {list(variable.shape)} has {len(content)} bytes of numbers")
    return numbers(content, variable)


def _integer(name: str, tensor: memoryview, variable: Variable) -> np.ndarray:
    """A single whole number, such as the count of training steps."""
    packed = message(tensor, _INT_FIELDS[variable.dtype])
    if variable.shape != () or not packed:
        raise MalformedError(f"variable {name!r} is not a single whole number")
    return np.array(read_varint(packed, 0)[0], np.uint64).view(np.int64)


def _is_whole(spec: memoryview, shape: tuple[int, ...]) -> bool:
    """Whether a TensorSliceProto covers the variable: an extent without length means all of a dimension."""
    return all(
        integer(extent, 1) == 0 and integer(extent, 2) in (0, size)
        for extent, size in zip(messages(spec, 1), shape, strict=False)
    )
