# pyright: strict
"""How a note is written down for the network: envelopes of partials and of noise on an uneven grid of moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]

RATE = 48_000
"""Hz, of all analysis and synthesis."""

SECONDS = 3.0
"""Of a note; its key is held all the time."""

PARTIALS = 80
"""Partials of a note; those over `TOP` have no sound."""

TOP = 20_000.0
"""Hz: what is above is neither heard nor made."""

FLOOR = -90.0
"""Decibels under the loudest moment of a note; what is softer is silence."""

BANDS = 60
"""Bands of noise."""

# fmt: off
MOMENTS: Doubles = np.array([
    0, 5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 100, 120, 150, 180, 220, 260, 300, 350, 400, 450, 500,
    600, 700, 800, 900, 1000, 1150, 1300, 1450, 1600, 1800, 2000, 2200, 2400, 2600, 2800, 3000,
], np.float64) / 1000.0
# fmt: on
"""Seconds at which envelopes are known: dense in the attack, whose 80 ms decide what an instrument is heard as."""

FLUTTER_BANDS = 10
"""Groups of partials, each of which has its own restlessness."""

LOWEST, HIGHEST = 24, 96
"""MIDI pitches that were heard in training."""


def _edges() -> Doubles:
    """Hz at the edges of the bands, even on the scale of critical bands (Glasberg and Moore 1990)."""
    low, high = (21.4 * np.log10(1.0 + 0.00437 * hertz) for hertz in (20.0, TOP))
    scale: Doubles = np.linspace(float(low), float(high), BANDS + 1, dtype=np.float64)
    return (10.0 ** (scale / 21.4) - 1.0) / 0.00437


BAND_EDGES: Doubles = _edges()
"""[BANDS + 1], Hz."""

BAND_MIDDLES: Doubles = np.sqrt(BAND_EDGES[1:] * BAND_EDGES[:-1])
"""[BANDS], Hz."""

FLUTTER_OF: NDArray[np.int64] = np.minimum(
    (np.log2(np.arange(1, PARTIALS + 1)) / np.log2(PARTIALS) * FLUTTER_BANDS).astype(np.int64), FLUTTER_BANDS - 1
)
"""[PARTIALS], the group of each partial."""


@dataclass(frozen=True, slots=True)
class Envelopes:
    """A note without its pitch and its level.

    Attributes:
        partials: [moments, PARTIALS], decibels; the loudest moment of the whole note has 0 dB.
        noise: [moments, BANDS], decibels of the power in each band.
        flutter: [FLUTTER_BANDS], decibels by which the level of partials wanders to either side of its envelope.
        stretch: inharmonicity B of stiff strings: partial k lies at `k f sqrt(1 + B k^2)`.
        vibrato: cents by which the pitch swings to either side.
    """

    partials: Array
    noise: Array
    flutter: Array
    stretch: float
    vibrato: float


SIZES = (len(MOMENTS) * PARTIALS, len(MOMENTS) * BANDS, FLUTTER_BANDS, 1, 1)
SIZE = sum(SIZES)
"""Numbers of a note as one vector (`as_vector`)."""

_STRETCH_SCALE = 1e-5
_FLUTTER_WEIGHT, _STRETCH_WEIGHT, _VIBRATO_WEIGHT = 10.0, 20.0, 10.0


def as_vector(envelopes: Envelopes) -> Array:
    """[SIZE]: all of a note in units in which an error of 1 weighs about the same everywhere (decibels)."""
    stretch = np.log1p(envelopes.stretch / _STRETCH_SCALE)
    return np.concatenate(
        [
            envelopes.partials.ravel(),
            envelopes.noise.ravel(),
            _FLUTTER_WEIGHT * envelopes.flutter,
            [_STRETCH_WEIGHT * stretch, _VIBRATO_WEIGHT * envelopes.vibrato],
        ]
    ).astype(np.float32)


def as_envelopes(vector: Array) -> Envelopes:
    """What `as_vector` wrote; anything finite is brought into what can be played."""
    partials, noise, flutter, stretch, vibrato = np.split(vector, np.cumsum(SIZES)[:-1])
    return Envelopes(
        np.clip(partials, FLOOR, 6.0).reshape(len(MOMENTS), PARTIALS).astype(np.float32),
        np.clip(noise, FLOOR, 6.0).reshape(len(MOMENTS), BANDS).astype(np.float32),
        np.clip(flutter / _FLUTTER_WEIGHT, 0.0, 6.0).astype(np.float32),
        float(np.clip(np.expm1(np.clip(stretch[0] / _STRETCH_WEIGHT, 0.0, 8.0)) * _STRETCH_SCALE, 0.0, 0.01)),
        float(np.clip(vibrato[0] / _VIBRATO_WEIGHT, 0.0, 60.0)),
    )


def hertz_of(pitch: float) -> float:
    """Frequency of a MIDI pitch."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def partial_hertz(pitch: float, stretch: float) -> Doubles:
    """[PARTIALS]: where the partials of a note lie, Hz."""
    numbers = np.arange(1, PARTIALS + 1, dtype=np.float64)
    return hertz_of(pitch) * numbers * np.sqrt(1.0 + stretch * numbers**2)


QUIET = -72.0
"""Decibels: the network takes what is softer for as loud as this; it is not heard."""

PITCH_FEATURES = 8


def pitch_features(pitches: Doubles) -> Array:
    """[notes, PITCH_FEATURES]: cosines of a pitch's place between the lowest and the highest."""
    place = np.clip((np.asarray(pitches, np.float64) - LOWEST) / (HIGHEST - LOWEST), 0.0, 1.0)
    return np.cos(np.pi * np.outer(place, np.arange(1, PITCH_FEATURES + 1))).astype(np.float32)


def moment_weights() -> Array:
    """[SIZE]: how much an error counts. A moment stands for the time around it, though less than in proportion: the
    ear gives the attack more than its share."""
    spans = np.gradient(MOMENTS)
    weights = (spans / spans.mean()) ** 0.25
    parts = [np.repeat(weights, PARTIALS), np.repeat(weights, BANDS), np.ones(FLUTTER_BANDS + 2)]
    return np.concatenate(parts).astype(np.float32)


def audible(vectors: Array) -> Array:
    """Vectors [notes, SIZE] in which what is too soft to be heard is all alike."""
    levels = SIZES[0] + SIZES[1]
    made = vectors.copy()
    np.maximum(made[:, :levels], QUIET, out=made[:, :levels])
    return made
