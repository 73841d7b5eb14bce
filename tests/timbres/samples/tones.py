"""Notes of known pitch, made by sums of sines: the oracle for trackers, loops and instruments."""

from __future__ import annotations

import numpy as np

RATE = 48_000


def hertz(pitch: float) -> float:
    """Frequency of a MIDI pitch."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def tone(
    pitch: float,
    seconds: float = 2.0,
    *,
    partials: int = 8,
    stretch: float = 0.0,
    decay: float = 0.0,
    vibrato: float = 0.0,
    weights: tuple[float, ...] = (),
    rate: int = RATE,
    peak: float = 0.5,
) -> np.ndarray:
    """A note: array [frames] of float32.

    Args:
        pitch: MIDI pitch of the first partial.
        seconds: its length.
        partials: how many; each is as strong as its number is small.
        stretch: inharmonicity: the n-th partial is sqrt(1 + stretch * n * n) sharp.
        decay: decibels a second.
        vibrato: cents to either side, 5.5 times a second.
        weights: of the partials, instead.
        rate: in Hz.
        peak: largest sample.
    """
    t = np.arange(int(seconds * rate)) / rate
    swing = vibrato / 1200.0 * np.log(2.0) * np.sin(2 * np.pi * 5.5 * t)
    phase = 2 * np.pi * hertz(pitch) * np.cumsum(np.exp(swing)) / rate
    levels = weights or tuple(1.0 / n for n in range(1, partials + 1))
    sound = np.zeros(len(t))
    for n, level in enumerate(levels, 1):
        if hertz(pitch) * n < 0.45 * rate:
            sound += level * np.sin(n * np.sqrt(1.0 + stretch * n * n) * phase + n * n)
    sound *= 10.0 ** (-decay * t / 20.0) * np.minimum(1.0, np.minimum(t / 0.004, (seconds - t) / 0.05))
    return (sound * peak / np.abs(sound).max()).astype(np.float32)
