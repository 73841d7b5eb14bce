# pyright: strict
"""K-weighting and true peak while the sound goes by: ITU-R BS.1770-4, exact, in numpy.

pyloudnorm, our library for files, wants a whole recording at once and brings scipy along; nothing that streams has a
permissive licence and wheels for our machines. Tests hold this against pyloudnorm and ffmpeg.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from engine.outputs.biquads import BiquadCascade, Samples

TENTHS = 10
"""Readings a second: a gating block of 400 ms has four, so that blocks overlap by three quarters."""

PIECE = 120
"""Frames filtered at once: a fortieth of a tenth of a second at 48 kHz."""

OVERSAMPLING = 4
TAPS = 12
"""Of each of the four phases of the interpolator; BS.1770, annex 2, has as many."""

STRETCH = 16
"""Frames between which is looked at once: one product of matrices is three times as fast as twelve taps at a time."""


def lufs(power: float) -> float:
    """Loudness of a K-weighted mean square, summed over the channels, in LUFS; -inf for silence."""
    return -0.691 + 10 * math.log10(power) if power > 1e-20 else -math.inf


def power_of(loudness: float) -> float:
    """The mean square that is so many LUFS."""
    return 10 ** ((loudness + 0.691) / 10)


def _biquads(rate: int) -> Samples:
    """Coefficients [2, 2, 3] of the shelf and the high-pass (numerator and denominator) for any sampling rate.

    The analogue prototypes behind the table of BS.1770 for 48 kHz, transformed bilinearly (as De Man worked them out,
    "Evaluation of Implementations of the EBU R128 LoudnessMeter Measurement", 2014).
    """
    gain, quality, frequency = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    k = math.tan(math.pi * frequency / rate)
    high = 10 ** (gain / 20)
    band = high**0.4996667741545416
    scale = 1 + k / quality + k * k
    slope = band * k / quality
    shelf = [
        [(high + slope + k * k) / scale, 2 * (k * k - high) / scale, (high - slope + k * k) / scale],
        [1.0, 2 * (k * k - 1) / scale, (1 - k / quality + k * k) / scale],
    ]
    quality, frequency = 0.5003270373238773, 38.13547087602444
    k = math.tan(math.pi * frequency / rate)
    scale = 1 + k / quality + k * k
    high_pass = [[1.0, -2.0, 1.0], [1.0, 2 * (k * k - 1) / scale, (1 - k / quality + k * k) / scale]]
    return np.array([shelf, high_pass])


class KWeighting:
    """The two filters of BS.1770 over a stream.

    Args:
        rate: frames a second.
        channels: of the stream.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._filter = BiquadCascade(_biquads(rate), channels, PIECE, rate)

    def __call__(self, frames: Samples) -> Samples:
        """The stream goes on: any number of frames [n, channels], and the same filtered."""
        out = np.empty_like(frames)
        self._filter(frames, out)
        return out


class TruePeak:
    """The largest sample between the samples, of a stream.

    Args:
        channels: of the stream.
    """

    def __init__(self, channels: int) -> None:
        times = np.arange(OVERSAMPLING * TAPS) - (OVERSAMPLING * TAPS - 1) / 2
        kernel = np.sinc(times / OVERSAMPLING) * np.kaiser(OVERSAMPLING * TAPS, 5.0)
        phases = kernel.reshape(TAPS, OVERSAMPLING)[::-1]
        phases = phases / phases.sum(axis=0)
        # Of each stretch and the frames before it, all that lies between: one column a value.
        self._between = np.zeros((STRETCH + TAPS - 1, STRETCH, OVERSAMPLING), np.float32)
        for frame in range(STRETCH):
            self._between[frame : frame + TAPS, frame] = phases
        self._before = np.zeros((TAPS - 1, channels), np.float32)

    def __call__(self, frames: npt.NDArray[np.float32]) -> float:
        """The peak of the next frames [n, channels], linear; never below that of the samples themselves."""
        line = np.concatenate([self._before, frames])
        self._before = line[-(TAPS - 1) :]
        found = max(float(frames.max(initial=0.0)), -float(frames.min(initial=0.0)))
        whole = len(frames) // STRETCH * STRETCH
        for channel in np.ascontiguousarray(line.T):
            if whole:
                found = max(found, self._largest(channel[: whole + TAPS - 1], STRETCH))
            if whole < len(frames):
                found = max(found, self._largest(channel[whole:], len(frames) - whole))
        return found

    def _largest(self, line: npt.NDArray[np.float32], stretch: int) -> float:
        """The largest value between the frames of a line, taken in stretches of so many, with the taps before it."""
        size = stretch + TAPS - 1
        windows = np.lib.stride_tricks.sliding_window_view(line, size)[::stretch]
        between = windows @ self._between[:size, :stretch].reshape(size, -1)
        return max(float(between.max()), -float(between.min()))
