# pyright: strict
"""Settings of all generators that come back to ideas."""

from __future__ import annotations

from pydantic import Field

from engine.generators.contract import Settings
from engine.ideas.idea import Variation
from engine.units import Percent


class RecallSettings(Settings):
    """How often a part takes up the theme of a section, and how far it varies it."""

    recall: Percent = Field(
        default=0.7, description="how often a phrase takes up the theme; at 0 % all phrases are free, sections open too"
    )
    vary: Percent = Field(
        default=0.35,
        description="how far the theme is varied when it is taken up: 0 % not at all, 100 % until it is hardly known",
    )
    variations: tuple[Variation, ...] = Field(
        default=(),
        description="the variations that may be, from the nearest: exact, transposed (interval for interval), ending "
        "(another end), thinned, sequence (higher or lower in the key), reharmonised, diminished (twice as fast), "
        "augmented (twice as slow), inverted, towards (on the way to another theme); without, all",
    )

    @property
    def shared_way(self) -> str:
        """Name of the way through a network's space that the part goes with all others that say the same, and whose
        places are its ideas; empty where its ideas are what it plays.
        """
        return ""
