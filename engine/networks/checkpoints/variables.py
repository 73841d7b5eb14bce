"""Variables of a checkpoint: what they are, before any of their numbers are read."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.networks.checkpoints.wire import MalformedError, integer, messages

FLOATS: Mapping[int, str] = {1: "float32", 2: "float64", 14: "bfloat16", 19: "float16"}
"""TensorFlow's numbers for the types that weights can have (DataType in types.proto)."""
INTEGERS: Mapping[int, str] = {3: "int32", 9: "int64"}
_SIZES = {"float32": 4, "float64": 8, "bfloat16": 2, "float16": 2, "int32": 4, "int64": 8}
_MAX_RANK = 8


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a checkpoint.

    Attributes:
        shape: its dimensions.
        dtype: numpy's name of its type ("bfloat16" too); "" for what is neither a real nor an integer number.
    """

    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """How many bytes its numbers take."""
        return math.prod(self.shape) * _SIZES.get(self.dtype, 0)


class VariableSource(Protocol):
    """A checkpoint of one format."""

    format: str
    """For people, such as "TensorFlow V2 checkpoint"."""
    variables: dict[str, Variable]

    def read(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """The numbers of these variables: float32, or int64.

        Raises:
            MalformedError: one of them is damaged.
        """
        ...


def make_variable(name: str, dtype: int, shape: tuple[int, ...], available: int) -> Variable:
    """A variable as a file declares it; its size is held against what the file can have.

    Args:
        name: for messages.
        dtype: TensorFlow's number.
        shape: as declared.
        available: upper bound of the bytes that it may take.

    Raises:
        MalformedError: the declaration makes no sense.
    """
    if len(shape) > _MAX_RANK or any(size < 0 or size >= 1 << 40 for size in shape):
        raise MalformedError(f"variable {name!r} has the impossible shape {list(shape)}")
    variable = Variable(shape, FLOATS.get(dtype) or INTEGERS.get(dtype, ""))
    if variable.size > available:
        raise MalformedError(f"variable {name!r} of shape {list(shape)} cannot fit into the file")
    return variable


def shape_of(message: memoryview) -> tuple[int, ...]:
    """The dimensions in a TensorShapeProto."""
    shape = []
    for dimension in messages(message, 2):
        shape.append(integer(dimension, 1))
        if len(shape) > _MAX_RANK:
            raise MalformedError("a shape has too many dimensions")
    return tuple(shape)


def numbers(content: memoryview, variable: Variable, swapped: bool = False) -> np.ndarray:
    """The numbers in bytes: a new array, float32 or int64.

    Args:
        content: exactly `variable.size` bytes.
        variable: shape and type.
        swapped: the bytes are big-endian.
    """
    order = ">" if swapped else "<"
    if variable.dtype == "bfloat16":
        raw = np.frombuffer(content, order + "u2").astype(np.uint32) << 16
        return raw.view(np.float32).reshape(variable.shape)
    raw = np.frombuffer(content, np.dtype(variable.dtype).newbyteorder(order))
    kind = np.int64 if variable.dtype in INTEGERS.values() else np.float32
    # A float64 beyond the range of float32 becomes infinite, and is refused with everything else that is not finite.
    with np.errstate(over="ignore"):
        made = raw.astype(kind).reshape(variable.shape)
    _release(content)
    return made


def _release(content: memoryview) -> None:
    """Let the system forget these bytes of a mapped file: they have been copied, and are not looked at again."""
    mapped = content.obj
    if not isinstance(mapped, mmap.mmap) or not len(content) or not hasattr(mmap, "MADV_DONTNEED"):
        return
    start = np.frombuffer(content, np.uint8).ctypes.data - np.frombuffer(mapped, np.uint8).ctypes.data
    first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    size = (start + len(content)) // mmap.PAGESIZE * mmap.PAGESIZE - first
    if size > 0:
        mapped.madvise(mmap.MADV_DONTNEED, first, size)
