# pyright: strict
"""Names and shapes of the weights of the chorale network.

Columns of the token (see `encoding`) are embedded; attention looks back over what was embedded, and over what became of
it; two GRUs follow, a hidden layer, and *views*: numbers for pitches as they are, for intervals from the note that the
voice sings, and for pitch classes seen from each other voice. The logit of a pitch is the sum of what the views say.
GRUs are as Cho et al. 2014 in the variant of cuDNN (reset after the product), gates in the order update, reset, new.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.networks.chorale.encoding import COLUMNS, LABELS, OUTCOMES, VOICES, WIDE
from engine.networks.rnn.layout import check_shapes

INTERVALS = 2 * WIDE + 1
VIEWS = LABELS + INTERVALS + VOICES * 12
"""Numbers that the last layer gives: one a label, one an interval, one a pitch class over each voice."""


@dataclass(frozen=True, slots=True)
class ChoraleLayout:
    """Sizes of a chorale network.

    Attributes:
        layers: units per GRU.
        embedding: numbers that a token is embedded in.
        attention: numbers that attention gives, of all heads together.
        heads: of attention.
        window: tokens that attention looks back over.
        dense: units of the hidden layer.
    """

    layers: tuple[int, ...] = (256, 256)
    embedding: int = 256
    attention: int = 128
    heads: int = 4
    window: int = 320
    dense: int = 192

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every weight by name."""
        wide, attention = self.embedding, self.attention
        shapes: dict[str, tuple[int, ...]] = {
            "embedding/kernel": (COLUMNS, wide),
            "embedding/bias": (wide,),
            "attention/query": (wide, attention),
            "attention/key": (wide, attention),
            "attention/value": (wide, attention),
            "attention/outcome_key": (OUTCOMES, attention),
            "attention/outcome_value": (OUTCOMES, attention),
            "attention/nothing_key": (attention,),
            "attention/nothing_value": (attention,),
            "attention/distance": (self.heads, self.window + 1),
        }
        below = wide + attention
        for layer, units in enumerate(self.layers):
            shapes[f"gru_{layer}/kernel"] = (below, 3 * units)
            shapes[f"gru_{layer}/recurrent"] = (units, 3 * units)
            shapes[f"gru_{layer}/bias"] = (2, 3 * units)
            below = units
        shapes["dense/kernel"] = (below + wide + attention, self.dense)
        shapes["dense/bias"] = (self.dense,)
        shapes["output/kernel"] = (self.dense, VIEWS)
        shapes["output/bias"] = (VIEWS,)
        return shapes

    def sizes(self) -> dict[str, Any]:
        """What a card says."""
        return {
            "layers": list(self.layers),
            "embedding": self.embedding,
            "attention": self.attention,
            "heads": self.heads,
            "window": self.window,
            "dense": self.dense,
        }


def read_layout(shapes: Mapping[str, tuple[int, ...]]) -> ChoraleLayout:
    """The sizes of weights of these names and shapes, which are checked.

    Raises:
        ValueError: saying which weight is missing, left over or misshapen.
    """
    found = sorted(int(match[1]) for name in shapes if (match := re.fullmatch(r"gru_(\d+)/recurrent", name)))
    wanted = ("embedding/bias", "attention/nothing_key", "attention/distance", "dense/bias")
    missing = [name for name in wanted if name not in shapes]
    if missing or not found or found != list(range(len(found))):
        raise ValueError(f"weight {missing[0] if missing else 'gru_0/recurrent'} is missing")
    heads, distances = shapes["attention/distance"]
    layout = ChoraleLayout(
        tuple(shapes[f"gru_{layer}/recurrent"][0] for layer in found),
        shapes["embedding/bias"][0],
        shapes["attention/nothing_key"][0],
        heads,
        distances - 1,
        shapes["dense/bias"][0],
    )
    check_shapes(shapes, layout.shapes(), "chorale")
    if layout.attention % layout.heads:
        raise ValueError(f"attention of {layout.attention} numbers has no {layout.heads} heads of one size")
    return layout
