"""A control of a part: where it is, and the ramp that it is on."""

# pyright: strict

from __future__ import annotations


class RampedValue:
    """A value that moves in straight lines over frames.

    Args:
        value: at the start.

    Attributes:
        value: at the end of the ramp that it is on.
        end: frame of that end; -1 before the first ramp.
    """

    __slots__ = ("_from", "_start", "end", "value")

    def __init__(self, value: float) -> None:
        self.value = self._from = value
        self._start = self.end = -1

    def at(self, frame: int) -> float:
        """The value at a frame."""
        if frame >= self.end:
            return self.value
        if frame <= self._start:
            return self._from
        return self._from + (self.value - self._from) * (frame - self._start) / (self.end - self._start)

    def ramp(self, value: float, start: int, end: int) -> None:
        """Move from where it is at frame `start` to `value` at frame `end`."""
        self._from = self.at(start)
        self.value, self._start, self.end = value, start, end
