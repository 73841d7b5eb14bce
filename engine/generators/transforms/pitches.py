"""Transforms of pitch. Pure; chance comes from the stream that is handed in.

They leave drums alone, whose pitches are instruments.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from engine.generators import endings, harmony
from engine.generators.contract import Link, Request, Role, TransformKind, TransformSettings
from engine.generators.expression import clip_velocities
from engine.generators.pulse import accent_at
from engine.generators.transforms.notes import nearest_of, without_doubles
from engine.score.harmony.keys import MODES, Key
from engine.score.phrase import Phrase
from engine.units import Percent, Pitches, PitchRange, Semitones


class TransposeSettings(TransformSettings):
    """All notes (and the chords that are meant) move by an interval."""

    by: Semitones = Field(default=0, description="the interval, like `7 semitones` or `-1 octave`")


class FitToKeySettings(TransformSettings):
    """Notes outside the key move to the nearest note of it."""

    strength: Percent = Field(default=1.0, description="share of the foreign notes that are moved")


class FitToChordsSettings(TransformSettings):
    """Notes on strong beats move to the nearest note of the chord that sounds."""

    strength: Percent = Field(default=1.0, description="share of the foreign notes on strong beats that are moved")


class DoubleSettings(TransformSettings):
    """Notes are doubled at an interval."""

    at: Literal["octave", "lower octave", "third", "sixth", "fifth"] = Field(
        default="octave", description="the interval above (thirds, fifths and sixths are those of the key)"
    )
    share: Percent = Field(default=1.0, description="share of the notes that are doubled, those on strong beats first")
    softer: int = Field(default=12, ge=0, le=60, description="how much lower the velocity of the added notes is")


class OctaveRangeSettings(TransformSettings):
    """Notes outside a range move into it by octaves, a whole line together where that is possible."""

    range: Pitches = Field(default=PitchRange(60, 84), description="lowest and highest pitch")


def transpose(phrase: Phrase, settings: TransposeSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Every note moves by the interval; what would leave MIDI's range moves by octaves. Chords move along."""
    if request.role is Role.DRUMS:
        return phrase
    notes = phrase.notes.copy()
    notes["pitch"] = _into_midi(notes["pitch"].astype(int) + settings.by)
    spans = tuple(replace(span, chord=span.chord.transposed(settings.by)) for span in phrase.chords)
    return Phrase.of(notes, phrase.length, phrase.provenance, spans)


def fit_to_key(phrase: Phrase, settings: FitToKeySettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Notes outside the key move to its nearest note; of two equally near, not to the one just played."""
    if request.role is Role.DRUMS:
        return phrase
    notes = phrase.notes.copy()
    moved = rng.random(len(notes)) < settings.strength
    before: int | None = None
    for place, pitch in enumerate(notes["pitch"].astype(int).tolist()):
        if moved[place] and pitch not in request.key:
            notes["pitch"][place] = _nearest_in_key(pitch, request.key, before)
        before = int(notes["pitch"][place])
    return phrase.with_notes(without_doubles(notes))


def fit_to_chords(phrase: Phrase, settings: FitToChordsSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Notes that begin on felt beats move to the nearest tone of the chord that sounds then.

    The chords are those of the part taken as `chords`, or else those that the phrase itself means.
    """
    spans = harmony.chords_under(request) if Link.CHORDS in request.sources else phrase.chords
    if request.role is Role.DRUMS or not spans:
        return phrase
    notes = phrase.notes.copy()
    chosen = rng.random(len(notes)) < settings.strength
    strong = accent_at(request.meter, notes["start"]) >= 0.6
    for place in np.flatnonzero(chosen & strong):
        chord = harmony.chord_at(spans, float(notes["start"][place]))
        notes["pitch"][place] = nearest_of(int(notes["pitch"][place]), chord.pitch_classes)
    return phrase.with_notes(without_doubles(notes))


def double(phrase: Phrase, settings: DoubleSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Adds a second voice at an interval, softer; what would leave MIDI's range is not doubled."""
    if request.role is Role.DRUMS:
        return phrase
    notes = phrase.notes
    count = round(settings.share * len(notes))
    if not count:
        return phrase
    weight = accent_at(request.meter, notes["start"]) + 0.1 * rng.random(len(notes))
    added = notes[np.sort(np.argsort(-weight, kind="stable")[:count])].copy()
    pitches = added["pitch"].astype(int)
    if settings.at in ("octave", "lower octave"):
        pitches = pitches + (12 if settings.at == "octave" else -12)
    else:
        size = len(MODES[request.key.mode])
        steps = round({"third": 2, "fifth": 4, "sixth": 5}[settings.at] * size / 7)
        pitches = np.array([_scale_steps_up(pitch, steps, request.key) for pitch in pitches.tolist()], int)
    inside = (pitches >= 0) & (pitches <= 127)
    added["pitch"] = np.where(inside, pitches, 0)
    added["velocity"] = clip_velocities(added["velocity"].astype(float) - settings.softer)
    return phrase.with_notes(without_doubles(np.concatenate([notes, added[inside]])))


def octave_range(phrase: Phrase, settings: OctaveRangeSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """The whole phrase moves by octaves into the range; notes that still stick out fold in singly."""
    if request.role is Role.DRUMS:
        return phrase
    notes = phrase.notes.copy()
    notes["pitch"] = endings.fold(notes["pitch"], settings.range)
    return phrase.with_notes(without_doubles(notes))


def _into_midi(pitches: np.ndarray) -> np.ndarray:
    low = np.where(pitches < 0, pitches % 12, pitches)
    return np.where(low > 127, 116 + (low - 116) % 12, low)


def _nearest_in_key(pitch: int, key: Key, before: int | None) -> int:
    for distance in range(1, 12):
        sides = [side for side in (pitch - distance, pitch + distance) if side in key and 0 <= side <= 127]
        if sides:
            # Keep the direction of the line, and do not repeat the note before if the other side is as near.
            return min(sides, key=lambda side: (side == before, side))
    return pitch


def _scale_steps_up(pitch: int, steps: int, key: Key) -> int:
    found, left = pitch, steps
    while left and found < 140:
        found += 1
        left -= found % 12 in key.scale
    return found


TRANSPOSE = TransformKind("transpose", "moves all notes by an interval", TransposeSettings, "by", transpose)
FIT_TO_KEY = TransformKind(
    "fit_to_key", "moves notes outside the key into it", FitToKeySettings, "strength", fit_to_key
)
FIT_TO_CHORDS = TransformKind(
    "fit_to_chords", "moves strong notes onto the chord", FitToChordsSettings, "strength", fit_to_chords
)
DOUBLE = TransformKind("double", "doubles notes at the octave or an interval of the key", DoubleSettings, "at", double)
OCTAVE_RANGE = TransformKind(
    "octave_range", "moves notes into a range by octaves", OctaveRangeSettings, "range", octave_range
)
