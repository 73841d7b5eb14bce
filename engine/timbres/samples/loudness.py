# pyright: strict
"""How loud a note is: K-weighted, as ITU-R BS.1770-4 measures programmes, but of one stretch and without gates."""

from __future__ import annotations

import math

import numpy as np

from engine.score.time import SAMPLE_RATE

Sound = np.ndarray[tuple[int, int], np.dtype[np.float32]]
"""A sound at 48 kHz: array [frames, 1 or 2] of float32."""

STRETCH = 0.5
"""Seconds: the notes of the line by which all instruments are compared (instruments/README.md)."""

REFERENCE = -18.0
"""LUFS of such a line at level 0 dB and velocity 80."""

_SWELLS = 6.0

_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
"""The two filters of BS.1770-4, tables 1 and 2, at 48 kHz: numerator and denominator."""


def loudness(sound: Sound, seconds: float = STRETCH) -> float:
    """LUFS of the loudest stretch of a sound; a mono sound is heard from both sides. Minus infinity for silence.

    Args:
        sound: array [frames, 1 or 2] at 48 kHz.
        seconds: of the stretch; a shorter sound is followed by silence.
    """
    length = int(seconds * SAMPLE_RATE)
    power = np.square(_weighted(sound)).sum(axis=1) * (2 / sound.shape[1])
    total = np.concatenate([[0.0], np.cumsum(power)])
    most = float((total[length:] - total[:-length]).max()) if len(total) > length else float(total[-1])
    return -0.691 + 10.0 * math.log10(most / length) if most > 0.0 else -math.inf


def line_loudness(sound: Sound) -> float:
    """LUFS of a line of half-second notes of a sound, each played from its start.

    One that swells is taken to be 6 dB softer than at its loudest, at most: it is there for long notes.
    """
    return max(loudness(sound[: int(STRETCH * SAMPLE_RATE)]), loudness(sound) - _SWELLS)


def _weighted(sound: Sound) -> np.ndarray:
    """K-weighted, by its spectrum; the silence behind takes what rings on."""
    size = 1 << (len(sound) + SAMPLE_RATE // 10).bit_length()
    spectrum = np.fft.rfft(sound.astype(np.float64), size, axis=0)
    turn = np.exp(-2j * np.pi * np.arange(len(spectrum)) / size)
    for above, below in (_SHELF, _HIGH_PASS):
        spectrum *= (np.polyval(above[::-1], turn) / np.polyval(below[::-1], turn))[:, None]
    return np.fft.irfft(spectrum, size, axis=0)[: len(sound)]
