"""The master: the bottom tidied, a gentle compressor, a limiter that sees a block ahead, fades."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.score.time import SAMPLE_RATE
from engine.sound.format import DEFAULT_CHANNELS
from engine.sound.messages import BLOCK

_BLOCK_SECONDS = BLOCK / SAMPLE_RATE


def _step(seconds: float) -> float:
    """Share of the way to its goal that a smoothed value goes in one block."""
    return 1.0 - math.exp(-_BLOCK_SECONDS / seconds)


Biquad = tuple[float, float, float, float, float]
"""A filter of the second order: b0, b1, b2, a1, a2, where a0 is 1."""

_BUTTERWORTH = (0.541196, 1.306563)
"""Qualities of the two biquads of a Butterworth filter of the fourth order."""
_LINKWITZ_RILEY = (0.5**0.5, 0.5**0.5)
"""The same of one of Linkwitz and Riley: two Butterworth filters of the second order."""


def _high_passes(cutoff: float, qualities: tuple[float, ...]) -> list[Biquad]:
    """After Bristow-Johnson, "Audio EQ Cookbook"."""
    turn = 2.0 * math.pi * cutoff / SAMPLE_RATE
    found = []
    for quality in qualities:
        alpha, cosine = math.sin(turn) / (2.0 * quality), math.cos(turn)
        b0, b1 = (1.0 + cosine) / 2.0, -(1.0 + cosine)
        a0 = 1.0 + alpha
        found.append((b0 / a0, b1 / a0, b0 / a0, -2.0 * cosine / a0, (1.0 - alpha) / a0))
    return found


def _all_pass(frequency: float) -> Biquad:
    """It turns phases as a Linkwitz-Riley filter of the fourth order does, and takes nothing away."""
    turn = 2.0 * math.pi * frequency / SAMPLE_RATE
    alpha, cosine = math.sin(turn) / 2.0**0.5, math.cos(turn)
    a1, a2 = -2.0 * cosine / (1.0 + alpha), (1.0 - alpha) / (1.0 + alpha)
    return (a2, a1, 1.0, a1, a2)


class Cascade:
    """Biquads in a row, a block at a time.

    They are a linear system with two numbers of state each, so a block of output is one product of a matrix with the
    block and the state before it.
    """

    def __init__(self, biquads: Sequence[Biquad]) -> None:
        self._biquads = biquads
        size = 2 * len(biquads)
        given = np.eye(BLOCK + size)
        heard, left = self._answers(given[:, :BLOCK], given[:, BLOCK:])
        self._answer = np.ascontiguousarray(heard.T, np.float32)
        self._onward = np.ascontiguousarray(left.T)
        self._given = np.zeros(BLOCK + size)
        self._given32 = np.zeros(BLOCK + size, np.float32)
        self._left = np.zeros(size)

    def _answers(self, sound: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What [n, BLOCK] of sound gives from [n, size] of state, sample by sample, and the state after it."""
        state, heard = state.copy(), sound.copy()
        for section, (b0, b1, b2, a1, a2) in enumerate(self._biquads):
            first, second = state[:, 2 * section].copy(), state[:, 2 * section + 1].copy()
            for k in range(BLOCK):
                x = heard[:, k].copy()
                heard[:, k] = y = b0 * x + first
                first, second = b1 * x - a1 * y + second, b2 * x - a2 * y
            state[:, 2 * section], state[:, 2 * section + 1] = first, second
        return heard, state

    def apply(self, line: np.ndarray, out: np.ndarray) -> None:
        """Filter an array [BLOCK] into another, contiguous one of float32."""
        self._given[:BLOCK] = line
        self._given32[:] = self._given
        np.dot(self._answer, self._given32, out=out)
        np.dot(self._onward, self._given, out=self._left)
        self._given[BLOCK:] = self._left


class BottomEnd:
    """Nothing under the range of hearing and loudspeakers, and the bass in the middle: an elliptical equaliser.

    Both sides lose what lies under `RUMBLE`, and their difference what lies under `MONO`: low waves from two places
    cancel each other in the room, and say nothing of where they come from. What turns the phases of the difference
    turns those of the middle, too, so that above `MONO` everything stays in its place.
    """

    RUMBLE = 40.0
    """Hz: a rumble filter's corner (Butterworth, 24 dB an octave), just under the lowest note of a bass."""
    MONO = 150.0
    """Hz: under 120 Hz the difference of the sides is at least 10 dB down (Linkwitz-Riley, 24 dB an octave)."""

    def __init__(self) -> None:
        rumble = _high_passes(self.RUMBLE, _BUTTERWORTH)
        self._low = Cascade([*rumble, _all_pass(self.MONO)])
        self._wide = Cascade([*rumble, *_high_passes(self.MONO, _LINKWITZ_RILEY)])
        self._line = np.zeros(BLOCK, np.float32)
        self._middle = np.zeros(BLOCK, np.float32)
        self._difference = np.zeros(BLOCK, np.float32)

    def apply(self, block: np.ndarray) -> None:
        """Change an array [BLOCK, 2] of float32 in place."""
        half = np.float32(0.5)
        np.add(block[:, 0], block[:, 1], out=self._line)
        self._line *= half
        self._low.apply(self._line, self._middle)
        np.subtract(block[:, 0], block[:, 1], out=self._line)
        self._line *= half
        self._wide.apply(self._line, self._difference)
        np.add(self._middle, self._difference, out=block[:, 0])
        np.subtract(self._middle, self._difference, out=block[:, 1])


