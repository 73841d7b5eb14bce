"""Levels, pans and sends of the parts: one matrix product a block, from the parts' channels to the buses'.

Gains move in straight lines within a block, from its beginning to its end, so nothing ever jumps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.sound.messages import BLOCK, Control, PartSound
from engine.sound.mixing.ramped import RampedValue

BUSES = 6
"""Columns of the mixer's result: master left and right, reverb left and right, delay left and right."""

_FLOOR = -90.0
"""dB: where a ramp to or from silence (-inf dB) starts or ends; at and below it the gain is 0."""


def _gain(level: float) -> float:
    return 0.0 if level <= _FLOOR else 10.0 ** (level / 20.0)


def _clamp(control: Control, value: float) -> float:
    if math.isnan(value):
        return 0.0
    if control is Control.PAN:
        return min(max(value, -1.0), 1.0)
    return min(max(value, _FLOOR), 24.0)


class Mixer:
    """Parts in, buses out.

    Args:
        parts: how each part sounds at the start.

    Attributes:
        reverb_open: any part may be heard on the reverb's buses.
        delay_open: the same for the delay.
    """

    def __init__(self, parts: Sequence[PartSound]) -> None:
        self._lines = [
            {
                control: RampedValue(_clamp(control, value))
                for control, value in (
                    (Control.LEVEL, part.level),
                    (Control.PAN, part.pan),
                    (Control.REVERB, part.reverb),
                    (Control.DELAY, part.delay),
                )
            }
            for part in parts
        ]
        self._gains = np.zeros((2 * len(parts), BUSES), np.float32)
        self._target = self._gains.copy()
        self._moving_until = -1
        self._rise = (np.arange(1, BLOCK + 1, dtype=np.float32) / BLOCK)[:, None]
        self._buses = np.zeros((BLOCK, BUSES), np.float32)
        for index in range(len(parts)):
            self._fill(self._gains, index, 0)
        self._target[:] = self._gains
        self._look()

    def _look(self) -> None:
        self.reverb_open = bool(self._gains[:, 2:4].any())
        self.delay_open = bool(self._gains[:, 4:].any())

    def _fill(self, gains: np.ndarray, index: int, frame: int) -> None:
        values = {control: line.at(frame) for control, line in self._lines[index].items()}
        level = _gain(values[Control.LEVEL])
        # A balance with constant power: both sides at 1 in the middle, one at +3 dB when it is alone.
        turn = (values[Control.PAN] + 1.0) * math.pi / 4.0
        sides = (level * math.sqrt(2.0) * math.cos(turn), level * math.sqrt(2.0) * math.sin(turn))
        reverb, delay = _gain(values[Control.REVERB]), _gain(values[Control.DELAY])
        for side in (0, 1):
            row = gains[2 * index + side]
            row[:] = 0.0
            row[side] = sides[side]
            row[2 + side] = sides[side] * reverb
            row[4 + side] = sides[side] * delay

    def ramp(self, index: int, control: Control, value: float, start: int, end: int) -> None:
        """Move a control of a part from where it is at frame `start` to `value` at frame `end`."""
        self._lines[index][control].ramp(_clamp(control, value), start, end)
        self._moving_until = max(self._moving_until, end)

    def mix(self, channels: np.ndarray, frame: int) -> np.ndarray:
        """One block.

        Args:
            channels: array [BLOCK, 2 * parts] of float32: the parts' left and right.
            frame: of its beginning.

        Returns:
            Array [BLOCK, BUSES] of float32; it is overwritten by the next call.
        """
        np.dot(channels, self._gains, out=self._buses)
        if frame <= self._moving_until:
            for index in range(len(self._lines)):
                self._fill(self._target, index, frame + BLOCK)
            self._buses += np.dot(channels * self._rise, self._target - self._gains)
            self._gains[:] = self._target
            self._look()
            # What was open in this block must be heard to its end.
            self.reverb_open |= bool(self._buses[:, 2:4].any())
            self.delay_open |= bool(self._buses[:, 4:].any())
        return self._buses
