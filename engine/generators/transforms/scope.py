"""Where a transform acts: on some drums, in some bars; the rest of the phrase goes by it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.generators.contract import Link, Request, TransformSettings
from engine.score.drums import CLASS_OF_PITCH
from engine.score.phrase import Phrase, chords_between, moved

Apply = Callable[[Phrase], Phrase]


def due_bars(request: Request, settings: TransformSettings, rng: np.random.Generator) -> np.ndarray:
    """The bars of a phrase in which a transform acts, [bars] of bool; `rng` is asked only where there is a chance."""
    due = np.ones(request.bars, bool)
    if settings.every is not None:
        due &= (request.place.bar + np.arange(request.bars)) % settings.every.turns == settings.every.turn - 1
    if settings.chance < 1:
        due &= rng.random(request.bars) < settings.chance
    return due


def on_drums(phrase: Phrase, settings: TransformSettings, apply: Apply) -> Phrase:
    """A phrase of which a transform has seen only the drums that its settings name."""
    if settings.only is None:
        return apply(phrase)
    chosen = np.array([CLASS_OF_PITCH.get(int(pitch)) in settings.only for pitch in phrase.notes["pitch"]], bool)
    made = apply(phrase.with_notes(phrase.notes[chosen]))
    return made.with_notes(np.concatenate([made.notes, phrase.notes[~chosen]]))


def in_bars(phrase: Phrase, due: np.ndarray, request: Request, apply: Callable[[Phrase, Request], Phrase]) -> Phrase:
    """A phrase of which a transform has been given some bars: each run of them as if it were a phrase of its own.

    Args:
        phrase: of `request.bars` bars.
        due: which bars, [bars] of bool.
        request: what the transform is told; for a run of bars, of these.
        apply: the transform.

    Raises:
        ValueError: the transform made a phrase of another length.
    """
    if due.all():
        return apply(phrase, request)
    bar = request.meter.beats_per_bar
    own = np.clip((phrase.notes["start"] / bar + 1e-9).astype(int), 0, request.bars - 1)
    pieces = []
    for is_due, numbers in itertools.groupby(range(request.bars), lambda number: bool(due[number])):
        run = list(numbers)
        first, last = run[0], run[-1]
        notes = moved(phrase.notes[(own >= first) & (own <= last)], -first * bar)
        notes["start"] = np.maximum(notes["start"], 0.0)
        beats = (last + 1 - first) * bar
        spans = chords_between(phrase.chords, first * bar, first * bar + beats)
        piece = Phrase.of(notes, beats, phrase.provenance, spans)
        if is_due:
            made = apply(piece, _of_bars(request, first, last + 1))
            if abs(made.length - beats) > 1e-6:
                raise ValueError(f"it made {made.length:g} beats of {beats:g}")
            piece = made
        pieces.append(piece)
    return Phrase.concatenate(pieces).with_provenance(phrase.provenance)


def _of_bars(request: Request, first: int, end: int) -> Request:
    """The same request for some of its bars."""
    bar = request.meter.beats_per_bar
    place = replace(request.place, bar=request.place.bar + first, first_bar=request.place.first_bar + first)
    sources = {
        link: source if link is Link.PRIMER else source.slice(first * bar, end * bar)
        for link, source in request.sources.items()
    }
    history = request.history if first == 0 else None
    return replace(request, bars=end - first, place=place, sources=sources, history=history)
