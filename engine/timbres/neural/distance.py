# pyright: strict
"""How unlike two sounds are: spectra at several resolutions, as far as one hears them."""

from __future__ import annotations

import numpy as np

from engine.timbres.neural.layout import Array

_WIDTHS = (4096, 2048, 1024, 512, 256)
_RANGE = 60.0
"""Decibels under the loudest bin of the first sound; what is softer is not heard beside it."""


def log_spectra(sound: Array) -> list[Array]:
    """Decibels [looks, bins] of each width, Hann windows of which each overlaps half of the next."""
    made: list[Array] = []
    for width in _WIDTHS:
        padded = np.pad(sound, (width // 2, width // 2))
        frames = np.lib.stride_tricks.sliding_window_view(padded, width)[:: width // 2]
        window = np.hanning(width + 1)[:-1].astype(np.float32)
        power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
        made.append((10.0 * np.log10(np.maximum(power, 1e-16))).astype(np.float32))
    return made


def spectral_distance(reference: list[Array], other: list[Array]) -> float:
    """Mean difference in decibels over times, frequencies and resolutions; levels are those of the sounds.

    Args:
        reference: `log_spectra` of the sound that is to be met; its loudest bin decides what can be heard.
        other: of another one, as long.
    """
    parts: list[float] = []
    for one, two in zip(reference, other, strict=True):
        floor = float(one.max()) - _RANGE
        parts.append(float(np.abs(np.maximum(one, floor) - np.maximum(two, floor)).mean()))
    return float(np.mean(parts))


def level(sound: Array) -> float:
    """Decibels of a sound's mean power."""
    return 10.0 * float(np.log10(max(float(np.square(sound, dtype=np.float64).mean()), 1e-16)))


def aligned_distance(reference: Array, other: Array) -> float:
    """`spectral_distance` of two sounds that begin together, of which the other is brought to the level of the first.

    Args:
        reference: [frames] at 48 kHz.
        other: the longer of the two is cut.
    """
    length = min(len(reference), len(other))
    one, two = reference[:length], other[:length]
    gain = np.float32(10.0 ** ((level(one) - level(two)) / 20.0))
    return spectral_distance(log_spectra(one), log_spectra(two * gain))
