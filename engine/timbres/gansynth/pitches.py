# pyright: strict
"""The pitches that GANSynth knows, and how often it heard each in training."""

from __future__ import annotations

import numpy as np

PITCHES = range(24, 85)
"""MIDI pitches, C1 to C6: label k is the pitch 24 + k."""

# Notes of each pitch in the training part of NSynth's `gansynth_subset` 2.3, from C1 on.
# fmt: off
TRAINING_COUNTS = (
    551, 545, 561, 550, 549, 578, 547, 628, 626, 630, 670, 668,
    751, 768, 788, 801, 821, 871, 873, 860, 873, 844, 883, 865,
    1058, 1036, 1094, 1065, 1186, 1200, 1187, 1346, 1273, 1320, 1263, 1283,
    1349, 1285, 1281, 1332, 1286, 1301, 1220, 1300, 1209, 1257, 1288, 1223,
    1258, 1183, 1178, 1125, 1171, 1089, 1024, 1081, 966, 1043, 991, 959, 977,
)
# fmt: on


def draw_pitches(count: int, random: np.random.RandomState) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Pitches as often as training heard them, drawn as the original draws them from numpy's global generator."""
    return random.choice(np.repeat(np.array(PITCHES, np.int64), TRAINING_COUNTS), count)
