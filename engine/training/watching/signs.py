"""Signs of a training that goes wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

GROWN = 4.0
"""A loss that has grown by such a factor is not coming back."""
_RECENT = 20
_RISES = 3
_NOTABLE = 1.02


def has_diverged(first: float, losses: Sequence[float]) -> bool:
    """Whether losses have left what a network that has learnt nothing would have.

    Args:
        first: loss of the first batch of all, where the network only knows how common each class is.
        losses: of the last batches.
    """
    return len(losses) > 0 and float(np.mean(losses[-_RECENT:])) > GROWN * max(first, 1.0)


def overfits(history: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the held-out loss has risen over the last evaluations while the training loss fell.

    Args:
        history: a line per evaluation with "train_loss" and "held_out_loss", oldest first.
    """
    for end in range(_RISES + 1, len(history) + 1):
        part = history[end - _RISES - 1 : end]
        best = min(line["held_out_loss"] for line in history[:end])
        rising = all(b["held_out_loss"] > a["held_out_loss"] for a, b in pairwise(part))
        if rising and part[-1]["train_loss"] < part[0]["train_loss"] and part[-1]["held_out_loss"] > _NOTABLE * best:
            return True
    return False
