"""How bright a part sounds: a low-pass filter behind its instrument, which moves without steps.

Only parts whose scene says something of their brightness have one; all others sound as their instruments do.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.sound.messages import BLOCK
from engine.sound.mixing.ramped import RampedValue
from engine.sound.synth import BlockBus, pyo

DARKEST, BRIGHTEST = 125.0, 20_000.0
"""Hz: corner of the filter at 0 and at 1. Between them lie 7.3 octaves, evenly."""

_OCTAVES = math.log2(BRIGHTEST / DARKEST)


class _Sweep:
    """The corner from one edge of a block to the other. Parts that follow the same curve share what is computed."""

    def __init__(self) -> None:
        self._fraction = np.arange(1, BLOCK + 1) / BLOCK
        self._hertz = np.zeros(BLOCK)
        self._edges = (0.0, 0.0)

    def __call__(self, begin: float, end: float) -> np.ndarray:
        """Hz of each frame, array [BLOCK]: evenly in octaves. It is overwritten by the next call."""
        if (begin, end) != self._edges:
            self._edges = (begin, end)
            np.power(end / begin, self._fraction, out=self._hertz)
            self._hertz *= begin
        return self._hertz


_sweep = _Sweep()


class Brightness:
    """The filter of one part: 12 dB an octave (Butterworth).

    Args:
        outputs: left and right of its instrument, pyo objects of one stream each.
        value: 0 dark .. 1 open; or where another filter of the part stands.

    Attributes:
        outputs: the filtered sides.
    """

    def __init__(self, outputs: tuple[object, object], value: float | RampedValue) -> None:
        self._line = value if isinstance(value, RampedValue) else RampedValue(_clamped(value))
        self._corner = BlockBus(_hertz(self._line.value))
        self._settled = False
        self.outputs: tuple[Any, Any] = tuple(pyo.ButLP(side, self._corner.signal) for side in outputs)  # pyright: ignore

    def beside(self, outputs: tuple[object, object]) -> Brightness:
        """The filter of another instrument of the part, which moves as this one does."""
        return Brightness(outputs, self._line)

    def ramp(self, value: float, start: int, end: int) -> None:
        """Move from where it is at frame `start` to `value` at frame `end`, evenly to the ear: in octaves."""
        self._line.ramp(_clamped(value), start, end)
        self._settled = False

    def prepare(self, frame: int) -> None:
        """Make ready for the block that begins at an absolute frame."""
        if self._settled:
            return
        begin, end = _hertz(self._line.at(frame)), _hertz(self._line.at(frame + BLOCK))
        self._corner.table[:] = _sweep(begin, end)
        self._settled = begin == end and frame >= self._line.end


def _clamped(value: float) -> float:
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else 1.0


def _hertz(value: float) -> float:
    return DARKEST * 2.0 ** (_OCTAVES * value)
