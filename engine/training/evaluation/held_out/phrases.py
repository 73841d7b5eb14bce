# pyright: strict
"""How surprising phrases are to a network: nats per note of stretches that are as long as what scenes ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

BARS = 4
"""Bars of a stretch on a grid."""
EVENTS = 256
"""Events of a stretch without one."""
_FEWEST = 4
"""Notes of a stretch at least; what has fewer tells nothing."""


def phrase_nats(
    pieces: Iterable[tuple[np.ndarray, np.ndarray]], length: int, notes: Callable[[np.ndarray], int]
) -> dict[str, float]:
    """The median over stretches, and how far they spread.

    Args:
        pieces: of each the negative log-likelihoods [n] in nats, and the events [n, ...] that they are of.
        length: events of a stretch; a shorter rest of a piece is left out.
        notes: how many notes begin in events.

    Returns:
        "phrase_nats": the median of nats per note; "phrase_nats_spread": half of the way from the 16th to the 84th of a
        hundred stretches. Nothing where there is no stretch.
    """
    found: list[float] = []
    for losses, events in pieces:
        for start in range(0, len(losses) - length + 1, length):
            count = notes(events[start : start + length])
            if count >= _FEWEST:
                found.append(float(losses[start : start + length].sum()) / count)
    if not found:
        return {}
    low, median, high = np.percentile(found, [16, 50, 84]).tolist()
    return {"phrase_nats": median, "phrase_nats_spread": max((high - low) / 2, 1e-3)}
