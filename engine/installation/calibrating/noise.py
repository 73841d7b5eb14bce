# pyright: strict
"""Pink noise of a given loudness: what a meter is read by."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from engine.outputs.measuring.weighting import KWeighting, TruePeak, lufs
from engine.sound.format import AudioFormat

LENGTH = 1 << 19
"""Frames after which it begins anew, without a seam: 11 s."""

LOWEST, HIGHEST = 25.0, 18_000.0
"""Hz between which it has as much power in each octave."""


class PinkNoise:
    """The same noise each time, different in each channel, without end.

    Args:
        format: of the sound.
        loudness: LUFS.
        mono: every channel is the same.

    Attributes:
        true_peak: the largest sample, between the samples too, linear.
    """

    def __init__(self, format: AudioFormat, loudness: float, mono: bool = False) -> None:
        loop, peak = _made(format, mono)
        gain = 10 ** (loudness / 20)
        self._loop = loop * np.float32(gain)
        self._place = 0
        self.true_peak = peak * gain

    def take(self, frames: int) -> npt.NDArray[np.float32]:
        """The next frames, array [frames, channels]."""
        places = (self._place + np.arange(frames)) % LENGTH
        self._place = (self._place + frames) % LENGTH
        return self._loop[places]


@cache
def _made(format: AudioFormat, mono: bool) -> tuple[npt.NDArray[np.float32], float]:
    """Noise of 0 LUFS, array [LENGTH, channels], and its true peak."""
    random = np.random.default_rng(19)
    channels = 1 if mono else format.channels
    frequencies = np.fft.rfftfreq(LENGTH, 1 / format.rate)
    amplitudes = np.zeros_like(frequencies)
    band = (frequencies >= LOWEST) & (frequencies <= HIGHEST)
    amplitudes[band] = 1 / np.sqrt(frequencies[band])
    phases = random.uniform(0, 2 * np.pi, (channels, len(frequencies)))
    noise = np.fft.irfft(amplitudes * np.exp(1j * phases), LENGTH).T
    noise = np.repeat(noise, format.channels // channels, axis=1)
    # Of two rounds the second, in which the filter has come to rest.
    weighted = KWeighting(format.rate, format.channels)(np.concatenate([noise, noise]))[LENGTH:]
    measured = lufs(float(np.square(weighted).mean(axis=0).sum()))
    loop = (noise * 10 ** (-measured / 20)).astype(np.float32)
    return loop, TruePeak(format.channels)(loop)
