"""Figures of rendered sound, at 48 kHz: the definitions behind docs/listening.md and of the tests of the mix.

Sound is an array [frames, 2] of floats; decibels are of power.
"""

from __future__ import annotations

import numpy as np
import pyloudnorm
from scipy import signal
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

RATE = 48_000
OCTAVES = tuple(62.5 * 2**k for k in range(8))
"""Hz: middles of the octave bands from 63 Hz to 8 kHz."""


def decibels(power: float) -> float:
    """Of a ratio of powers; -150 for nothing."""
    return 10.0 * float(np.log10(max(power, 1e-15)))


def spectrum(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(frequencies in Hz, power density), both channels together, by Welch's method."""
    frequencies, power = signal.welch(sound, RATE, nperseg=min(16384, len(sound)), axis=0)
    return frequencies, power.sum(axis=1)


def share(sound: np.ndarray, low: float, high: float) -> float:
    """Share 0..1 of the energy that lies between two frequencies in Hz."""
    frequencies, power = spectrum(sound)
    inside = (frequencies >= low) & (frequencies < high)
    return float(power[inside].sum() / max(power.sum(), 1e-30))


def tilt(sound: np.ndarray) -> float:
    """dB per octave against pink noise: the slope of the octave bands from 63 Hz to 8 kHz."""
    frequencies, power = spectrum(sound)
    levels = []
    for middle in OCTAVES:
        inside = (frequencies >= middle / 2**0.5) & (frequencies < middle * 2**0.5)
        levels.append(decibels(float(power[inside].sum() / power.sum())))
    return float(np.polyfit(np.arange(len(levels)), levels, 1)[0])


def middle_and_side(sound: np.ndarray, low: float = 0.0, high: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Half the sum and half the difference of the channels, of a band (Hz) if one is given."""
    if high:
        band = signal.butter(4, [low, high], "bandpass", fs=RATE, output="sos")
        sound = np.asarray(signal.sosfilt(band, sound, axis=0))
    return sound.mean(axis=1), (sound[:, 0] - sound[:, 1]) / 2


def width(sound: np.ndarray, low: float = 0.0, high: float = 0.0) -> float:
    """dB of the sides against the middle, of a band (Hz) if one is given."""
    middle, side = middle_and_side(sound, low, high)
    return decibels(float((side**2).mean() / max((middle**2).mean(), 1e-30)))


def mono_loss(sound: np.ndarray) -> float:
    """dB by which the mean of both channels is softer than they are."""
    return -decibels(float((sound.mean(axis=1) ** 2).mean() / max((sound**2).mean(), 1e-30)))


def true_peak(sound: np.ndarray) -> float:
    """dBTP: the highest peak between the samples, too, found at four times the rate (ITU-R BS.1770-4, annex 2)."""
    highest, step, margin = 0.0, 20 * RATE, 256
    for start in range(0, len(sound), step):
        piece = sound[max(0, start - margin) : start + step + margin]
        highest = max(highest, float(np.abs(signal.resample_poly(piece, 4, 1, axis=0)).max()))
    return 2 * decibels(highest)


def loudness(sound: np.ndarray) -> float:
    """LUFS, integrated (EBU R 128)."""
    return float(pyloudnorm.Meter(RATE).integrated_loudness(sound))


def clicks(sound: np.ndarray) -> np.ndarray:
    """Seconds at which a single jump stands out: array [n].

    A jump: the second difference is twelve times its root mean square in the 10 ms before and in the 10 ms after (half
    a millisecond away), in either channel. Jumps within 5 ms are one.
    """
    near, far = RATE // 2000, RATE // 100
    found: list[int] = []
    for channel in sound.T:
        bend = np.abs(np.diff(channel, 2))
        around = np.sqrt(np.asarray(signal.lfilter(np.ones(far) / far, 1, bend**2)).clip(0))
        before = np.concatenate([np.zeros(near), around[:-near]])
        after = np.concatenate([around[near + far :], np.zeros(near + far)])
        calm = np.maximum(np.maximum(before, after), 1e-6)
        found += np.flatnonzero((bend > 12 * calm) & (bend > 2e-4)).tolist()
    return np.unique(np.array(found, int) // (RATE // 200)) / 200.0


def matched(notes: np.ndarray, heard: np.ndarray, tolerance: float) -> int:
    """How many notes were heard: each with one of its own, of the same pitch, within a tolerance in seconds.

    Args:
        notes: array [n, 2] of onset in seconds and MIDI pitch.
        heard: the same of what a transcriber found.
        tolerance: of the onset, in seconds.
    """
    if not len(notes) or not len(heard):
        return 0
    fits = np.abs(notes[:, None, 0] - heard[None, :, 0]) <= tolerance
    fits &= np.rint(notes[:, None, 1]) == np.rint(heard[None, :, 1])
    return int((maximum_bipartite_matching(csr_matrix(fits)) >= 0).sum())
