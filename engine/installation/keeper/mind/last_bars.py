# pyright: strict
"""The bars that a mind has sealed lately, and how they sound once more while there is no mind."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from engine.score.time import SAMPLE_RATE
from engine.sound.messages import Notes

LOOP = 16 * SAMPLE_RATE
"""Frames of the last bars that are repeated, at least; shorter than a slow scene's phrase, longer than a pulse."""


@dataclass(frozen=True, slots=True)
class KeptBar:
    """A bar that was sealed.

    Attributes:
        start, end: its first frame, and the first after it.
        notes: of its parts.
    """

    start: int
    end: int
    notes: tuple[Notes, ...]

    def moved(self, start: int, before: int) -> list[Notes]:
        """Its notes as they sound from another frame on.

        Args:
            start: frame at which it begins now.
            before: notes that would begin at this frame or later are left out.
        """
        found: list[Notes] = []
        for piece in self.notes:
            notes = piece.notes.copy()
            notes["on"] += start - self.start
            notes["off"] += start - self.start
            notes = notes[notes["on"] < before]
            if len(notes):
                found.append(Notes(piece.part, notes))
        return found


class LastBars:
    """Bars up to the frame until which it is known what sounds, whoever decided it.

    Args:
        until: frame at which the first of them begins.

    Attributes:
        until: that frame.
        repeating: whether the last bars that sound there are repetitions.
        repeated: frames that were ever filled with repetitions.
    """

    def __init__(self, until: int = 0) -> None:
        self.until = until
        self.repeating = False
        self.repeated = 0
        self._bars: deque[KeptBar] = deque()
        self._next = 0

    def __len__(self) -> int:
        """How many bars are kept."""
        return len(self._bars)

    def start_of(self, frame: int) -> int:
        """First frame of the bar that a frame lies in; 0 where nobody knows."""
        return next((bar.start for bar in reversed(self._bars) if bar.start <= frame < bar.end), 0)

    def line_after(self, frame: int) -> int | None:
        """The first bar line from a frame on, as far as bars are known. From any thread."""
        return min((bar.start for bar in tuple(self._bars) if bar.start >= frame), default=None)

    def seal(self, start: int, end: int, notes: Sequence[Notes]) -> bool:
        """A mind has decided a bar: whether it is to sound. It is not where repetitions are sounding already.

        What is left between these and the bar is `gap_before`.
        """
        if start < self.until:
            return False
        self.until, self.repeating = end, False
        self._bars.append(KeptBar(start, end, tuple(notes)))
        while len(self._bars) > 1 and end - self._bars[1].start >= LOOP:
            self._bars.popleft()
        return True

    def gap_before(self, start: int) -> list[Notes]:
        """Notes for what nobody has filled before a bar that begins at a frame: of a repetition that is cut there."""
        if not self.repeating or start <= self.until or not self._bars:
            return []
        return self._bars[self._next % len(self._bars)].moved(self.until, start)

    def forget(self, frame: int, parts: Collection[str]) -> None:
        """Another scene plays from a frame on: what was sealed from there on does not sound.

        Args:
            frame: at which it begins.
            parts: that it has; only those can be repeated.
        """
        self.until = min(self.until, frame)
        kept = [
            KeptBar(bar.start, min(bar.end, frame), tuple(piece for piece in bar.notes if piece.part in parts))
            for bar in self._bars
            if bar.start < frame
        ]
        self._bars = deque(kept)

    def repeat(self, until: int) -> list[Notes]:
        """Let the last bars sound once more, as many as it takes to know what sounds until a frame."""
        found: list[Notes] = []
        if not self._bars:
            return found
        if not self.repeating:
            self.repeating, self._next = True, 0
        while self.until < until:
            bar = self._bars[self._next % len(self._bars)]
            self._next += 1
            length = bar.end - bar.start
            found += bar.moved(self.until, self.until + length)
            self.until += length
            self.repeated += length
        return found
