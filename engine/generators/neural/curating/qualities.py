# pyright: strict
"""The qualities by which phrases of networks are compared: each a number 0..1, more is better.

Whether a quality applies is decided by the request alone, so that all candidates are measured by the same ones. Each is
told what would be played and knows nothing of how it came about; a phrase without notes has none of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.generators import harmony
from engine.generators.contract import Cadence, Link, Request, Role
from engine.generators.neural.curating.candidate import PhraseCandidate
from engine.generators.neural.curating.typicality import Typical
from engine.generators.pulse import accent_at, onset_steps
from engine.generators.transposing import phrase_in
from engine.ideas import kinship
from engine.ideas.wear import freshness
from engine.score.harmony.keys import Key
from engine.score.phrase import ChordSpan, Phrase, moved
from engine.score.time import STEPS_PER_BEAT
from engine.units import PitchRange

_TOGETHER = 0.26
"""Beats within which notes of several voices count as one chord."""
_LONGEST = 2.0
"""Beats from which on a longer note does not count for more."""
_STEP, _FAR = 2, 12
"""Semitones of a step; and beyond it, those after which a leap could not be worse."""
_CONJUNCT = 0.63
"""Share of steps among all moves of melodies: 0.63 in the lead sheets of OpenEWLD, 0.60 in 1,460 lieder."""
_ROUGH = {0: 1.0, 1: 0.0, 2: 0.6, 3: 1.0, 4: 1.0, 5: 1.0, 6: 0.5}
"""How well two pitches go together, by their interval within an octave (a sixth is a third)."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the candidates of a request stand.

    Attributes:
        request: the whole phrase that is wanted.
        asked: what the network was asked for, where that is the phrase behind the statement of an idea.
        begin: beats from the start of the phrase to that.
        span: range; None for drums, and where the network has its own.
        idea: notes of the idea that is taken up; None where the phrase is free.
        typical: of the network; None where it is not known.
        counterpoint: whether faults of counterpoint are counted.
    """

    request: Request[Any]
    asked: Request[Any]
    begin: float = 0.0
    span: PitchRange | None = None
    idea: Phrase | None = None
    typical: Typical | None = None
    counterpoint: bool = False

    @property
    def drums(self) -> bool:
        """Whether drums are played."""
        return self.request.role is Role.DRUMS


Quality = Callable[[Stand], "Callable[[PhraseCandidate], float] | None"]


def _typical(stand: Stand) -> Callable[[PhraseCandidate], float] | None:
    typical = stand.typical
    if typical is None:
        return None

    def measured(one: PhraseCandidate) -> float:
        return 0.0 if one.nats is None else typical.likeness(one.nats)

    return measured


def _harmony(stand: Stand) -> Callable[[PhraseCandidate], float] | None:
    if stand.drums:
        return None
    request = stand.request
    source = request.sources.get(Link.CHORDS)
    spans = harmony.chords_under(request) if source is not None else ()

    def measured(one: PhraseCandidate) -> float:
        kept = 1.0 - min(1.0, one.snapped / len(one.notes))
        if source is None:
            return kept
        weights = np.minimum(one.notes["end"] - one.notes["start"], _LONGEST)
        weights = weights * (0.5 + accent_at(request.meter, one.notes["start"]))
        found = [
            min(_with_chord(pitch, spans, start, request.key), _with_notes(pitch, start, end, source.notes))
            for start, end, pitch, _ in one.notes.tolist()
        ]
        return kept * float(np.average(found, weights=weights))

    return measured


def _with_chord(pitch: int, spans: tuple[ChordSpan, ...], start: float, key: Key) -> float:
    tones = harmony.tones_of(harmony.span_at(spans, start), key)
    if pitch % 12 in tones:
        return 1.0
    return 0.2 if (pitch - 1) % 12 in tones else 0.6


def _with_notes(pitch: int, start: float, end: float, others: np.ndarray) -> float:
    """How well a note goes with the worst of those that sound while it does."""
    sounding = others[(others["start"] < end - 1e-9) & (others["end"] > start + 1e-9)]
    return min((_ROUGH[_within_octave(pitch - int(other))] for other in sounding["pitch"]), default=1.0)


def _within_octave(interval: int) -> int:
    size = interval % 12
    return min(size, 12 - size)


def _tessitura(stand: Stand) -> Callable[[PhraseCandidate], float] | None:
    span = stand.span
    if span is None or stand.drums:
        return None
    middle, half = (span.low + span.high) / 2, max(1.0, (span.high - span.low) / 2)

    def measured(one: PhraseCandidate) -> float:
        mean = float(np.average(one.notes["pitch"], weights=one.notes["end"] - one.notes["start"]))
        return 1.0 - min(1.0, abs(mean - middle) / half)

    return measured


def _rhythm(stand: Stand) -> Callable[[PhraseCandidate], float] | None:
    source = stand.request.sources.get(Link.RHYTHM)
    steps = round(stand.request.beats * STEPS_PER_BEAT)
    onsets = onset_steps(source, steps) if source is not None else np.zeros(0, int)
    if not len(onsets):
        return None

    def measured(one: PhraseCandidate) -> float:
        own = np.unique(np.rint(one.made["start"] * STEPS_PER_BEAT).astype(int))
        return float(np.isin(own, onsets).mean()) if len(own) else 0.0

    return measured


def _leading(stand: Stand) -> Callable[[PhraseCandidate], float] | None:
    if stand.counterpoint:
        return lambda one: 1.0 / (1.0 + 2.0 * (one.faults or 0.0))
    asked = stand.asked
    past = asked.history
    if stand.drums or past is None or not len(past.notes):
        return None
    past = phrase_in(past, asked.keys, asked.key) if asked.keys else past
    last = past.notes["pitch"][past.notes["start"] > past.notes["start"].max() - _TOGETHER].astype(int)

    def measured(one: PhraseCandidate) -> float:
        notes = one.notes[one.notes["start"] >= stand.begin - 1e-6]
        if not len(notes):
            return 0.0
        first = notes["pitch"][notes["start"] < notes["start"].min() + _TOGETHER].astype(int)
        moves: np.ndarray = np.abs(first[:, None] - last[None]).min(axis=1)
        far: np.ndarray = np.minimum(1.0, np.maximum(0, moves - _STEP) / _FAR)
        return 1.0 - float(far.mean())

    return measured


def _conjunct(stand: Stand) -> Callable[[PhraseCandidate], float] | None:
    if stand.request.role is not Role.MELODY or stand.counterpoint:
        return None

    def measured(one: PhraseCandidate) -> float:
        moves = np.abs(np.diff(one.notes["pitch"][np.argsort(one.notes["start"], kind="stable")].astype(int)))
        moves = moves[moves > 0]
        return min(1.0, float((moves <= _STEP).mean()) / _CONJUNCT) if len(moves) else 0.0

    return measured


def _kinship(stand: Stand) -> Callable[[PhraseCandidate], float] | None:
    idea = stand.idea
    if idea is None:
        return None
    if stand.drums:
        return lambda one: kinship.rhythmic(one.made, idea.notes, idea.length)
    return lambda one: kinship.melodic(one.made, idea.notes)


def _turnaround(notes: np.ndarray, request: Request) -> float:
    """How much more the last bar of drums differs from the one before it than the others do; 0.5 for as much, 1 for
    half of its strokes more."""
    bar = request.meter.beats_per_bar
    numbers = (notes["start"] / bar + 1e-6).astype(int)
    bars = [moved(notes[numbers == number], -number * bar) for number in range(request.bars)]
    alike = [kinship.rhythmic(after, before, bar) for before, after in itertools.pairwise(bars)]
    return min(1.0, max(0.0, 0.5 + float(np.mean(alike[:-1])) - alike[-1]))


def _novelty(stand: Stand) -> Callable[[PhraseCandidate], float] | None:
    worn = stand.request.worn
    if not worn:
        return None
    return lambda one: freshness(worn, one.made, stand.drums)


def _cadence(stand: Stand) -> Callable[[PhraseCandidate], float] | None:
    due, request = stand.request.closes, stand.request
    if due is None or stand.counterpoint:
        return None
    if stand.drums:
        return (lambda one: _turnaround(one.made, request)) if request.bars > 2 else None
    key, bar = request.key, request.meter.beats_per_bar
    goal = (key.tonic + 7) % 12 if due is Cadence.HALF else key.tonic
    chord = {goal, *((goal + step) % 12 for step in (3, 4, 7) if (goal + step) % 12 in key)}

    def measured(one: PhraseCandidate) -> float:
        if not len(one.made):
            return 0.0
        start, end, pitch, _ = one.made[np.lexsort((one.made["pitch"], one.made["start"]))][-1].tolist()
        tone = 1.0 if pitch % 12 == goal else 0.6 if pitch % 12 in chord else 0.0
        placed = start >= request.beats - bar - 1e-6 and accent_at(request.meter, np.array([start]))[0] >= 0.6
        return 0.6 * tone + 0.25 * placed + 0.15 * (end - start >= 1.0 - 1e-6)

    return measured


QUALITIES: Mapping[str, Quality] = {
    "typical": _typical,
    "harmony": _harmony,
    "tessitura": _tessitura,
    "rhythm": _rhythm,
    "leading": _leading,
    "conjunct": _conjunct,
    "kinship": _kinship,
    "novelty": _novelty,
    "cadence": _cadence,
}
"""By the names of the weights in `Taste`."""
