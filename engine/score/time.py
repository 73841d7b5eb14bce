"""Musical time: meters, and the map from bars and beats to frames of the output.

A beat is a quarter note throughout; a step is a sixteenth note.
"""

from __future__ import annotations

import bisect
import math
import re
from dataclasses import dataclass

from engine.errors import WrongValueError

SAMPLE_RATE = 48_000
"""Frames per second of every sound that the engine makes."""

STEPS_PER_BEAT = 4
"""Sixteenth-note steps in a quarter note: the grid of Magenta's 4-steps-per-quarter models."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature.

    Attributes:
        numerator: 1..32.
        denominator: 1, 2, 4, 8 or 16.
    """

    numerator: int = 4
    denominator: int = 4

    @classmethod
    def parse(cls, text: str) -> Meter:
        """Read "4/4" or "6/8".

        Raises:
            ValueError: not a time signature.
        """
        match = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(1|2|4|8|16)\s*", text)
        if not match or not 1 <= int(match[1]) <= 32:
            raise WrongValueError(f"{text!r} is not a meter", example="4/4, 3/4 or 6/8")
        return cls(int(match[1]), int(match[2]))

    @property
    def beats_per_bar(self) -> float:
        """Quarter notes in a bar: 4.0 for 4/4, 3.0 for 6/8."""
        return 4.0 * self.numerator / self.denominator

    @property
    def steps_per_bar(self) -> int:
        """Sixteenth steps in a bar; every meter above has a whole number of them."""
        return 16 * self.numerator // self.denominator

    @property
    def pulse(self) -> float:
        """Beats between felt pulses: a dotted quarter in compound meters (6/8, 9/8, 12/8), else one denominator."""
        if self.denominator >= 8 and self.numerator % 3 == 0 and self.numerator > 3:
            return 12.0 / self.denominator
        return 4.0 / self.denominator

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar on the clock of the output.

    Attributes:
        index: counted from 0 at the start of the performance.
        start: first frame.
        frames: length in frames.
        beats: length in beats.
        qpm: tempo in quarter notes per minute, constant within the bar.
    """

    index: int
    start: int
    frames: int
    beats: float
    qpm: float

    @property
    def end(self) -> int:
        """First frame after the bar."""
        return self.start + self.frames

    def frame_at(self, beat: float) -> int:
        """Frame of a position in the bar, in beats from its start (may lie outside it)."""
        return self.start + round(beat / self.beats * self.frames)


class TempoMap:
    """Bars, one after another, each with its own tempo, on an exact frame grid.

    A bar has a whole number of frames; what rounding leaves over is carried into the next one, so the grid never
    drifts from the nominal tempo by more than a frame, however long it plays.
    """

    def __init__(self, start: int = 0) -> None:
        self._bars: list[Bar] = []
        self._starts: list[int] = []
        self._next_start = start
        self._next_index = 0
        self._carry = 0.0

    def append(self, beats: float, qpm: float) -> Bar:
        """Add a bar at the end.

        Args:
            beats: length in beats, > 0.
            qpm: quarter notes per minute, > 0.
        """
        if not (beats > 0 and qpm > 0 and math.isfinite(beats) and math.isfinite(qpm)):
            raise ValueError(f"a bar needs positive beats and qpm, got {beats} beats at {qpm} qpm")
        exact = beats * 60.0 / qpm * SAMPLE_RATE + self._carry
        frames = max(1, math.floor(exact))
        self._carry = exact - frames
        bar = Bar(self._next_index, self._next_start, frames, beats, qpm)
        self._bars.append(bar)
        self._starts.append(bar.start)
        self._next_start = bar.end
        self._next_index += 1
        return bar

    def forget_before(self, frame: int) -> None:
        """Drop bars that ended before a frame, so that a performance of days keeps a constant size."""
        keep = max(0, bisect.bisect_right(self._starts, frame) - 1)
        del self._bars[:keep], self._starts[:keep]

    def until(self, index: int) -> TempoMap:
        """A map of its own with the bars before an index, for what goes on differently from there."""
        found = TempoMap(self._next_start)
        found._bars = [bar for bar in self._bars if bar.index < index]
        found._starts = [bar.start for bar in found._bars]
        found._next_index, found._carry = self._next_index, self._carry
        if len(found._bars) < len(self._bars):
            cut = self._bars[len(found._bars)]
            found._next_start, found._next_index, found._carry = cut.start, cut.index, 0.0
        return found

    def bar(self, index: int) -> Bar:
        """The bar with an index.

        Raises:
            KeyError: it is not (or no longer) on the map.
        """
        first = self._bars[0].index if self._bars else 0
        if not self._bars or not first <= index < first + len(self._bars):
            raise KeyError(f"bar {index} is not on the tempo map")
        return self._bars[index - first]

    @property
    def end(self) -> int:
        """First frame after the last bar."""
        return self._next_start

    @property
    def next_index(self) -> int:
        """Index that the next appended bar will have."""
        return self._next_index
