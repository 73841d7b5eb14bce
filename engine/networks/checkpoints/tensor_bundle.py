"""TensorFlow's V2 checkpoints: an index (a table of names and places) and data files with the bare numbers.

Source: `tensorflow/core/util/tensor_bundle` and `tensorflow/core/protobuf/tensor_bundle.proto` of TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from engine.networks.checkpoints.table import Table, crc32c, unmasked
from engine.networks.checkpoints.variables import Variable, make_variable, numbers, shape_of
from engine.networks.checkpoints.wire import MalformedError, decoded, fields, integer, message

_MAX_SHARDS = 1000


@dataclass(frozen=True, slots=True)
class _Place:
    shard: int
    offset: int
    size: int
    crc: int


class TensorBundle:
    """See `VariableSource`.

    Args:
        index: content of the index file.
        open_shard: gives the content of data file k of n; raises `MalformedError` where there is none.

    Raises:
        MalformedError: the index is damaged, or does not fit its data files.
    """

    format = "TensorFlow V2 checkpoint"

    def __init__(self, index: memoryview, open_shard: Callable[[int, int], memoryview]) -> None:
        entries = Table(index).entries()
        key, header = next(entries, (None, memoryview(b"")))
        if key != b"":
            raise MalformedError("its index has no header")
        count = integer(header, 1)
        if not 1 <= count <= _MAX_SHARDS:
            raise MalformedError(f"it says that it has {count} data files")
        self._swapped = integer(header, 2) == 1
        self._shards = [open_shard(shard, count) for shard in range(count)]
        self.variables: dict[str, Variable] = {}
        self._places: dict[str, _Place] = {}
        for key, entry in entries:
            self._add(key, entry)

    def _add(self, key: bytes, entry: memoryview) -> None:
        name = decoded(key)
        if any(number == 7 for number, _, _ in fields(entry)):
            raise MalformedError(f"variable {name!r} is stored in partitions, which Magenta never does")
        place = _Place(integer(entry, 3), integer(entry, 4), integer(entry, 5), integer(entry, 6))
        if not 0 <= place.shard < len(self._shards):
            raise MalformedError(f"variable {name!r} lies in data file {place.shard}, which there is not")
        available = len(self._shards[place.shard])
        if not (0 <= place.offset <= available and 0 <= place.size <= available - place.offset):
            raise MalformedError(f"variable {name!r} lies beyond the end of its data file; perhaps that was cut off")
        variable = make_variable(name, integer(entry, 1), shape_of(message(entry, 2)), place.size)
        if variable.dtype and variable.size != place.size:
            raise MalformedError(
                f"variable {name!r} of shape {list(variable.shape)} takes {variable.size} bytes, but has {place.size}"
            )
        self.variables[name] = variable
        self._places[name] = place

    def read(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """See `VariableSource.read`."""
        read = {}
        for name in names:
            place = self._places[name]
            content = self._shards[place.shard][place.offset : place.offset + place.size]
            if unmasked(place.crc) != crc32c(content):
                raise MalformedError(f"variable {name!r} is damaged (its checksum does not fit)")
            read[name] = numbers(content, self.variables[name], self._swapped)
        return read
