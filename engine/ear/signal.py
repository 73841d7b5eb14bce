# pyright: strict
"""How it sounds, measured second by second: loudness, true peak, silence, offset, one steady tone."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from engine.ear.loudness import LoudnessMeter, TruePeak
from engine.events import SoundMeasured
from engine.outputs.meter import AUDIBLE
from engine.sound.format import AudioFormat

WINDOW = 180.0
"""Seconds of the gated loudness, by which a level is judged: some sections, and not one."""

TONE_SHARE = 0.95
"""Of the power of a second, in one partial, that makes it one tone."""

STEADY = 1.12
"""Largest ratio of the powers of two seconds of a steady tone, half a decibel: what dies away is none."""

LOBE = 4
"""Bins on each side of a peak that belong to it, under a Hann window."""

SLOWLY = 0.1
"""Weight of a new second in the mean offset: ten seconds."""


class SignalEar:
    """Listens to sound, block by block.

    Args:
        format: of the sound.
    """

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._loudness = LoudnessMeter(format.rate, format.channels, WINDOW)
        self._true_peak = TruePeak(format.channels)
        self._taper = np.hanning(format.rate).astype(np.float32)
        self._second = np.zeros((format.rate, format.channels), np.float32)
        self._filled = 0
        self._frame = 0
        self._silence = 0.0
        self._tone = 0.0
        self._bin = -1
        self._power = 0.0
        self._offset = np.zeros(format.channels)

    def hear(self, block: bytes) -> list[SoundMeasured]:
        """Take in interleaved float32 frames; figures of each second that is full with them."""
        frames = np.frombuffer(block, np.float32).reshape(-1, self._format.channels)
        found: list[SoundMeasured] = []
        while len(frames):
            count = min(len(frames), len(self._second) - self._filled)
            self._second[self._filled : self._filled + count] = frames[:count]
            self._filled += count
            frames = frames[count:]
            if self._filled == len(self._second):
                self._filled = 0
                found.append(self._measured(np.nan_to_num(self._second, posinf=0.0, neginf=0.0)))
        return found

    def _measured(self, second: npt.NDArray[np.float32]) -> SoundMeasured:
        self._frame += len(second)
        self._loudness.take(second)
        peak = self._true_peak(second)
        self._silence = self._silence + 1.0 if peak < AUDIBLE else 0.0
        self._offset += SLOWLY * (second.mean(axis=0) - self._offset)
        self._take_tone(second)
        return SoundMeasured(
            frame=self._frame,
            short_term=_finite(self._loudness.short_term),
            gated=_finite(self._loudness.gated),
            true_peak=20 * math.log10(peak) if peak > 1e-9 else None,
            silence=self._silence,
            tone=self._tone,
            offset=float(self._offset[np.abs(self._offset).argmax()]),
        )

    def _take_tone(self, second: npt.NDArray[np.float32]) -> None:
        power = np.square(np.abs(np.fft.rfft(second.mean(axis=1) * self._taper)))
        power[: LOBE + 1] = 0.0  # an offset is no tone
        total, peak = float(power.sum()), int(power.argmax())
        lobe = float(power[max(0, peak - LOBE) : peak + LOBE + 1].sum())
        steady = self._power > 0 and 1 / STEADY < total / self._power < STEADY if total > 0 else False
        if total > 1e-6 and lobe >= TONE_SHARE * total and abs(peak - self._bin) <= 1 and steady:
            self._tone += 1.0
        else:
            self._tone = 0.0
        self._bin, self._power = peak, total


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
