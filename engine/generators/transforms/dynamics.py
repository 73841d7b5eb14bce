"""The transform of velocities. Pure; chance comes from the stream that is handed in."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from engine.generators.contract import Request, TransformKind, TransformSettings
from engine.generators.expression import arc, clip_velocities
from engine.generators.pulse import accent_at
from engine.score.phrase import Phrase
from engine.units import Percent


class VelocitySettings(TransformSettings):
    """Velocities are scaled, bent along the phrase, and accented."""

    scale: Percent = Field(default=1.0, description="all velocities times this")
    offset: int = Field(default=0, ge=-100, le=100, description="added after scaling")
    shape: Literal["flat", "swell", "rise", "fall"] = Field(
        default="flat", description="course over the phrase; swell rises to the middle and falls"
    )
    depth: Percent = Field(default=0.3, description="how far the shape goes down from full velocity")
    accent: int = Field(default=0, ge=-40, le=40, description="added on strong beats, taken from weak ones")


def velocity(phrase: Phrase, settings: VelocitySettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Scale, then shape, offset and accent."""
    notes = phrase.notes.copy()
    position = notes["start"] / phrase.length
    course = {
        "flat": np.ones(len(notes)),
        "swell": arc(notes["start"], phrase.length),
        "rise": position,
        "fall": 1.0 - position,
    }[settings.shape]
    values = notes["velocity"] * settings.scale * (1 - settings.depth * (1 - course)) + settings.offset
    values = values + settings.accent * (2 * accent_at(request.meter, notes["start"]) - 1)
    notes["velocity"] = clip_velocities(values)
    return phrase.with_notes(notes)


VELOCITY = TransformKind("velocity", "scales, shapes and accents velocities", VelocitySettings, "scale", velocity)
