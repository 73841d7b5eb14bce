"""Sorted tables of keys and values as LevelDB writes them; TensorFlow's checkpoints are such tables.

A table is a row of blocks and a footer of 48 bytes: the place of the index block, padding, a magic number. Each block
is followed by a byte that says how it is compressed (not at all, or Snappy) and a masked CRC-32C. In a block each key
is stored as what it adds to the key before; the block ends with a list of restart points.

Source: the "leveldb File format" page of LevelDB's documentation (table_format.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.networks.checkpoints.wire import MalformedError, read_varint

MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
FOOTER = 48
_TRAILER = 5
_CHUNK = 2**20
_MAX_KEY = 2048
MAX_ENTRIES = 50_000
"""A table of thousands of variables is a big one; and keys grow out of almost nothing, so they need a bound."""
_MAX_SNAPPY_RATIO = 24
"""Snappy's densest element makes 64 bytes out of 3."""


def is_table(data: memoryview) -> bool:
    """Whether a file ends like a table."""
    return len(data) >= FOOTER and bytes(data[-8:]) == MAGIC


def unmasked(crc: int) -> int:
    """The CRC-32C that was stored masked, so that a CRC over data with CRCs in it stays sound."""
    rotated = (crc - 0xA282EAD8) & 0xFFFFFFFF
    return (rotated >> 17) | (rotated << 15) & 0xFFFFFFFF


def crc32c(*parts: memoryview) -> int:
    """CRC-32C of bytes, one part after the other."""
    import google_crc32c

    crc = 0
    for part in parts:
        for begin in range(0, len(part), _CHUNK):
            crc = google_crc32c.extend(crc, bytes(part[begin : begin + _CHUNK]))
    return crc


class Table:
    """A table in memory; blocks are checked and unpacked one at a time, when they are asked for.

    Args:
        data: the whole file.

    Raises:
        MalformedError: there is no footer or no readable index.
    """

    def __init__(self, data: memoryview) -> None:
        if not is_table(data):
            raise MalformedError("it does not end like a checkpoint table; perhaps it was cut off")
        self._data = data
        self._end = len(data) - FOOTER
        footer = data[self._end :]
        _, position = _handle(footer, 0)
        (offset, size), _ = _handle(footer, position)
        self._blocks: list[tuple[int, int]] = []
        behind = 0
        for _, value in _entries(self._block(offset, size)):
            (offset, size), _ = _handle(value, 0)
            if offset < behind:
                raise MalformedError("its blocks overlap")
            behind = offset + size + _TRAILER
            self._blocks.append((offset, size))
            if len(self._blocks) > MAX_ENTRIES:
                raise MalformedError(f"it has more than {MAX_ENTRIES} blocks")

    def entries(self) -> Iterator[tuple[bytes, memoryview]]:
        """Every key with its value, in the order of the keys.

        Raises:
            MalformedError: a block is damaged, or there are too many keys.
        """
        count = 0
        for offset, size in self._blocks:
            for entry in _entries(self._block(offset, size)):
                count += 1
                if count > MAX_ENTRIES:
                    raise MalformedError(f"it has more than {MAX_ENTRIES} entries")
                yield entry

    def _block(self, offset: int, size: int) -> memoryview:
        if size > self._end - _TRAILER or offset > self._end - _TRAILER - size:
            raise MalformedError(f"a block of {size} bytes at {offset} lies outside the file")
        block = self._data[offset : offset + size]
        trailer = self._data[offset + size : offset + size + _TRAILER]
        if unmasked(int.from_bytes(trailer[1:], "little")) != crc32c(block, trailer[:1]):
            raise MalformedError(f"the block at byte {offset} is damaged (its checksum does not fit)")
        if trailer[0] == 0:
            return block
        if trailer[0] == 1:
            return _unpacked(block)
        raise MalformedError(f"the block at byte {offset} is compressed in an unknown way")


def _unpacked(block: memoryview) -> memoryview:
    """A block without its Snappy compression."""
    import cramjam

    size, _ = read_varint(block, 0)
    if size > _MAX_SNAPPY_RATIO * len(block):
        raise MalformedError(f"a block of {len(block)} bytes claims to hold {size}")
    whole = bytearray(size)
    try:
        made = cramjam.snappy.decompress_raw_into(bytes(block), whole)
    except (cramjam.DecompressionError, ValueError) as error:
        raise MalformedError(f"a compressed block cannot be unpacked ({error})") from None
    if made != size:
        raise MalformedError("a compressed block is incomplete")
    return memoryview(whole).toreadonly()


def _handle(data: memoryview, position: int) -> tuple[tuple[int, int], int]:
    offset, position = read_varint(data, position)
    size, position = read_varint(data, position)
    return (offset, size), position


def _entries(block: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    if len(block) < 4:
        raise MalformedError("a block is too short")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise MalformedError("a block is too short for its restart points")
    position, key = 0, b""
    while position < end:
        shared, position = read_varint(block, position)
        added, position = read_varint(block, position)
        size, position = read_varint(block, position)
        if shared > len(key) or added + size > end - position:
            raise MalformedError("an entry is cut off")
        if shared + added > _MAX_KEY:
            raise MalformedError(f"a key of {shared + added} bytes")
        key = key[:shared] + bytes(block[position : position + added])
        position += added
        yield key, block[position : position + size]
        position += size
