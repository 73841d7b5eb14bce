# pyright: strict
"""How many phrases a network makes for one request, and by what one of them is chosen. Light."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.generators.contract import Settings

CANDIDATES = 4
"""Phrases that are made for a request unless a scene says otherwise; docs/curator.md says what more of them buy."""

Weight = Annotated[float, Field(ge=0, le=100)]


class Taste(Settings):
    """What counts when one of several phrases is chosen: a weight for each quality; 0 leaves it out."""

    typical: Weight = Field(
        default=1.0,
        description="it is as surprising, in nats per note, as music is to the network at the median: neither dull nor "
        "wild",
    )
    harmony: Weight = Field(
        default=2.0,
        description="consonant, beat by beat, with the chords and what sounds of them; and few of its notes had to be "
        "moved into the key",
    )
    tessitura: Weight = Field(default=0.5, description="near the middle of the range")
    rhythm: Weight = Field(default=1.0, description="with the part whose rhythm is followed, before it is moved there")
    leading: Weight = Field(
        default=1.0,
        description="it is come into by small steps; of a choir, rules of counterpoint are kept",
    )
    conjunct: Weight = Field(
        default=1.0, description="a melody moves by steps as often as songs do, rather than by leaps"
    )
    kinship: Weight = Field(default=2.0, description="like the theme that it takes up")
    novelty: Weight = Field(default=1.0, description="its figures have not been heard often in the last hours")
    cadence: Weight = Field(default=1.0, description="where a period closes, it closes by itself; drums turn around")


class ChoirTaste(Taste):
    """The same for four voices, of whom counterpoint is asked before all else."""

    leading: Weight = Field(default=8.0, description="rules of counterpoint are kept")


class CuratedSettings(Settings):
    """What all networks have in common of whose phrases one is chosen."""

    candidates: int = Field(
        default=CANDIDATES,
        ge=1,
        le=64,
        description="phrases made at once, of which the one that suits best is played; costs time",
    )
    taste: Taste = Field(
        default_factory=Taste,
        description="what counts when one of them is chosen: weights from 0 on for `typical`, `harmony`, `tessitura`, "
        "`rhythm`, `leading`, `conjunct`, `kinship`, `novelty` and `cadence`",
    )
