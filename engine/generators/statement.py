"""The statement of an idea: what a phrase that takes one up begins with, in its place."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.generators import endings, harmony
from engine.generators.chance import stream
from engine.generators.contract import Link, Request
from engine.generators.pulse import accent_at
from engine.ideas.idea import Variation
from engine.ideas.varying import chords_of, length_of, settled, varied
from engine.score.phrase import ChordSpan, Phrase
from engine.units import PitchRange

_WIDEST_LEAP = 9
"""Semitones between two phrases above which the statement is taken an octave nearer."""


@dataclass(frozen=True, slots=True)
class Statement:
    """An idea as a phrase states it.

    Attributes:
        notes: array [n] of `NOTE`, all within `beats`.
        beats: whole bars that it takes of the phrase.
        moved: notes that had to be moved to fit key and chords.
    """

    notes: np.ndarray
    beats: float
    moved: int


def stated(request: Request, span: PitchRange | None, share: float = 1.0) -> Statement | None:
    """The idea that a phrase takes up, varied, in its key, on its chords and in its range; None where it is free.

    Args:
        request: what is wanted.
        span: range of the part; None for drums.
        share: of the phrase that it takes at most; at least a bar.
    """
    taken = request.taken
    if taken is None or not len(taken.idea.phrase.notes):
        return None
    bar = request.meter.beats_per_bar
    room = max(1, int(request.bars * share)) * bar
    beats = min(room, max(bar, np.ceil(length_of(taken) / bar - 1e-9) * bar))
    notes = varied(taken, request.key, stream(request.seed, "variation"))
    notes = notes[(notes["start"] >= 0) & (notes["start"] < beats - 1e-9)].copy()
    if not len(notes):
        return None
    notes["end"] = np.minimum(notes["end"], beats)
    if span is None:
        return Statement(notes, beats, 0)
    found, moved = fitted(notes, request, span)
    return Statement(found, beats, moved)


def fitted(notes: np.ndarray, request: Request, span: PitchRange) -> tuple[np.ndarray, int]:
    """A stated idea in range and on its chords, with as few notes moved as can be; and how many were.

    Args:
        notes: in the key of the request; at least one.
        request: where they stand.
        span: range.
    """
    taken = request.taken
    notes = notes.copy()
    notes["pitch"] = _placed(notes["pitch"].astype(int), request, span)
    spans = harmony.chords_under(request) if Link.CHORDS in request.sources else ()
    accents = accent_at(request.meter, notes["start"])
    if taken is not None and taken.variation is Variation.REHARMONISED and spans:
        found = _on_chords(notes, spans, accents, request, span)
        return found, int((found["pitch"] != notes["pitch"]).sum())
    return settled(notes, spans, accents, request.key)


def marked(phrase: Phrase, request: Request) -> Phrase:
    """A phrase whose provenance says what it takes up."""
    taken = request.taken
    if taken is None:
        return phrase
    idea, made_by = taken.idea, phrase.provenance
    return phrase.with_provenance(replace(made_by, theme=idea.theme, variation=str(taken.variation), idea=idea.digest))


def progression(request: Request) -> tuple[ChordSpan, ...]:
    """The chords of the progression that a phrase takes up, in its key; none where it is free."""
    return chords_of(request.taken.idea, request.key) if request.taken is not None else ()


def as_primer(request: Request) -> Phrase | None:
    """The idea that a phrase takes up, as what a network goes on from; None where it is free."""
    taken = request.taken
    if taken is None:
        return None
    notes = varied(taken, request.key, stream(request.seed, "variation"))
    bar = request.meter.beats_per_bar
    beats = max(bar, np.ceil(length_of(taken) / bar - 1e-9) * bar)
    return Phrase.of(notes[notes["start"] < beats], beats, taken.idea.phrase.provenance)


def _placed(pitches: np.ndarray, request: Request, span: PitchRange) -> np.ndarray:
    """Pitches [n] moved by whole octaves, all by the same, to where they fit the range best and begin near the past."""
    shifts = 12 * np.arange(-5, 6)
    moved = pitches[None] + shifts[:, None]
    outside = np.maximum(span.low - moved, 0) + np.maximum(moved - span.high, 0)
    cost = 4.0 * outside.mean(axis=1) + 0.05 * np.abs(moved.mean(axis=1) - (span.low + span.high) / 2)
    history = request.history
    if history is not None and len(history.notes):
        leap = np.abs(moved[:, 0] - int(history.notes["pitch"][-1]))
        cost = cost + 0.1 * np.maximum(leap - _WIDEST_LEAP, 0)
    return endings.fold(moved[int(np.argmin(cost))], span)


def _on_chords(
    notes: np.ndarray, spans: tuple[ChordSpan, ...], accents: np.ndarray, request: Request, span: PitchRange
) -> np.ndarray:
    """The notes over other chords: those on felt beats are tones of what sounds there."""
    notes = notes.copy()
    notes["pitch"] = endings.into_key(notes["pitch"], request.key, span)
    for place in np.flatnonzero(accents >= 0.6):
        tones = harmony.tones_of(harmony.span_at(spans, float(notes["start"][place])), request.key)
        notes["pitch"][place] = endings.nearest_tone(int(notes["pitch"][place]), tones, span)
    return notes
