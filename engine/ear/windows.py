# pyright: strict
"""Sums over the last seconds of music, of which each bar adds one piece."""

from __future__ import annotations

from collections import deque


class Window:
    """Amounts of the last `seconds`, each with the time that it belongs to.

    Args:
        seconds: that it reaches back, in whole pieces.
        width: how many amounts a piece has.
    """

    def __init__(self, seconds: float, width: int) -> None:
        self.sums = [0.0] * width
        self.length = 0.0
        self._seconds = seconds
        self._pieces: deque[tuple[float, tuple[float, ...]]] = deque()

    def add(self, length: float, *amounts: float) -> None:
        """Add a piece of some seconds, and drop what lies before the window."""
        self._pieces.append((length, amounts))
        self.length += length
        for place, amount in enumerate(amounts):
            self.sums[place] += amount
        while len(self._pieces) > 1 and self.length - self._pieces[0][0] >= self._seconds:
            gone, lost = self._pieces.popleft()
            self.length -= gone
            for place, amount in enumerate(lost):
                self.sums[place] -= amount

    def clear(self) -> None:
        """Forget all."""
        self._pieces.clear()
        self.length = 0.0
        self.sums = [0.0] * len(self.sums)
