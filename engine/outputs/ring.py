# pyright: strict
"""A ring of bytes between one thread that writes and one that reads; neither waits for the other."""

from __future__ import annotations


class Ring:
    """Bytes in the order of writing. Of one thread that writes and one that reads; it takes no lock.

    Each side moves a count of its own, and reads the other's once; a stale count only makes the ring seem fuller or
    emptier than it is.

    Args:
        size: bytes that it holds.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._memory = memoryview(bytearray(size))
        self._written = 0
        self._read = 0

    def __len__(self) -> int:
        return self._written - self._read

    def write(self, chunk: bytes) -> bool:
        """Put a chunk in, all of it or, where it does not fit, nothing; whether it did fit."""
        count = len(chunk)
        if count > self.size - (self._written - self._read):
            return False
        start = self._written % self.size
        first = min(count, self.size - start)
        view = memoryview(chunk)
        self._memory[start : start + first] = view[:first]
        self._memory[: count - first] = view[first:]
        self._written += count  # only now may it be read
        return True

    def read(self, most: int) -> bytes:
        """Take out what lies in it in one piece, `most` bytes at most; empty if there is nothing."""
        start = self._read % self.size
        count = min(most, self._written - self._read, self.size - start)
        chunk = bytes(self._memory[start : start + count])
        self._read += count
        return chunk
