# pyright: strict
"""The chorale network's config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.networks.chorale.layout import read_layout


@dataclass(frozen=True, slots=True)
class ChoraleConfig:
    """See `engine.networks.contract.Config`."""

    family: str = "chorale"
    name: str = "chorale"
    conditions: tuple[str, ...] = ()
    attention_length: int = 0

    def allows(self, steps_per_bar: int) -> str | None:
        """Why it cannot play in bars of so many sixteenths; None if it can."""
        if steps_per_bar not in (8, 12, 16):
            return f"chorale knows bars of two, three and four quarters, not of {steps_per_bar}/16"
        return None

    def sizes(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
        """See `Config.sizes`."""
        return read_layout(shapes).sizes()


CHORALE = ChoraleConfig()
