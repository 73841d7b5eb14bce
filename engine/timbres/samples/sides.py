# pyright: strict
"""The two sides of stereo recordings: how wide they may be heard without cancelling each other in mono."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.timbres.samples.loudness import Sound

_MONO_LOSS = 1.5
"""Decibels that a sound may lose where both sides are added up (docs/listening.md)."""


def mono_safe_width(sounds: Sequence[Sound]) -> float:
    """The width, 0..1, at which sounds are heard for them to lose little in mono; 1 for mono sounds.

    Args:
        sounds: array [frames, 1 or 2] of each.
    """
    middle = side = 0.0
    for sound in sounds:
        if sound.shape[1] == 2:
            parts = sound.astype(np.float64) @ np.array([[0.5, 0.5], [0.5, -0.5]])
            powers = np.square(parts).mean(axis=0)
            middle, side = middle + float(powers[0]), side + float(powers[1])
    if side <= 0.0:
        return 1.0
    widest = math.sqrt((10.0 ** (_MONO_LOSS / 10.0) - 1.0) * middle / side)
    return min(1.0, math.floor(100.0 * widest) / 100.0)


def narrowed(sound: Sound, width: float) -> Sound:
    """A sound as it is heard at a width; see `stereo` of a sampler."""
    if sound.shape[1] == 1 or width >= 1.0:
        return sound
    near, far = (1.0 + width) / 2.0, (1.0 - width) / 2.0
    return (sound @ np.array([[near, far], [far, near]], np.float32)).astype(np.float32)
