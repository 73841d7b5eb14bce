# pyright: strict
"""Samples as one of 256 values, finer where sound is soft: the mu-law that NSynth was trained with, and chance.

Values are counted from -128; a class is a value plus 128. It is not quite the mu-law of telephony: values are rounded
down, full scale gives 128, which is one too many, and the value 0 stands for silence and not for the middle of its
range.

Logarithms and powers are computed in float64 and rounded once: those of float32 differ in their last bit from one
processor to another, and a value at the edge of its range with them.

Source: G.711 for the curve; how it is rounded was found by measuring the original.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.timbres.nsynth.layout import CLASSES

Floats = NDArray[np.float32]
Values = NDArray[np.int16]

MU = 255
MIDDLE = CLASSES // 2
"""Class of silence, and values to either side of it."""


def mu_law(wave: NDArray[np.floating[Any]]) -> Values:
    """Values of samples, -128..127 for those within -1..1; 128 for full scale itself, and more beyond it."""
    wave = np.asarray(wave, np.float32)
    height = np.log((np.float32(1) + np.float32(MU) * np.abs(wave)).astype(np.float64)).astype(np.float32)
    curve = np.sign(wave) * height / np.float32(np.log(1 + MU))
    return np.floor(curve * np.float32(MIDDLE)).astype(np.int16)


def inverse_mu_law(values: NDArray[np.integer[Any]]) -> Floats:
    """Samples of values: the middle of each range, and silence for 0. `mu_law` gives the same values again."""
    q = np.asarray(values).astype(np.float32)
    curve = (q + np.float32(0.5)) * np.float32(2) / np.float32(MU + 1)
    power = np.power(float(1 + MU), np.abs(curve).astype(np.float64)).astype(np.float32)
    wave = np.sign(curve) / np.float32(MU) * (power - np.float32(1))
    return np.where(q == 0, q, wave).astype(np.float32)


def choose(probabilities: Floats, draws: NDArray[np.float64]) -> NDArray[np.int64]:
    """Classes [B] that draws [B] from 0..1 choose by probabilities [B, 256].

    Probabilities are added up in float32, as the original does. Rounding may leave their sum below a draw, for which
    the original gives a class that does not exist; here it is the last one.
    """
    below = np.cumsum(probabilities, axis=1) < draws[:, None]
    return np.minimum(np.count_nonzero(below, axis=1), CLASSES - 1)


def softmax(logits: Floats) -> Floats:
    """Probabilities [B, 256] of logits; written over them."""
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits
