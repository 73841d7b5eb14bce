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
    counted through. To networks that learnt 4/4 alone music in other meters is likelier so than counted on across its
    bars, in nats per event: shipped drum_kit in 3/4 1.43 instead of 1.79, in 6/8 1.56 instead of 2.06 (10 performances
    of the Groove data set); attention_rnn, with `bars_back`, in 3/4 0.90 instead of 0.94, in 6/8 0.99 instead of 1.21,
    in 9/8 0.80 instead of 1.09 (187 folk tunes).
    """
    if STEPS_PER_BAR % steps_per_bar == 0:
        return position
    return position // steps_per_bar * STEPS_PER_BAR + position % steps_per_bar


def bars_back(steps_per_bar: int) -> tuple[int, int]:
    """Distances at which repetition is looked for: as many whole bars as make sixteen steps or more, and twice that."""
    bars = -(-STEPS_PER_BAR // steps_per_bar)
    return bars * steps_per_bar, 2 * bars * steps_per_bar
