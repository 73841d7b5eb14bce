"""How fast an instrument speaks and how long it rings, from its settings; and which notes are too short for it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.generators.contract import Settings
from engine.sound.settings import Envelope, FmSettings, PluckSettings, SamplerSettings, SubtractiveSettings

ATTACK_SHARE = 0.25
"""Share of a note that its attack may take: one that swells for longer is heard late, or not as a note at all."""
PAD = 2.0
"""Seconds: where half of a part's notes are at least so long it is a pad, which may swell and ring as it likes."""


@dataclass(frozen=True, slots=True)
class Articulation:
    """How a note begins and ends.

    Attributes:
        attack: seconds from silence to full.
        release: seconds from the note's end to silence.
        sustains: a held note does not die away by itself. What does (a bell, a string, a piano) rings through the
            next notes as its like does.
    """

    attack: float
    release: float
    sustains: bool

    def too_slow(self, note: float) -> bool:
        """Whether the attack is too long for notes of so many seconds."""
        return note < PAD and self.attack > ATTACK_SHARE * note

    def too_long(self, note: float) -> bool:
        """Whether the release is too long for notes of so many seconds."""
        return note < PAD and self.sustains and self.release > note


def articulation(settings: Settings) -> Articulation | None:
    """Of an instrument; None for drums, which have no ends, and for kinds of plug-ins, whose settings say nothing."""
    match settings:
        case SubtractiveSettings():
            return _of(settings.envelope, settings.envelope.sustain > 0)
        case FmSettings():
            loudest = max(settings.operators, key=lambda operator: operator.level)
            return _of(loudest.envelope, loudest.envelope.sustain > 0)
        case SamplerSettings():
            looped = any(sample.loop for sample in settings.samples)
            return _of(settings.envelope, looped and settings.envelope.sustain > 0)
        case PluckSettings():
            return Articulation(0.0, settings.damp, sustains=False)
    return None


def _of(envelope: Envelope, sustains: bool) -> Articulation:
    return Articulation(envelope.attack, envelope.release, sustains)
