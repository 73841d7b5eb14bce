# pyright: strict
"""How a block of heard sound answers to what was sent: the generalised cross-correlation, as radar finds echoes.

Only the phases of what is heard count (PHAT, Knapp and Carter 1976), so that hum, babble and the level of a microphone
do not; of what was sent those frequencies count that stand out of their neighbourhood. The value at each delay is held
against the median of all (a detector of constant false alarm rate): under noise alone, of whatever spectrum, that
ratio hardly varies, because the phases of noise know nothing of what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE = 8000
"""Frames a second, of one channel: rooms and small loudspeakers pass most of what is below 3.5 kHz."""

BLOCK = 1 << 15
"""Frames of heard sound that are looked at: 4.1 s. Two clocks that differ by 100 ppm part by 0.4 ms in it."""

REACH = BLOCK
"""Frames of delay that are looked at, in buffers of player and server, and in the room."""

BIN = 32
"""Frames of delay that count as one: 4 ms."""

BAND = (60.0, 3500.0)
"""Hz."""

NEIGHBOURHOOD = 40.0
"""Hz over which spectra are smoothed, to see what stands out."""

SOFTEST = 1e-5
"""Power beside the loudest neighbourhood of what was sent, below which nothing counts: -50 dB."""

MEDIAN = 0.6745
"""Median of the magnitude of a normal variable of unit variance."""

Samples = NDArray[np.float32]
Values = NDArray[np.float64]

_SIZE = REACH + BLOCK
_TINY = 1e-30
_EDGE = 512
_WINDOW: Values = np.hanning(BLOCK).astype(np.float64)
_TAPER: Values = np.ones(_SIZE)
_TAPER[:_EDGE] = np.hanning(2 * _EDGE)[:_EDGE]
_TAPER[-_EDGE:] = np.hanning(2 * _EDGE)[_EDGE:]
_IN_BAND = np.zeros(_SIZE // 2 + 1, np.bool_)
_IN_BAND[round(BAND[0] * _SIZE / RATE) : round(BAND[1] * _SIZE / RATE)] = True


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """What a comparison comes to.

    Attributes:
        echoes: [REACH / BIN] for each stretch of delay, from the least on: the square of the largest value, in
            variances of what noise gives. Noise alone gives about 7, and 25 somewhere.
        lines: how many frequencies count, each by its weight; what drones has few, and what is silent has none.
        share: of what was sent that comes back in phase, 0 to 1.
    """

    echoes: Values
    lines: float
    share: float

    @property
    def spread(self) -> float:
        """Standard deviation of `share` under noise alone."""
        return (2.0 * max(self.lines, 1.0)) ** -0.5


def likeness(sent: Samples, heard: Samples) -> Likeness:
    """Compare a block of heard sound with what was sent up to its end.

    Args:
        sent: [REACH + BLOCK] frames at `RATE`; its last frame, heard without delay, is the last of `heard`.
        heard: [BLOCK] frames.

    Raises:
        ValueError: these are not so many.
    """
    if len(sent) != _SIZE or len(heard) != BLOCK:
        raise ValueError(f"{_SIZE} and {BLOCK} frames are compared, not {len(sent)} and {len(heard)}")
    there = np.fft.rfft(np.asarray(sent, np.float64) * _TAPER)
    here = np.fft.rfft(np.asarray(heard, np.float64) * _WINDOW, _SIZE)
    weights = _weights(np.abs(there) ** 2, np.abs(here) ** 2)
    whole = float(weights.sum())
    if whole <= 0.0:
        return Likeness(np.zeros(REACH // BIN), 0.0, 0.0)
    cross = there * here.conj()
    cross /= np.maximum(np.abs(cross), _TINY)
    # What is heard d frames late lies at REACH - d in what was sent.
    values: Values = np.abs(np.fft.irfft(weights * cross, _SIZE))[REACH:0:-1]
    noise = max(float(np.median(values)), _TINY) / MEDIAN
    echoes: Values = (values.reshape(-1, BIN).max(axis=1) / noise) ** 2
    lines = whole**2 / float(np.square(weights).sum())
    return Likeness(echoes, lines, float(values.max()) * _SIZE / (2.0 * whole))


def _weights(sent: Values, heard: Values) -> Values:
    """How much each frequency counts: where what was sent stands out, and where much of what is heard may be it.

    The second is Wiener's: the ratio of the smoothed spectra, against the largest such ratio. It knows no phase.
    """
    width = max(1, round(NEIGHBOURHOOD * _SIZE / RATE))
    around, noise = _smoothed(sent, width), _smoothed(heard, width)
    counts = _IN_BAND & (around > _TINY) & (around > float(around.max()) * SOFTEST) & (noise > _TINY)
    weights: Values = np.zeros(len(sent))
    if counts.any():
        ratio = around[counts] / noise[counts]
        best = np.quantile(ratio, 0.95)
        weights[counts] = sent[counts] / (sent[counts] + around[counts]) * np.minimum(1.0, ratio / best)
    return weights


def _smoothed(powers: Values, width: int) -> Values:
    """The mean of so many values about each; fewer at the ends."""
    sums = np.concatenate(([0.0], np.cumsum(powers)))
    low = np.maximum(np.arange(len(powers)) - width // 2, 0)
    high = np.minimum(low + width, len(powers))
    return (sums[high] - sums[low]) / (high - low)
