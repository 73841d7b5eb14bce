"""Choosing classes from the numbers that a network gives."""

from __future__ import annotations

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.contract import Sampling

_NEAREST_0 = 1e-30
"""Uniform numbers are taken to be at least this, so that their logarithm is finite."""


def check_sampling(sampling: Sampling) -> None:
    """Refuse settings that mean nothing.

    Raises:
        ValueError: says which.
    """
    if not 0.0 < sampling.temperature < float("inf"):
        raise ValueError(f"temperature must be a positive number, not {sampling.temperature}")
    if sampling.top_k is not None and sampling.top_k < 1:
        raise ValueError(f"top_k must be 1 or more, not {sampling.top_k}")
    if sampling.top_p is not None and not 0.0 < sampling.top_p <= 1.0:
        raise ValueError(f"top_p must be more than 0 and at most 1, not {sampling.top_p}")
    for name in ("beam_size", "branch_factor", "steps_per_iteration"):
        if getattr(sampling, name) < 1:
            raise ValueError(f"{name} must be 1 or more, not {getattr(sampling, name)}")


def log_probabilities(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Logarithm of `probabilities`, float64."""
    scaled = np.divide(logits, temperature, dtype=np.float64)
    scaled -= scaled.max(axis=-1, keepdims=True)
    return scaled - np.log(np.exp(scaled).sum(axis=-1, keepdims=True))


def probabilities(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of logits / temperature over the last axis, float64; the temperature is positive."""
    scaled = np.divide(logits, temperature, dtype=np.float64)
    scaled -= scaled.max(axis=-1, keepdims=True)
    exponentials = np.exp(scaled, out=scaled)
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def choose(logits: np.ndarray, sampling: Sampling, uniforms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes at given places of the cumulative distributions.

    The same rule as `numpy.random.choice`, so a seed that was used with Magenta gives the same events here.

    Args:
        logits: [B, num_classes].
        sampling: temperature, top-k and top-p.
        uniforms: [B] numbers in [0, 1), from a random generator.

    Returns:
        Classes [B], and their log-probabilities [B] in nats after the temperature, before top-k and top-p.

    Raises:
        PerpetuumError: the logits are not finite.
    """
    scaled = np.divide(logits, sampling.temperature, dtype=np.float64)
    scaled -= scaled.max(axis=1, keepdims=True)
    shares = np.exp(scaled)
    cumulative = shares.cumsum(axis=1)
    totals = cumulative[:, -1:]
    if not totals.min() > 0.0:  # a number that is none would choose the first class for ever
        raise PerpetuumError(
            "the network's outputs are no longer finite numbers",
            "its weights are damaged or its training went astray; fewer steps may still do",
        )
    rows = np.arange(len(scaled))
    if sampling.top_k is not None or sampling.top_p is not None:
        allowed = np.where(_likeliest(shares, sampling.top_k, sampling.top_p), shares, 0.0).cumsum(axis=1)
        chosen = _places(allowed / allowed[:, -1:], uniforms)
    else:
        chosen = _places(cumulative / totals, uniforms)
    return chosen, scaled[rows, chosen] - np.log(totals[:, 0])


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), for x of any size."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


def thresholds(uniforms: np.ndarray, temperature: float) -> np.ndarray:
    """What the logits of bits must exceed for the bits to be set by chance: x does where u < sigmoid(x / temperature).

    Args:
        uniforms: u, numbers in [0, 1), from a random generator.
        temperature: > 0.

    Returns:
        Finite numbers of the same shape.
    """
    uniforms = np.maximum(uniforms, _NEAREST_0)
    return temperature * (np.log(uniforms) - np.log1p(-uniforms))


def _places(cumulative: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    return (cumulative <= uniforms[:, None]).sum(axis=1)


def _likeliest(shares: np.ndarray, top_k: int | None, top_p: float | None) -> np.ndarray:
    """Which classes [B, num_classes] may be chosen, given their shares of any sum: the k likeliest, and of those as few
    as together have share p of what they have. Of equals the lower class counts as likelier."""
    order = np.argsort(-shares, axis=1, kind="stable")
    ordered = np.take_along_axis(shares, order, axis=1)
    if top_k is not None:
        ordered[:, top_k:] = 0.0
    kept = ordered > 0.0
    if top_p is not None:
        before = ordered.cumsum(axis=1) - ordered
        kept &= before < top_p * ordered.sum(axis=1, keepdims=True)
    allowed = np.empty_like(kept)
    np.put_along_axis(allowed, order, kept, axis=1)
    return allowed
