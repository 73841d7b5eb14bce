# pyright: strict
"""How surprising music is to a network: that of held-out music at the median, and how far from it some notes are.

What is likeliest is dull, what is least likely is wrong; music lies between (after Meister et al. 2023, "Locally
typical sampling", who compare with the entropy instead).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from engine.errors import PerpetuumError


@dataclass(frozen=True, slots=True)
class Typical:
    """Of held-out music, cut into stretches as long as phrases.

    Attributes:
        median: nats per note of the network.
        spread: half of the way from the 16th to the 84th of a hundred stretches; more than 0.
    """

    median: float
    spread: float

    def likeness(self, nats: float) -> float:
        """How near notes are to the median, 0..1; half where they are a spread away."""
        away = abs(nats - self.median) / self.spread
        return 1.0 / (1.0 + away) if math.isfinite(away) else 0.0


def typical_of(weights: Path | None) -> Typical | None:
    """What the card of a weights file says of it; None where it says nothing, or there is no card.

    Args:
        weights: path; None for none.
    """
    if weights is None or weights.suffix != ".safetensors":
        return None
    from engine.networks import read_card

    try:
        metrics = read_card(weights).metrics
    except PerpetuumError:
        return None
    median, spread = metrics.get("phrase_nats"), metrics.get("phrase_nats_spread")
    if not (isinstance(median, int | float) and isinstance(spread, int | float) and spread > 0):
        return None
    return Typical(float(median), float(spread))
