"""Drums with feel by rules: what plays in the place of GrooVAE where the network cannot."""

from __future__ import annotations

import numpy as np

from engine.generators.contract import Request, Role
from engine.generators.expression import clip_velocities, drummed, with_velocities
from engine.generators.neural.settings import GrooveSettings
from engine.generators.transforms.timing import HumanizeSettings, humanize
from engine.score.phrase import Phrase


def feel_by_rules(phrase: Phrase, settings: GrooveSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Velocities by the meter and small deviations, as much of them as of the network's were wanted."""
    if request.role is not Role.DRUMS:
        return phrase
    velocities = drummed(phrase.notes, request.meter, phrase.length, rng).astype(float)
    written = phrase.notes["velocity"].astype(float)
    mixed = clip_velocities(written + settings.amount * (velocities - written))
    little = HumanizeSettings().model_copy(update={"timing": 0.012 * settings.amount, "velocity": 0})
    return humanize(phrase.with_notes(with_velocities(phrase.notes, mixed)), little, request, rng)
