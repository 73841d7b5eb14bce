"""Choosing a class from logits."""

from __future__ import annotations

import numpy as np


def probabilities(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of logits / temperature over the last axis, float64.

    Raises:
        ValueError: the temperature is not a positive number.
    """
    if not 0.0 < temperature < float("inf"):
        raise ValueError(f"temperature must be a positive number, not {temperature}")
    scaled = logits.astype(np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def choose(logits: np.ndarray, temperature: float, uniform: float) -> int:
    """The class at a place of the cumulative distribution.

    Args:
        logits: [num_classes].
        temperature: > 0; below 1 the likely becomes likelier, above 1 less so.
        uniform: a number in [0, 1), from a random generator. The same rule as `numpy.random.choice`, so a seed that was
            used with Magenta gives the same events here.
    """
    cumulative = probabilities(logits, temperature).cumsum()
    return int(np.searchsorted(cumulative / cumulative[-1], uniform, side="right"))
