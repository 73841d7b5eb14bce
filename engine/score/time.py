# pyright: strict
"""Musical time: meters, and the map from bars and beats to frames of the output.

A beat is a quarter note throughout; a step is a sixteenth note.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from engine.errors import WrongValueError

SAMPLE_RATE = 48_000
"""Frames per second of every sound that the engine makes."""

DAY = 86400.0
"""Seconds of a day of the clock; the two days a year that are longer or shorter pass some hours twice or not at all."""

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


@dataclass(frozen=True, slots=True)
class BarLine:
    """A bar line on the frame grid: all that the bars after it need to know of those before.

    Attributes:
        index: of the bar that begins there.
        frame: its first frame.
        carry: what rounding has left over, in frames; 0 <= carry < 1.
    """

    index: int = 0
    frame: int = 0
    carry: float = 0.0


class TempoMap:
    """Bars, one after another, each with its own tempo, on an exact frame grid.

    A bar has a whole number of frames; what rounding leaves over is carried into the next one, so the grid never
    drifts from the nominal tempo by more than a frame, however long it plays.

    Args:
        begin: the bar line that the first bar begins at.
    """

    def __init__(self, begin: BarLine = BarLine()) -> None:
        self._bars: list[Bar] = []
        self._lines = [begin]  # those that the bars begin at, and the one that the next begins at

    def append(self, beats: float, qpm: float) -> Bar:
        """Add a bar at the end.

        Args:
            beats: length in beats, > 0.
            qpm: quarter notes per minute, > 0.
        """
        if not (beats > 0 and qpm > 0 and math.isfinite(beats) and math.isfinite(qpm)):
            raise ValueError(f"a bar needs positive beats and qpm, got {beats} beats at {qpm} qpm")
        begin = self._lines[-1]
        exact = beats * 60.0 / qpm * SAMPLE_RATE + begin.carry
        frames = max(1, math.floor(exact))
        bar = Bar(begin.index, begin.frame, frames, beats, qpm)
        self._bars.append(bar)
        self._lines.append(BarLine(begin.index + 1, bar.end, exact - frames))
        return bar

    def forget_before(self, index: int) -> None:
        """Drop the bars before one, so that a performance of days keeps a constant size."""
        keep = min(max(0, index - self.first_index), len(self._bars))
        del self._bars[:keep], self._lines[:keep]

    def bar(self, index: int) -> Bar:
        """The bar with an index.

        Raises:
            KeyError: it is not (or no longer) on the map.
        """
        if not self.first_index <= index < self.next_index:
            raise KeyError(f"bar {index} is not on the tempo map")
        return self._bars[index - self.first_index]

    def line(self, index: int) -> BarLine:
        """The bar line that a bar begins at; also that of the bar after the last.

        Raises:
            KeyError: it is not (or no longer) on the map.
        """
        if not self.first_index <= index <= self.next_index:
            raise KeyError(f"bar {index} is not on the tempo map")
        return self._lines[index - self.first_index]

    @property
    def end(self) -> int:
        """First frame after the last bar."""
        return self._lines[-1].frame

    @property
    def first_index(self) -> int:
        """Index of the first bar that is remembered."""
        return self._lines[0].index

    @property
    def next_index(self) -> int:
        """Index that the next appended bar will have."""
        return self._lines[-1].index
