# pyright: strict
"""What of a scene file says how it goes over hours: the wandering key, and the form above the sections."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.generators.contract import Settings
from engine.scenes.schema.values import LevelsText, Shapes
from engine.units import AmountRange, PercentRange, Range, SecondsRange, Semitones


class ModulationFile(Settings):
    """How the home key wanders."""

    by: Literal["fifths", "thirds", "mediants"] = Field(
        default="fifths",
        description="fifths: to the neighbours in the circle of fifths; thirds: to keys of the other mode a third "
        "away, which share most of their notes; mediants: by thirds that keep the mode, which share few.",
    )
    every: SecondsRange = Field(default=Range(360.0, 600.0), description="Time between two steps, like `6..10 min`.")
    within: int = Field(default=2, ge=1, le=12, description="Steps after which it is home again at the latest.")


class PlannedQuietFile(Settings):
    """Planned quiets."""

    section: str = Field(description="The section that plays then, far softer than the rest.", examples=["hush"])
    every: SecondsRange = Field(
        default=Range(2400.0, 3300.0), description="Time from one to the next, like `40..55 min`."
    )


class FormFile(Settings):
    """What stands above the sections: movements, each with a shape."""

    movement: SecondsRange = Field(default=Range(1200.0, 2400.0), description="Its length, like `20..40 min`.")
    shape: Shapes = Field(
        default={"arc": 1.0},
        description="arc: rises to a summit and falls; wave: twice; rondo: a refrain comes back between episodes; "
        "variations: fuller from step to step; process: grows all the time; day: follows the hour; several "
        "have weights.",
        json_schema_extra={"default": "arc"},
    )
    dynamics: LevelsText = Field(
        default=Range(0.0, 0.0),
        description="Levels of playing where the shape is lowest and highest, `p..f`; a section's own add to them.",
        json_schema_extra={"default": "mf"},
    )
    tempo: AmountRange = Field(default=Range(1.0, 1.0), description="Share of the tempo there, `94..106 %`.")
    density: AmountRange = Field(
        default=Range(1.0, 1.0), description="Share of the `density` of generators that have one, `60..120 %`."
    )
    parts: PercentRange = Field(
        default=Range(1.0, 1.0),
        description="Share of a section's parts that play, `50..100 %`: those that it lists first.",
    )
    reach: Semitones = Field(
        default=0, ge=0, le=24, description="How much less high ranges reach where the shape is lowest, `7 semitones`."
    )
    opening: str | None = Field(
        default=None, description="The section that movements begin with; without, the first of the file."
    )
    closing: str | None = Field(default=None, description="The section that movements end with; without, none.")
    refrain: str | None = Field(
        default=None, description="The section that comes back in a rondo; without, the opening."
    )
    tutti: str | None = Field(
        default=None, description="The section of the summit; without, the one with the most parts."
    )
    quiet: PlannedQuietFile | None = Field(default=None, description="Planned quiets.")
