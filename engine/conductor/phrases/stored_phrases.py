# pyright: strict
"""Phrases as plain data, note for note."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from engine.form.stored import Stored
from engine.score.harmony.chords import Chord
from engine.score.phrase import ChordSpan, Origin, Phrase, Provenance

Finite = Annotated[float, Field(allow_inf_nan=False)]


class StoredChord(Stored):
    """A `ChordSpan`: beats, and the chord that holds."""

    start: Finite
    end: Finite
    root: int = Field(ge=0, le=11)
    quality: str
    bass: int | None = Field(ge=0, le=11)
    written: bool


class StoredPhrase(Stored):
    """A `Phrase`: notes are (start, end, pitch, velocity), beats as exact numbers."""

    length: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
    notes: tuple[tuple[Finite, Finite, int, int], ...]
    chords: tuple[StoredChord, ...]
    generator: str
    origin: Origin
    seed: int = Field(ge=0, lt=1 << 63)
    reason: str
    theme: str
    variation: str
    idea: str
    snapped: int = Field(default=0, ge=0)
    chosen: int = Field(default=0, ge=0)
    scores: tuple[Finite, ...] = Field(default=(), max_length=64)
    qualities: tuple[tuple[str, Finite], ...] = Field(default=(), max_length=16)

    @classmethod
    def of(cls, phrase: Phrase) -> Self:
        """A phrase as plain data."""
        made_by = phrase.provenance
        return cls(
            length=phrase.length,
            notes=tuple(phrase.notes.tolist()),
            chords=tuple(
                StoredChord(
                    start=span.start,
                    end=span.end,
                    root=span.chord.root,
                    quality=span.chord.quality,
                    bass=span.chord.bass,
                    written=span.written,
                )
                for span in phrase.chords
            ),
            generator=made_by.generator,
            origin=made_by.origin,
            seed=made_by.seed,
            reason=made_by.reason,
            theme=made_by.theme,
            variation=made_by.variation,
            idea=made_by.idea,
            snapped=made_by.snapped,
            chosen=made_by.chosen,
            scores=made_by.scores,
            qualities=made_by.qualities,
        )

    @property
    def phrase(self) -> Phrase:
        """The same phrase, note for note."""
        chords = [ChordSpan(c.start, c.end, Chord(c.root, c.quality, c.bass), c.written) for c in self.chords]
        said = self.theme, self.variation, self.idea, self.snapped, self.chosen, self.scores, self.qualities
        made_by = Provenance(self.generator, self.origin, self.seed, self.reason, *said)
        return Phrase.of(self.notes, self.length, made_by, chords)

    @model_validator(mode="after")
    def _check(self) -> Self:
        for note in self.notes:
            if not (0 <= note[2] <= 127 and 1 <= note[3] <= 127):
                raise ValueError(f"{note} is no note")
        for span in self.phrase.chords:
            _ = span.chord.pitch_classes  # raises ValueError where there is no such chord
        return self
