"""A pedal point: the tonic or the dominant, held while the harmony moves over it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.generators.contract import GeneratorKind, Request, Role, Settings
from engine.generators.expression import clip_velocity
from engine.score.harmony.keys import Key
from engine.score.phrase import Origin, Phrase, Provenance
from engine.units import Bars, Pitches, PitchRange


class PedalSettings(Settings):
    """A pedal point; it follows the key of its section, and nothing else."""

    tone: Literal["tonic", "dominant", "both"] = Field(
        default="tonic", description="tonic: rest; dominant: tension that wants home; both: a drone on the open fifth"
    )
    every: Bars = Field(
        default=4, description="bars after which it is struck anew, counted from the start of the section"
    )
    range: Pitches = Field(default=PitchRange(28, 50), description="lowest and highest pitch")


class Pedal:
    """A pedal point for `Role.BASS` and any other role with pitches."""

    def __init__(self, settings: PedalSettings) -> None:
        self.settings = settings

    def generate(self, request: Request[PedalSettings]) -> Phrase:
        """Long notes, each until the next; a phrase that begins between two strokes strikes at once."""
        settings, bar = request.settings, request.meter.beats_per_bar
        first = request.place.bar
        strokes = [at for at in range(request.bars) if at == 0 or (first + at) % settings.every == 0]
        pitches = _pitches(settings, request.key)
        notes = []
        for start, end in zip(strokes, [*strokes[1:], request.bars], strict=True):
            fresh = (first + start) % settings.every == 0
            for pitch in pitches:
                velocity = clip_velocity(78 if fresh else 66)
                notes.append((start * bar, end * bar, pitch, velocity))
        return Phrase.of(notes, request.beats, Provenance("pedal", Origin.RULES, request.seed))


def _pitches(settings: PedalSettings, key: Key) -> list[int]:
    """The tones as low as the range allows, which is an octave at least; a drone's fifth lies above its tonic."""
    fifth = (key.tonic + next((step for step in (7, 6, 8) if (key.tonic + step) % 12 in key.scale), 7)) % 12
    low = settings.range.low
    tonic = low + (key.tonic - low) % 12
    if settings.tone == "dominant":
        return [low + (fifth - low) % 12]
    return [tonic] if settings.tone == "tonic" else [tonic, tonic + (fifth - tonic) % 12]


PEDAL = GeneratorKind(
    name="pedal",
    summary="a pedal point: the tonic or the dominant held under, or over, the harmony",
    settings=PedalSettings,
    roles=(Role.BASS, Role.CHORDS, Role.MELODY),
    factory=Pedal,
)
