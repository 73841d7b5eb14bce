# pyright: strict
"""The way along a sphere from one vector of a latent space to another.

Source: Shoemake, "Animating rotation with quaternion curves", 1985; White, "Sampling generative networks", 2016,
section 2.1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_PARALLEL = 1e-6
"""Sines below which two directions count as one, or as opposite."""


def slerp(first: Doubles, last: Doubles, share: float) -> Doubles:
    """A vector [Z] on the way from one to another, turning evenly; in double precision.

    As Magenta has it, the vectors keep their lengths as weights; parallel vectors, and zero ones, are joined by a
    straight line. Opposite ones have no nearest way: it leads, always the same, through a direction across.

    Args:
        first, last: [Z].
        share: 0 for the first, 1 for the last, anything else on the same circle.
    """
    a, b = np.asarray(first, np.float64), np.asarray(last, np.float64)
    lengths = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    straight = (1.0 - share) * a + share * b
    if min(lengths) == 0.0:
        return straight
    omega = angle_between(a, b)
    if math.sin(omega) > _PARALLEL:
        weights = math.sin((1.0 - share) * omega), math.sin(share * omega)
        return (weights[0] * a + weights[1] * b) / math.sin(omega)
    if omega < 1.0:
        return straight
    radius = (1.0 - share) * lengths[0] + share * lengths[1]
    return radius * (math.cos(share * math.pi) * a / lengths[0] + math.sin(share * math.pi) * _across(a))


def angle_between(a: Doubles, b: Doubles) -> float:
    """Between two directions, 0 to pi; 0 if one is no direction."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return math.acos(min(1.0, max(-1.0, float(a @ b / lengths)))) if lengths else 0.0


def _across(a: Doubles) -> Doubles:
    """A unit vector at right angles to one that is not zero."""
    other = np.zeros_like(a)
    other[int(np.abs(a).argmin())] = 1.0
    other -= (other @ a) / (a @ a) * a
    length = float(np.linalg.norm(other))
    return other / length if length > 0 else other
