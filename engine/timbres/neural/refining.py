# pyright: strict
"""A place that is guessed is made better: what a decoder makes there comes nearer to a note, as it is heard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.timbres.neural.layout import BAND_EDGES, BANDS, FLUTTER_BANDS, MOMENTS, PARTIALS, Array, Doubles

STEPS = 14
"""At which a place is looked for."""

_PARTIALS_FROM, _NOISE_FROM = -70.0, -66.0
"""Decibels under the loudest moment that are heard; what is softer, in the note and in what is made, is all alike."""

_SPECTRUM_BAND = 281.0
"""Hz: the noise bandwidth of the shortest window by which sounds are compared. Wider bands are softer in each bin."""

_USUAL_SPACING = 330.0
"""Hz from partial to partial, against which the width of a band of noise is weighed: both fill a part of a spectrum."""

_ROBUST = 4.0
"""Decibels from which on an error counts in proportion, not squared."""

_PRIOR_OF_PLACE, _PRIOR_OF_TONE = 50.0, 2.0
"""Squared decibels of error, over all numbers of a note, that weigh as much as one unit of a number of the place."""


def _heard_from() -> Array:
    """[SIZE]."""
    widths = np.diff(BAND_EDGES)
    noise = _NOISE_FROM + np.maximum(0.0, 10.0 * np.log10(widths / _SPECTRUM_BAND))
    parts = [np.full(len(MOMENTS) * PARTIALS, _PARTIALS_FROM), np.tile(noise, len(MOMENTS))]
    return np.concatenate([*parts, np.full(FLUTTER_BANDS + 2, -np.inf)]).astype(np.float32)


def _importance() -> Array:
    """[SIZE]: a moment counts by the time around it, though less than in proportion; a band by its width."""
    spans = np.gradient(MOMENTS)
    moments = (spans / spans.mean()) ** 0.4
    bands = np.sqrt(np.diff(BAND_EDGES) / _USUAL_SPACING)
    parts = [np.repeat(moments, PARTIALS), np.outer(moments, bands).ravel(), np.full(FLUTTER_BANDS + 2, 0.7)]
    assert len(bands) == BANDS
    return np.concatenate(parts).astype(np.float32)


HEARD_FROM, IMPORTANCE = _heard_from(), _importance()


def refined(place: Doubles, wanted: Array, decoded: Callable[[Doubles], Array], tones: Array) -> Doubles:
    """A better place, by Levenberg's damped steps on errors of which large ones count in proportion (Huber).

    Args:
        place: [dimensions], where to begin.
        wanted: [SIZE], the note.
        decoded: notes [places, SIZE] of places [places, dimensions].
        tones: [shapes, SIZE], what may be added to what is decoded; may be none.

    Returns:
        [dimensions + shapes]: the place, and how much of each shape.
    """
    size, shapes = len(place), len(tones)
    target = np.maximum(wanted, HEARD_FROM)
    prior = np.concatenate([np.full(size, _PRIOR_OF_PLACE), np.full(shapes, _PRIOR_OF_TONE)])
    step = 1e-2 * np.eye(size)

    def errors(notes: Array) -> Array:
        return (np.maximum(notes, HEARD_FROM) - target) * IMPORTANCE

    def made(found: Doubles) -> Array:
        return decoded(found[None, :size])[0] + np.asarray(found[size:] @ tones, np.float32)

    def cost(rest: Array, found: Doubles) -> float:
        away = np.abs(rest, dtype=np.float64)
        robust = np.where(away < _ROBUST, 0.5 * away**2, _ROBUST * (away - 0.5 * _ROBUST))
        return float(robust.sum() + 0.5 * (prior * found**2).sum())

    found = np.concatenate([place, np.zeros(shapes)])
    note = made(found)
    rest = errors(note)
    least, damping = cost(rest, found), 1.0
    for _ in range(STEPS):
        added = np.asarray(found[size:] @ tones, np.float32)
        slopes = (errors(decoded(found[:size] + step) + added) - rest) / 1e-2
        slope = np.concatenate([slopes, tones * ((note > HEARD_FROM) * IMPORTANCE)]).astype(np.float64)
        counted = slope / np.maximum(1.0, np.abs(rest) / _ROBUST)
        square = counted @ slope.T + np.diag(prior)
        there = found - _solved(square + damping * np.diag(square.diagonal()), counted @ rest + prior * found)
        tried = made(there)
        now = cost(errors(tried), there)
        if now < least:
            found, note, rest, least, damping = there, tried, errors(tried), now, max(damping / 4.0, 1e-3)
        else:
            damping = min(damping * 4.0, 1e3)
    return found


def _solved(square: NDArray[np.float64], right: NDArray[np.float64]) -> Doubles:
    return np.asarray(np.linalg.solve(square, right), np.float64)