class Compressor:
    """A bus compressor: it holds the parts together, and reduces by a few dB at most.

    Feed-forward, on the mean square of both sides, with a soft knee (after Giannoulis, Massberg and Reiss 2012,
    "Digital dynamic range compressor design", section 2); its gain moves in straight lines from block to block.
    """

    threshold = -16.0
    ratio = 2.0
    knee = 8.0

    def __init__(self) -> None:
        self._rise, self._fall = _step(0.02), _step(0.2)
        self._mean_square = 0.0
        self._gain = 1.0
        self._line = (np.arange(1, BLOCK + 1, dtype=np.float32) / BLOCK)[:, None]
        self._curve = np.zeros((BLOCK, 1), np.float32)

    def apply(self, block: np.ndarray) -> None:
        """Compress an array [BLOCK, 2] of float32 in place."""
        flat = block.ravel()
        mean_square = float(np.dot(flat, flat)) / len(flat)
        follow = self._rise if mean_square > self._mean_square else self._fall
        self._mean_square += follow * (mean_square - self._mean_square)
        over = 10.0 * math.log10(self._mean_square + 1e-12) - self.threshold
        slope = 1.0 / self.ratio - 1.0
        if 2.0 * over <= -self.knee:
            reduction = 0.0
        elif 2.0 * over < self.knee:
            reduction = slope * (over + self.knee / 2.0) ** 2 / (2.0 * self.knee)
        else:
            reduction = slope * over
        gain = 10.0 ** (reduction / 20.0)
        if gain == self._gain:
            if gain != 1.0:
                block *= np.float32(gain)
            return
        np.multiply(self._line, np.float32(gain - self._gain), out=self._curve)
        self._curve += np.float32(self._gain)
        block *= self._curve
        self._gain = gain


class Limiter:
    """Nothing leaves it above the ceiling. It delays by one block, in which its gain falls before a peak comes.

    The gain runs in straight lines between the edges of blocks. At an edge it is at most what each of the two blocks
    beside it needs, so it is low enough everywhere between, without overshoot.

    Args:
        ceiling: dBFS.

    Attributes:
        peak: largest sample of the block that it gave last, linear.
    """

    _RELEASE = _step(0.15)

    def __init__(self, ceiling: float, channels: int = DEFAULT_CHANNELS) -> None:
        # A little below, so that rounding to float32 cannot pass it.
        self._ceiling = 10.0 ** (min(ceiling, 0.0) / 20.0) * (1.0 - 1e-6)
        self._held = np.zeros((BLOCK, channels), np.float32)
        self._held_peak = 0.0
        self._held_need = 1.0
        self.peak = 0.0
        self._edge = 1.0
        self._line = (np.arange(BLOCK, dtype=np.float32) / BLOCK)[:, None]
        self._out = np.zeros((BLOCK, channels), np.float32)

    def apply(self, block: np.ndarray) -> np.ndarray:
        """Take a block [BLOCK, 2] of float32, give the one before it, limited; it is overwritten by the next call."""
        peak = float(max(block.max(), -block.min()))
        need = 1.0 if peak <= self._ceiling else self._ceiling / peak
        edge = min(self._held_need, need, self._edge + self._RELEASE * (1.0 - self._edge))
        if edge > 0.99999:
            edge = 1.0 if min(self._held_need, need) == 1.0 else edge
        out = self._out
        if edge == 1.0 and self._edge == 1.0:
            out[:] = self._held
            self.peak = self._held_peak
        else:
            np.multiply(self._held, np.float32(self._edge) + self._line * np.float32(edge - self._edge), out=out)
            np.clip(out, -self._ceiling, self._ceiling, out=out)
            self.peak = float(max(out.max(), -out.min()))
        self._held[:] = block
        self._held_peak, self._held_need, self._edge = peak, need, edge
        return out


class MasterFade:
    """The last fade, on frames of the output.

    Attributes:
        start: its first frame; None while none is asked for.
        frames: its length.
    """

    def __init__(self) -> None:
        self.start: int | None = None
        self.frames = 0

    def begin(self, start: int, frames: int) -> None:
        """Fade out from a frame of the output on; an earlier end than one asked for before wins."""
        frames = max(frames, BLOCK)
        if self.start is None or start + frames < self.start + self.frames:
            self.start, self.frames = start, frames

    def apply(self, block: np.ndarray, frame: int) -> bool:
        """Fade an array [BLOCK, 2] that begins at an output frame in place; True once all after it is silent."""
        if self.start is None or frame + BLOCK <= self.start:
            return False
        done = np.clip((np.arange(frame, frame + BLOCK) - self.start) / self.frames, 0.0, 1.0)
        # A quarter of a sine, squared: no corner at either end.
        block *= (np.sin((1.0 - done) * math.pi / 2.0) ** 2).astype(np.float32)[:, None]
        return frame + BLOCK >= self.start + self.frames
