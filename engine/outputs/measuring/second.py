# pyright: strict
"""How a second of sound measures: loudness, true peak, silence, offset, its strongest partial."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.outputs.measuring.weighting import TENTHS, KWeighting, TruePeak, lufs
from engine.outputs.meter import AUDIBLE
from engine.sound.format import AudioFormat

SHORT_TERM = 3
"""Seconds of the short-term loudness."""

LOBE = 4
"""Bins on each side of a peak that belong to it, under a Hann window."""

FAINT = 1e-6
"""Power of a spectrum below which nothing is said of its partials: rounding has some."""


class SecondFigures(NamedTuple):
    """How a second of sound measures: as `engine.events.SoundMeasured` says, in its order."""

    powers: tuple[float, ...]
    short_term: float | None
    true_peak: float
    silent: float
    offset: float
    tone: float
    tonal: float


class SecondMeter:
    """Measures a stream, second by second. One thread calls all of it.

    Args:
        format: of the sound.
    """

    def __init__(self, format: AudioFormat) -> None:
        self._weighting = KWeighting(format.rate, format.channels)
        self._true_peak = TruePeak(format.channels)
        self._taper = np.hanning(format.rate).astype(np.float32)
        self._middle = np.full(format.channels, 1 / format.channels, np.float32)
        self._lately: deque[float] = deque(maxlen=SHORT_TERM * TENTHS)

    def __call__(self, second: npt.NDArray[np.float32]) -> SecondFigures:
        """The figures of the next second.

        Args:
            second: frames [rate, channels]. What is no number counts as 0.
        """
        if not math.isfinite(float(second.sum(dtype=np.float64))):
            second = np.nan_to_num(second, posinf=0.0, neginf=0.0)
        weighted = self._weighting(second.astype(np.float64)).reshape(TENTHS, -1)
        powers = tuple(float(np.vdot(one, one)) / (len(second) / TENTHS) for one in weighted)
        self._lately.extend(powers)
        short_term = lufs(sum(self._lately) / len(self._lately))
        tenths = second.reshape(TENTHS, -1)
        peaks = np.maximum(tenths.max(axis=1), -tenths.min(axis=1))
        # Over the first axis at once numpy takes thirty times as long.
        means = np.array([side.mean() for side in second.T])
        tone, tonal = self._partial(second)
        return SecondFigures(
            powers=powers,
            short_term=short_term if math.isfinite(short_term) else None,
            true_peak=self._true_peak(second),
            silent=float((peaks <= AUDIBLE).mean()),
            offset=float(means[np.abs(means).argmax()]),
            tone=tone,
            tonal=tonal,
        )

    def _partial(self, second: npt.NDArray[np.float32]) -> tuple[float, float]:
        """Hz of the strongest partial, and its share of the power."""
        spectrum = np.fft.rfft(second @ self._middle * self._taper)
        power = spectrum.real**2 + spectrum.imag**2
        power[: LOBE + 1] = 0.0  # an offset is no tone
        total, peak = float(power.sum()), int(power.argmax())
        if total <= FAINT:
            return 0.0, 0.0
        return float(peak), float(power[max(0, peak - LOBE) : peak + LOBE + 1].sum()) / total
