"""Reading protobuf messages field by field, without the protobuf runtime.

Magenta's bundles and TensorFlow's checkpoints keep a handful of fields in protobuf messages, beside weights of hundreds
of megabytes in the very same messages. The protobuf runtime copies every one of them, needs generated classes of
TensorFlow's own definitions, and ties a light player to one of its release lines. The wire format is small: a message
is a row of (field number, wire type, value), and nothing in it needs more memory than the message itself, since values
here are views into it.

Source: the "Encoding" page of the protocol buffers documentation.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types. The two for groups are long gone, and refused."""
_MAX_FIELDS = 500_000
"""The longest messages of real files list the nodes of a graph, ten thousand or so. More would only cost time."""


class MalformedError(ValueError):
    """A file is not what it should be; the message says where in it."""


def read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """An unsigned integer of seven bits a byte: (value below 2**64, position behind it).

    Raises:
        MalformedError: it is cut off or too long.
    """
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise MalformedError("a number is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
    raise MalformedError("a number is too long")


def fields(message: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Every field of a message: (number, wire type, value); a view for `BYTES`, else an unsigned integer.

    Raises:
        MalformedError: it is no message.
    """
    position, end, count = 0, len(message), 0
    while position < end:
        count += 1
        if count > _MAX_FIELDS:
            raise MalformedError(f"a message has more than {_MAX_FIELDS} fields")
        tag, position = read_varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise MalformedError("a field has no number")
        if wire_type == VARINT:
            value, position = read_varint(message, position)
            yield number, wire_type, value
            continue
        if wire_type == BYTES:
            size, position = read_varint(message, position)
        elif wire_type in (FIXED64, FIXED32):
            size = 8 if wire_type == FIXED64 else 4
        else:
            raise MalformedError("a field is of no known kind")
        if size > end - position:
            raise MalformedError(f"a field of {size} bytes is cut off")
        content = message[position : position + size]
        position += size
        yield number, wire_type, content if wire_type == BYTES else int.from_bytes(content, "little")


def messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """Every field of this number that is a message, a string or bytes."""
    for found, wire_type, value in fields(message):
        if found == number and wire_type == BYTES:
            assert isinstance(value, memoryview)
            yield value


def message(parent: memoryview, number: int) -> memoryview:
    """The field of this number, where the last one counts; empty if there is none."""
    last = memoryview(b"")
    for found in messages(parent, number):
        last = found
    return last


def text(parent: memoryview, number: int, limit: int = 4096) -> str:
    """A string field; "" if there is none.

    Raises:
        MalformedError: it is longer than `limit` bytes, or as for `decoded`.
    """
    content = message(parent, number)
    if len(content) > limit:
        raise MalformedError(f"a name of {len(content)} bytes")
    return decoded(content)


def decoded(content: bytes | memoryview) -> str:
    """A name in a file; what cannot be printed is refused, since names end up in messages and on terminals.

    Raises:
        MalformedError: it is no UTF-8, or cannot be printed.
    """
    try:
        name = bytes(content).decode()
    except UnicodeDecodeError:
        raise MalformedError("a name is not text") from None
    if not name.isprintable():
        raise MalformedError(f"a name cannot be printed: {name[:80]!r}")
    return name


def integer(parent: memoryview, number: int) -> int:
    """An int64, uint32, bool, enum or fixed field; 0 if there is none."""
    last = 0
    for found, wire_type, value in fields(parent):
        if found == number and isinstance(value, int):
            last = value - (1 << 64) if wire_type == VARINT and value >= 1 << 63 else value
    return last
