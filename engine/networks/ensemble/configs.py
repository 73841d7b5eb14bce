# pyright: strict
"""The ensemble network's config, and the names and shapes of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.networks.encodings.counters import STEPS_PER_BAR
from engine.networks.ensemble.encoding import COLUMNS, INTERVALS, PITCHES, UNKNOWN
from engine.networks.rnn.layout import check_shapes

KINDS = UNKNOWN
"""Things that may happen on a sixteenth."""
VIEWS = {"kinds": KINDS, "pitch": PITCHES, "interval": INTERVALS, "from_root": 12, "bar_ago_interval": INTERVALS}
"""Numbers that the last layer gives: what happens, and views of a pitch, whose sum its logit is."""


def ensemble_shapes(units: int, dense: int) -> dict[str, tuple[int, ...]]:
    """Every weight by name: an embedding of the columns, a GRU as in `engine.networks.chorale.layout`, a hidden layer,
    and the views.

    Args:
        units: of the GRU.
        dense: of the embedding and of the hidden layer.
    """
    views = sum(VIEWS.values())
    return {
        "embedding/kernel": (COLUMNS, dense),
        "embedding/bias": (dense,),
        "gru_0/kernel": (dense, 3 * units),
        "gru_0/recurrent": (units, 3 * units),
        "gru_0/bias": (2, 3 * units),
        "dense/kernel": (units + dense, dense),
        "dense/bias": (dense,),
        "output/kernel": (dense, views),
        "output/bias": (views,),
    }


@dataclass(frozen=True, slots=True)
class EnsembleConfig:
    """See `engine.networks.contract.Config`."""

    family: str = "ensemble"
    name: str = "ensemble"
    conditions: tuple[str, ...] = ()
    attention_length: int = 0

    def allows(self, steps_per_bar: int) -> str | None:
        """Why it cannot play in bars of so many sixteenths; None if it can."""
        if steps_per_bar != STEPS_PER_BAR:
            return f"ensemble knows bars of four quarters, not of {steps_per_bar}/16"
        return None

    def sizes(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
        """See `Config.sizes`."""
        missing = [name for name in ("gru_0/recurrent", "embedding/bias") if name not in shapes]
        if missing:
            raise ValueError(f"weight {missing[0]} is missing")
        units, dense = shapes["gru_0/recurrent"][0], shapes["embedding/bias"][0]
        check_shapes(shapes, ensemble_shapes(units, dense), "ensemble")
        return {"layers": [units], "dense": dense}


ENSEMBLE = EnsembleConfig()
