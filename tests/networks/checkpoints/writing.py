"""Writes checkpoints as TensorFlow and Magenta do, or nearly: for tests that need odd and hostile ones."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import cramjam
import google_crc32c
import numpy as np

MAGIC = 0xDB4775248B80FB57
DTYPES = {"float32": 1, "float64": 2, "int64": 9, "float16": 19}


def varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes | str) -> bytes:
    """A field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def fixed32(number: int, value: int) -> bytes:
    return varint(number << 3 | 5) + value.to_bytes(4, "little")


def masked(content: bytes) -> int:
    crc = google_crc32c.value(content)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def block(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The content of a block of a table, with a restart point at every fourth key."""
    out, restarts, last = bytearray(), [], b""
    for number, (key, value) in enumerate(entries):
        if number % 4 == 0:
            restarts.append(len(out))
            shared = 0
        else:
            shared = next(
                (n for n, (a, b) in enumerate(zip(last, key, strict=False)) if a != b), min(len(last), len(key))
            )
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    for restart in restarts or [0]:
        out += restart.to_bytes(4, "little")
    return bytes(out) + len(restarts or [0]).to_bytes(4, "little")


def table(entries: Sequence[tuple[bytes, bytes]], per_block: int = 3, snappy: bool = False) -> bytes:
    """A whole table; the keys must be sorted."""
    out, index = bytearray(), []

    def put(content: bytes, compressed: bool) -> bytes:
        kind = b"\1" if compressed else b"\0"
        if compressed:
            content = bytes(cramjam.snappy.compress_raw(content))
        handle = varint(len(out)) + varint(len(content))
        out.extend(content + kind + masked(content + kind).to_bytes(4, "little"))
        return handle

    for begin in range(0, len(entries), per_block):
        part = entries[begin : begin + per_block]
        index.append((part[-1][0], put(block(part), snappy)))
    places = put(block([]), False) + put(block(index), False)
    return bytes(out) + places.ljust(40, b"\0") + MAGIC.to_bytes(8, "little")


def shape_message(shape: Sequence[int]) -> bytes:
    return b"".join(field(2, field(1, size)) for size in shape)


def bundle_entry(value: np.ndarray, offset: int, **changes: int) -> bytes:
    """A BundleEntryProto; `changes` overrule what is true."""
    true = {"dtype": DTYPES[value.dtype.name], "offset": offset, "size": value.nbytes, "shard": 0}
    true |= {"crc": masked(value.tobytes())} | changes
    return (
        field(1, true["dtype"])
        + field(2, shape_message(value.shape))
        + (field(3, true["shard"]) if true["shard"] else b"")
        + field(4, true["offset"])
        + field(5, true["size"])
        + fixed32(6, true["crc"])
    )


def v2(variables: Mapping[str, np.ndarray], snappy: bool = False) -> tuple[bytes, bytes]:
    """A V2 checkpoint: index and its one data file."""
    entries, data = [(b"", field(1, 1) + field(3, field(1, 1)))], bytearray()
    for name in sorted(variables):
        entries.append((name.encode(), bundle_entry(variables[name], len(data))))
        data += variables[name].tobytes()
    return table(entries, snappy=snappy), bytes(data)


def write_v2(folder: Path, name: str, variables: Mapping[str, np.ndarray]) -> Path:
    """A V2 checkpoint in a folder: its index file."""
    index, data = v2(variables)
    (folder / f"{name}.data-00000-of-00001").write_bytes(data)
    (folder / f"{name}.index").write_bytes(index)
    return folder / f"{name}.index"


def v1(variables: Mapping[str, np.ndarray], snappy: bool = False) -> bytes:
    """A V1 checkpoint."""
    listed, entries = b"", []
    for name in sorted(variables):
        value = variables[name]
        dtype, shape = DTYPES[value.dtype.name], shape_message(value.shape)
        whole = b"".join(field(1, b"") for _ in value.shape)
        listed += field(1, field(1, name) + field(2, shape) + field(3, dtype) + field(4, whole))
        packed = {
            "float32": lambda: field(5, value.tobytes()),  # noqa: B023
            "float64": lambda: field(6, value.tobytes()),  # noqa: B023
            "int64": lambda: field(10, b"".join(varint(int(number)) for number in value.ravel())),  # noqa: B023
        }[value.dtype.name]()
        tensor = field(1, dtype) + field(2, shape) + packed
        saved = field(2, field(1, name) + field(2, whole) + field(3, tensor))
        entries.append((b"\1" + name.encode() + b"\0\1", saved))
    return table([(b"", field(1, listed)), *entries], snappy=snappy)


def meta_graph(states: Sequence[Sequence[int]], inputs: Sequence[int] = (1, -1, 74)) -> bytes:
    """A MetaGraphDef with the collections `initial_state` and `inputs`."""

    def node(name: str, shape: Sequence[int]) -> bytes:
        attribute = field(1, "_output_shapes") + field(2, field(1, field(7, shape_message(shape))))
        return field(1, field(1, name) + field(2, "Fill") + field(5, attribute))

    names = [f"state_{number}" for number in range(len(states))]
    nodes = b"".join(map(node, names, states)) + node("in", inputs)

    def collection(name: str, members: Sequence[str]) -> bytes:
        values = b"".join(field(1, f"{member}:0") for member in members)
        return field(4, field(1, name) + field(2, field(1, values)))

    return field(2, nodes) + collection("initial_state", names) + collection("inputs", ["in"])


def bundle(generator: str, *files: bytes, description: str = "", graph: bytes = b"") -> bytes:
    """A GeneratorBundle."""
    out = field(1, field(1, generator)) + b"".join(field(2, file) for file in files)
    return out + (field(3, graph) if graph else b"") + field(4, field(1, description))


def tar(members: Mapping[str, bytes], mode: str = "w") -> bytes:
    """A tar file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def legacy_name(name: str) -> str:
    """The name of an RNN's weight as TensorFlow 0.12 spelt it."""
    if name.startswith("fully_connected/"):
        return name
    old = name.replace("rnn/", "RNN/", 1) if name.startswith("rnn/") else name
    for new, was in (
        ("attn_output_projection/kernel", "AttnOutputProjection/Linear/Matrix"),
        ("attn_output_projection/bias", "AttnOutputProjection/Linear/Bias"),
        ("attention_cell_wrapper", "AttentionCellWrapper"),
        ("multi_rnn_cell", "MultiRNNCell"),
        ("basic_lstm_cell", "BasicLSTMCell"),
        ("attention/", "Attention/"),
        ("attn_w", "AttnW"),
        ("attn_v", "AttnV"),
        ("/cell_", "/Cell"),
    ):
        old = old.replace(new, was)
    for new, was in (("/kernel", "/Linear/Matrix"), ("/bias", "/Linear/Bias")):
        old = old.replace(new, was)
    return old


def early_name(name: str) -> str:
    """The name of an RNN's weight as TensorFlow 1.0 and 1.1 spelt it."""
    return (
        name if name.startswith("fully_connected/") else name.replace("/kernel", "/weights").replace("/bias", "/biases")
    )
