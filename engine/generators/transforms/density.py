"""Transforms that leave notes out. Pure; chance comes from the stream that is handed in."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from engine.generators import harmony
from engine.generators.contract import Request, Role, TransformKind, TransformSettings
from engine.generators.pulse import accent_at
from engine.generators.transforms.notes import SHORTEST, nearest_of, without_doubles
from engine.generators.transforms.scope import due_bars
from engine.score.phrase import ChordSpan, Phrase
from engine.units import Percent


class ThinSettings(TransformSettings):
    """Notes are left out, those on weak beats first."""

    share: Percent = Field(default=0.3, description="share of the notes left out")


class RestSettings(TransformSettings):
    """Whole bars are left empty, so that a part breathes."""

    share: Percent = Field(
        default=0.25,
        description="share of the bars left empty, towards the end of the phrase first; with `every` all of those are",
    )


def thin(phrase: Phrase, settings: ThinSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """The share of notes that have the least metrical weight is left out; chance decides among equals.

    Each drum is thinned by itself, so that hats off the beat do not vanish before the first kick does.
    """
    count = round(settings.share * len(phrase.notes))
    if not count:
        return phrase
    weight = accent_at(request.meter, phrase.notes["start"]) + 0.15 * rng.random(len(phrase.notes))
    # With equal weight soft notes go before loud ones.
    weight = weight + 0.1 * phrase.notes["velocity"] / 127
    if request.role is Role.DRUMS:
        weight = _ranks_within(weight, phrase.notes["pitch"])
    kept = np.sort(np.argsort(weight, kind="stable")[count:])
    return phrase.with_notes(phrase.notes[kept])


def rest(phrase: Phrase, settings: RestSettings, request: Request, rng: np.random.Generator) -> Phrase:
    """Whole bars fall silent; notes that would sound into them are cut at the bar line. Chords that are meant stay.

    A melody that is let go early still ends: its last note before the silence becomes a tone of the chord.
    """
    bar = request.meter.beats_per_bar
    count = request.bars
    numbers = np.arange(count)
    if settings.every is not None:
        silent = due_bars(request, settings, rng)
    else:
        # Later bars rest first: a phrase is begun, then let go; but a section's last phrase enters late, and closes.
        order = np.argsort((numbers if request.ends_section else -numbers) + rng.normal(0, 0.7, count), kind="stable")
        if request.ends_section:
            order = np.append(order[order != count - 1], count - 1)
        # A part of a bar is left to chance.
        exact = settings.share * count
        rests = int(exact) + int(rng.random() < exact - int(exact))
        silent = np.isin(numbers, order[: min(rests, count)])
        silent &= due_bars(request, settings, rng)
    notes = phrase.notes.copy()
    own_bar = np.clip((notes["start"] / bar).astype(int), 0, count - 1)
    kept = ~silent[own_bar]
    notes, own_bar = notes[kept], own_bar[kept]
    for place, number in enumerate(own_bar):
        later = np.flatnonzero(silent & (numbers > number))
        if len(later):
            line = max(float(later[0]) * bar, float(notes["start"][place]) + SHORTEST)
            notes["end"][place] = min(float(notes["end"][place]), line)
    if request.role is Role.MELODY:
        for number in np.flatnonzero(silent[1:] & ~silent[:-1]):
            before = np.flatnonzero(own_bar == number)
            if len(before):
                _close(notes, int(before[-1]), float(number + 1) * bar, phrase, request)
    return phrase.with_notes(without_doubles(notes))


def _close(notes: np.ndarray, place: int, line: float, phrase: Phrase, request: Request) -> None:
    """Make a note an ending: a chord tone in the key, a beat long if there is room before the bar line."""
    start = float(notes["start"][place])
    home = ChordSpan(0.0, phrase.length, harmony.home(request.key))
    tones = harmony.tones_of(harmony.span_at(phrase.chords, start) if phrase.chords else home, request.key)
    notes["pitch"][place] = nearest_of(int(notes["pitch"][place]), tones)
    notes["end"][place] = max(float(notes["end"][place]), min(line, start + 1.0))


def _ranks_within(weight: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Rank 0..1 of each weight among those of its group, [n]."""
    ranks = np.zeros(len(weight))
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        ranks[inside[np.argsort(weight[inside], kind="stable")]] = (np.arange(len(inside)) + 0.5) / len(inside)
    return ranks


THIN = TransformKind("thin", "leaves notes out, weak beats first", ThinSettings, "share", thin)
REST = TransformKind("rest", "leaves whole bars empty", RestSettings, "share", rest, heeds_bars=True)
