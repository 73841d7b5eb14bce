# pyright: strict
"""LoudnessMeter and true peak while the sound goes by: ITU-R BS.1770-4, exact, in numpy.

pyloudnorm, our library for files, wants a whole recording at once and brings scipy along; nothing that streams has a
permissive licence and wheels for our machines. Tests hold this against pyloudnorm.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

PIECE = 128
"""Frames filtered at once."""

STEP = 0.1
"""Seconds between two readings: a gating block of 400 ms has four, so that blocks overlap by three quarters."""

BLOCK_STEPS = 4
SHORT_STEPS = 30
"""Steps of the momentary and of the short-term loudness, 400 ms and 3 s."""

ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0

OVERSAMPLING = 4
TAPS = 12
"""Of each of the four phases of the interpolator; BS.1770, annex 2, has as many."""


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

    A recursive filter of order four is, over a piece of N frames, one matrix for what the piece itself gives and one
    for what the four numbers of the state before it still give: so numpy does what otherwise needs a loop over frames.

    Args:
        rate: frames a second.
        channels: of the stream.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._state = np.zeros((4, channels))
        # Columns are what one unit of input, or of state, at the start of a piece gives.
        impulse = np.zeros((PIECE, 5))
        impulse[0, 0] = 1.0
        states = np.zeros((4, 5))
        states[:, 1:] = np.eye(4)
        answer, after = _run(_biquads(rate), impulse, states)
        response = answer[:, 0]
        lags = np.subtract.outer(np.arange(PIECE), np.arange(PIECE))
        self._from_input = np.where(lags >= 0, response[np.maximum(lags, 0)], 0.0)
        self._from_state = answer[:, 1:]
        self._advance = after[:, 1:]
        # What each frame of a piece leaves in the state: an impulse at the end of ever longer pieces.
        self._into_state = np.zeros((4, PIECE))
        one, state = np.zeros((PIECE, 1)), np.zeros((4, 1))
        one[0, 0] = 1.0
        for frame in range(PIECE):
            _, state = _run(_biquads(rate), one[frame : frame + 1], state)
            self._into_state[:, PIECE - 1 - frame] = state[:, 0]

    def __call__(self, frames: Samples) -> Samples:
        """The stream goes on.

        Args:
            frames: [n * PIECE, channels].

        Returns:
            the same, filtered.
        """
        channels = frames.shape[1]
        pieces = frames.reshape(-1, PIECE, channels).transpose(1, 0, 2).reshape(PIECE, -1)
        gains = self._into_state @ pieces
        states = np.empty_like(gains)
        state = self._state
        for place in range(0, gains.shape[1], channels):
            states[:, place : place + channels] = state
            state = self._advance @ state + gains[:, place : place + channels]
        self._state = state
        out = self._from_input @ pieces + self._from_state @ states
        return out.reshape(PIECE, -1, channels).transpose(1, 0, 2).reshape(-1, channels)


def _run(biquads: Samples, frames: Samples, state: Samples) -> tuple[Samples, Samples]:
    """Both filters, frame by frame (transposed direct form II): the oracle of the matrices, and what makes them."""
    out, state = frames.copy(), state.copy()
    for frame in range(len(frames)):
        value = frames[frame].copy()
        for place, (b, a) in enumerate(biquads):
            low, high = 2 * place, 2 * place + 1
            given = b[0] * value + state[low]
            state[low] = b[1] * value - a[1] * given + state[high]
            state[high] = b[2] * value - a[2] * given
            value = given
        out[frame] = value
    return out, state


class TruePeak:
    """The largest sample between the samples, of a stream.

    Args:
        channels: of the stream.
    """

    def __init__(self, channels: int) -> None:
        times = np.arange(OVERSAMPLING * TAPS) - (OVERSAMPLING * TAPS - 1) / 2
        kernel = np.sinc(times / OVERSAMPLING) * np.kaiser(OVERSAMPLING * TAPS, 5.0)
        phases = kernel.reshape(TAPS, OVERSAMPLING)[::-1]
        self._phases = (phases / phases.sum(axis=0)).astype(np.float32)
        self._before = np.zeros((TAPS - 1, channels), np.float32)

    def __call__(self, frames: npt.NDArray[np.float32]) -> float:
        """The peak of the next frames [n, channels], linear; never below that of the samples themselves."""
        line = np.concatenate([self._before, frames])
        self._before = line[-(TAPS - 1) :]
        windows = np.lib.stride_tricks.sliding_window_view(line, TAPS, axis=0)
        between = float(np.abs(windows @ self._phases).max(initial=0.0))
        return max(between, float(np.abs(frames).max(initial=0.0)))


class LoudnessMeter:
    """Momentary, short-term and gated loudness of a stream, in LUFS.

    Args:
        rate: frames a second; a tenth of it must be whole.
        channels: of the stream; each counts as one in front of the listener.
        window: seconds over which the gated loudness is taken.
    """

    def __init__(self, rate: int, channels: int, window: float) -> None:
        self._filter = KWeighting(rate, channels)
        self._step = rate // 10
        self._rest = np.zeros((0, channels))
        self._weighted = np.zeros(0)
        self._steps: deque[float] = deque(maxlen=SHORT_STEPS)
        self._blocks: deque[float] = deque(maxlen=max(1, round(window / STEP)))

    def take(self, frames: npt.NDArray[np.float32]) -> None:
        """Take in frames [n, channels]."""
        line = np.concatenate([self._rest, frames.astype(np.float64)])
        whole = len(line) // PIECE * PIECE
        self._rest = line[whole:]
        if not whole:
            return
        power = np.square(self._filter(line[:whole])).sum(axis=1)
        weighted = np.concatenate([self._weighted, power])
        steps = len(weighted) // self._step
        self._weighted = weighted[steps * self._step :]
        for mean in weighted[: steps * self._step].reshape(steps, self._step).mean(axis=1).tolist():
            self._steps.append(mean)
            if len(self._steps) >= BLOCK_STEPS:
                self._blocks.append(sum(list(self._steps)[-BLOCK_STEPS:]) / BLOCK_STEPS)

    @property
    def momentary(self) -> float:
        """Of the last 400 ms; -inf before there are as many, and for silence."""
        return _lufs(self._blocks[-1]) if self._blocks else -math.inf

    @property
    def short_term(self) -> float:
        """Of the last 3 s, or of what there is."""
        return _lufs(sum(self._steps) / len(self._steps)) if self._steps else -math.inf

    @property
    def gated(self) -> float:
        """Of the window, silence and what is far softer left out: integrated loudness, of a file that is no longer."""
        blocks = np.array(self._blocks)
        loud = blocks[blocks > _power(ABSOLUTE_GATE)]
        if not len(loud):
            return -math.inf
        return _lufs(float(loud[loud > loud.mean() * 10 ** (RELATIVE_GATE / 10)].mean()))


def _lufs(power: float) -> float:
    return -0.691 + 10 * math.log10(power) if power > 1e-20 else -math.inf


def _power(lufs: float) -> float:
    return 10 ** ((lufs + 0.691) / 10)
