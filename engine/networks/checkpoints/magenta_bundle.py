"""Magenta's bundles (`.mag`): a GeneratorBundle message with a checkpoint, the graph it belongs to, and who made it.

Nothing of the graph is run. It is looked at for two things which the weights do not say: the size of an input, and how
many numbers the state of the network has, whence the length of an attention window.

Source: `note_seq/protobuf/generator.proto`; `meta_graph.proto` and `graph.proto` of TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.networks.checkpoints.saved_slices import SavedSlices
from engine.networks.checkpoints.table import Table, is_table
from engine.networks.checkpoints.tensor_bundle import TensorBundle
from engine.networks.checkpoints.variables import VariableSource, shape_of
from engine.networks.checkpoints.wire import VARINT, MalformedError, decoded, fields, message, messages, text

_MAX_FILES = 1000
_MAX_GRAPH = 16 * 2**20
_MAX_STATES = 1000
_MAX_DESCRIPTION = 65536
_SHAPE_ATTRIBUTES = ("_output_shapes", "shape")


@dataclass(frozen=True, slots=True)
class Graph:
    """What a bundle's graph says.

    Attributes:
        state_sizes: numbers in each tensor of the state, for one sequence; empty where the graph does not say.
        input_size: numbers in an input; None where the graph does not say.
    """

    state_sizes: tuple[int, ...] = ()
    input_size: int | None = None


@dataclass(frozen=True, slots=True)
class MagentaBundle:
    """A bundle.

    Attributes:
        generator: Magenta's config id, such as "attention_rnn".
        description: by the one who made the bundle; may be "".
        source: its checkpoint.
        graph: see `Graph`.
    """

    generator: str
    description: str
    source: VariableSource
    graph: Graph


def read_bundle(data: memoryview) -> MagentaBundle:
    """Read a bundle.

    Raises:
        MalformedError: it is damaged, or no bundle.
    """
    files = []
    for content in messages(data, 2):
        files.append(content)
        if len(files) > _MAX_FILES:
            raise MalformedError("it has too many files inside")
    generator = text(message(data, 1), 1)
    if not files or not generator:
        raise MalformedError("it has no checkpoint inside, or does not name its generator")
    return MagentaBundle(generator, _description(message(data, 4)), _checkpoint(files), _graph(message(data, 3)))


def _description(details: memoryview) -> str:
    """What the maker of a bundle wrote, in one line."""
    content = message(details, 1)
    if len(content) > _MAX_DESCRIPTION:
        raise MalformedError("its description is longer than any")
    written = bytes(content).decode(errors="replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in written).split())


def _checkpoint(files: list[memoryview]) -> VariableSource:
    if not is_table(files[0]):
        raise MalformedError("the checkpoint inside does not end like one; perhaps it was cut off")
    if not is_index(files[0]):
        return SavedSlices(files[0])

    def open_shard(shard: int, count: int) -> memoryview:
        if len(files) != count + 1:
            raise MalformedError(f"it has {len(files) - 1} data files inside instead of {count}")
        return files[1 + shard]

    return TensorBundle(files[0], open_shard)


def is_index(table: memoryview) -> bool:
    """Whether a table is the index of a V2 checkpoint, not a V1 checkpoint.

    Both have an entry with the empty key. The first field of the one is a number, that of the other a message.

    Raises:
        MalformedError: the table is damaged.
    """
    _, value = next(Table(table).entries(), (b"", memoryview(b"")))
    return next(((number, kind) for number, kind, _ in fields(value)), None) == (1, VARINT)


def _graph(meta_graph: memoryview) -> Graph:
    """What a MetaGraphDef says; an odd one says nothing, since the network plays without it."""
    if not 0 < len(meta_graph) <= _MAX_GRAPH:
        return Graph()
    try:
        states, inputs = _collection(meta_graph, "initial_state"), _collection(meta_graph, "inputs")
        wanted = set(states) | set(inputs)
        last: dict[str, int] = {}
        for node in messages(message(meta_graph, 2), 1):
            name = text(node, 1)
            if name in wanted and (shape := _output_shape(node)):
                last[name] = shape[-1]
        known = all(last.get(name, -1) > 0 for name in states)
        size = last.get(inputs[0], -1) if inputs else -1
        return Graph(tuple(last[name] for name in states) if known else (), size if size > 0 else None)
    except MalformedError:
        return Graph()


def _collection(meta_graph: memoryview, wanted: str) -> list[str]:
    """Names of the nodes in a collection of the graph."""
    for entry in messages(meta_graph, 4):
        if text(entry, 1) == wanted:
            names = []
            for value in messages(message(message(entry, 2), 1), 1):
                names.append(decoded(value).partition(":")[0])
                if len(names) > _MAX_STATES:
                    raise MalformedError("a collection is too long")
            return names
    return []


def _output_shape(node: memoryview) -> tuple[int, ...]:
    """Shape of a node's first output, from whichever attribute tells it; () if none does."""
    attributes = {key: value for key, value in _attributes(node) if key in _SHAPE_ATTRIBUTES}
    for key in _SHAPE_ATTRIBUTES:
        value = attributes.get(key, memoryview(b""))
        listed = next(messages(message(value, 1), 7), memoryview(b""))
        if shape := shape_of(listed) or shape_of(message(value, 7)):
            return shape
    return ()


def _attributes(node: memoryview) -> Iterator[tuple[str, memoryview]]:
    for attribute in messages(node, 5):
        yield text(attribute, 1), message(attribute, 2)
