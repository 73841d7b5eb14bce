"""Where in the bars an event stands, as networks that learnt music in bars of sixteen steps are told it."""

from __future__ import annotations

import numpy as np

STEPS_PER_BAR = 16
"""Of the music that they learnt."""


def counter_table(bits: int) -> np.ndarray:
    """[2**bits, bits] of +-1: the binary digits of n, lowest first."""
    n = np.arange(2**bits)[:, None]
    return np.where((n >> np.arange(bits)) & 1, 1.0, -1.0).astype(np.float32)


def counted(position: int, steps_per_bar: int) -> int:
    """The position in bars of sixteen that a position in other bars counts as.

    Each bar begins where one of sixteen would, and ends early or runs on into the next; bars that divide sixteen are
    counted through. Held-out tunes are likelier so than counted on across their bars (docs/networks.md has figures).
    """
    if STEPS_PER_BAR % steps_per_bar == 0:
        return position
    return position // steps_per_bar * STEPS_PER_BAR + position % steps_per_bar


def bars_back(steps_per_bar: int) -> tuple[int, int]:
    """Distances at which repetition is looked for: as many whole bars as make sixteen steps or more, and twice that."""
    bars = -(-STEPS_PER_BAR // steps_per_bar)
    return bars * steps_per_bar, 2 * bars * steps_per_bar
