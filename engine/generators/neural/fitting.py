"""What a network made, fitted to its place: range, key, chords, and the rhythm of the part that it follows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.generators import endings, harmony
from engine.generators.contract import Link, Request
from engine.generators.pulse import accent_at, accents, onset_steps
from engine.score.drums import CLASSES, PITCHES
from engine.score.harmony.counterpoint import leading_notes
from engine.score.harmony.keys import Key
from engine.score.phrase import NOTE, ChordSpan, in_order
from engine.score.time import STEPS_PER_BEAT
from engine.units import PitchRange

_KICK = PITCHES[CLASSES.index("kick")]
_SHORTEST = 0.05
"""Beats that a note keeps at least when it is cut."""
_SOON = 2.0
"""Beats after which a note that rubs has gone on by step, at the latest."""


class Fitted(NamedTuple):
    """Notes that were fitted to their place, and how many of them had to be moved into the key."""

    notes: np.ndarray
    snapped: int


def fitted_melody(
    notes: np.ndarray,
    request: Request,
    span: PitchRange,
    spans: tuple[ChordSpan, ...] | None,
    in_key: bool = True,
) -> Fitted:
    """The notes in range and key; on felt beats in the chord, if chords are followed, and elsewhere what rubs goes on.

    Between felt beats a note a semitone beside a tone of the chord stays where it goes on by step, as passing notes,
    neighbours and suspensions do; one that leaps away or comes again is moved to that tone.

    Args:
        notes: of a melody, one after another.
        request: where they stand.
        span: range.
        spans: chords that are followed; None for none.
        in_key: whether notes outside the key move into it.
    """
    if not len(notes):
        return Fitted(notes, 0)
    notes = notes.copy()
    snapped = 0
    if in_key:
        notes["pitch"] = _transposed(notes["pitch"].astype(int), request.key)
    # Continuing itself a network may climb, sink or leap from phrase to phrase; whole octaves bring it back to the
    # middle of the range, and near to where the phrase before ended.
    history, line = request.history, notes["pitch"].astype(float)
    shifts = 12 * np.arange(-3, 4)
    cost = np.abs(line.mean() + shifts - (span.low + span.high) / 2) + 0.1 * np.abs(shifts)
    if history is not None and len(history.notes):
        cost += 0.3 * np.abs(line[0] + shifts - float(history.notes["pitch"][-1]))
    moved = line.astype(int) + shifts[int(np.argmin(cost))]
    moved = endings.fold(moved, span)
    if in_key:
        free = _free(moved, notes["start"], spans, request.key)
        snapped = int(np.count_nonzero(~free))
        moved = np.where(free, moved, endings.into_key(moved, request.key, span))
    notes["pitch"] = _singable(moved, span)
    return Fitted(notes if spans is None else on_chords(notes, request, span, spans), snapped)


def on_chords(notes: np.ndarray, request: Request, span: PitchRange, spans: tuple[ChordSpan, ...]) -> np.ndarray:
    """The notes in range, on felt beats in the chord, and elsewhere what rubs goes on; see `fitted_melody`."""
    notes = notes.copy()
    notes["pitch"] = endings.fold(notes["pitch"], span)
    strong = accent_at(request.meter, notes["start"]) >= 0.6
    # From the end, since where a note goes to is what the one after it has become.
    for place in reversed(range(len(notes))):
        tones = harmony.tones_of(harmony.span_at(spans, float(notes["start"][place])), request.key)
        if strong[place] or _unresolved(notes, place, tones):
            notes["pitch"][place] = endings.nearest_tone(int(notes["pitch"][place]), tones, span)
    return notes


def _unresolved(notes: np.ndarray, place: int, tones: tuple[int, ...]) -> bool:
    """Whether a note rubs against a tone of its chord, a semitone beside it, and does not go on by step, soon."""
    pitch = int(notes["pitch"][place])
    if pitch % 12 in tones or not ({(pitch - 1) % 12, (pitch + 1) % 12} & set(tones)):
        return False
    if place + 1 == len(notes):
        return True
    wait = notes["start"][place + 1] - notes["start"][place]
    return bool(not 1 <= abs(int(notes["pitch"][place + 1]) - pitch) <= 2 or wait > _SOON)


def _transposed(pitches: np.ndarray, key: Key) -> np.ndarray:
    """Pitches [n] of a network that knows no key, moved all together where that brings far more of them into it.

    What it goes on from is in the key, so that this is for networks that have wandered off.
    """
    shifts = np.array(sorted(range(-5, 7), key=lambda shift: (abs(shift), shift)))
    foreign = np.array([sum((int(pitch) + shift) % 12 not in key.scale for pitch in pitches) for shift in shifts])
    best = int(np.argmin(foreign))
    return pitches + shifts[best] if foreign[0] - foreign[best] >= max(3, 0.3 * len(pitches)) else pitches


def _free(pitches: np.ndarray, starts: np.ndarray, spans: tuple[ChordSpan, ...] | None, key: Key) -> np.ndarray:
    """Which pitches [n] may stay: those of the key, of the chord that holds, and leading notes that go to the tonic."""
    led = leading_notes(key)
    found = np.array([int(pitch) in key for pitch in pitches], bool)
    for place in np.flatnonzero(~found):
        pitch = int(pitches[place])
        chord = harmony.chord_at(spans, float(starts[place])) if spans else None
        rises = place + 1 < len(pitches) and int(pitches[place + 1]) == pitch + 1
        found[place] = (chord is not None and pitch in chord) or (pitch % 12 in led and rises)
    return found


def _singable(pitches: np.ndarray, span: PitchRange) -> np.ndarray:
    """Pitches [n] without leaps of a seventh and more (octaves are fine): such a note moves by an octave, nearer."""
    sung = pitches.astype(int).tolist()
    for place in range(1, len(sung)):
        before = sung[place - 1]
        leap = sung[place] - before
        nearer = sung[place] - 12 if leap > 0 else sung[place] + 12
        if abs(leap) > 9 and abs(leap) != 12 and span.low <= nearer <= span.high:
            sung[place] = nearer
    return np.array(sung, int)


def on_rhythm(notes: np.ndarray, request: Request) -> np.ndarray:
    """The notes with their starts on the nearest onsets of the part whose rhythm is followed, one on each."""
    source = request.sources.get(Link.RHYTHM)
    if source is None or not len(source.notes) or not len(notes):
        return notes
    onsets = onset_steps(source, round(request.beats * STEPS_PER_BEAT)) / STEPS_PER_BEAT
    if not len(onsets):
        return notes
    nearest = np.argmin(np.abs(notes["start"][:, None] - onsets[None]), axis=1)
    chosen, first = np.unique(nearest, return_index=True)
    moved = notes[first].copy()
    length = moved["end"] - moved["start"]
    moved["start"] = onsets[chosen]
    moved["end"] = np.minimum(moved["start"] + length, np.append(moved["start"][1:], request.beats))
    return moved


def kick_with(notes: np.ndarray, request: Request) -> np.ndarray:
    """The drums with their kick in the rhythm of the part that is followed.

    Kicks stay where that part has an onset; where it has one on a felt beat, a kick is added.
    """
    source = request.sources.get(Link.RHYTHM)
    if source is None or not len(source.notes):
        return notes
    onsets = onset_steps(source, round(request.beats * STEPS_PER_BEAT))
    strong = accents(request.meter)
    kicks = notes[notes["pitch"] == _KICK]
    struck = np.rint(kicks["start"] * STEPS_PER_BEAT).astype(int)
    kept = kicks[np.isin(struck, onsets)]
    missing = onsets[(strong[onsets % len(strong)] >= 0.6) & ~np.isin(onsets, struck)]
    added = np.zeros(len(missing), NOTE)
    added["start"], added["end"] = missing / STEPS_PER_BEAT, (missing + 1) / STEPS_PER_BEAT
    added["pitch"], added["velocity"] = _KICK, 80
    return np.concatenate([notes[notes["pitch"] != _KICK], kept, added])


def fitted_voices(notes: np.ndarray, request: Request, span: PitchRange, voices: int, in_key: bool) -> Fitted:
    """Several voices in range and key, no pitch twice at a time, and not more of them than wanted.

    All move by the same octaves, so that what sounds together keeps its order; of too many the inner ones are left out.

    Args:
        notes: array of `NOTE`, with any timing.
        request: where they stand.
        span: range.
        voices: notes that sound at once, at most.
        in_key: whether notes outside the key move into it.
    """
    if not len(notes):
        return Fitted(notes, 0)
    notes = in_order(notes)
    pitches = notes["pitch"].astype(int)
    pitches = endings.fold(_transposed(pitches, request.key) if in_key else pitches, span)
    snapped = 0
    if in_key:
        led = _led(notes, pitches, request.key)
        inside = np.where(led, pitches, endings.into_key(pitches, request.key, span))
        snapped = int(np.count_nonzero(inside != pitches))
        pitches = inside
    notes["pitch"] = pitches
    notes = _apart(notes)
    kept = np.ones(len(notes), bool)
    for place in range(len(notes)):
        start = notes["start"][place]
        while True:
            sounding = np.flatnonzero(kept & (notes["start"] <= start) & (notes["end"] > start + 1e-9))
            if len(sounding) <= voices:
                break
            order = sounding[np.argsort(notes["pitch"][sounding], kind="stable")]
            # One voice is the top; with more, bass and top stay, and the one in the middle goes.
            kept[order[0] if voices == 1 else order[len(order) // 2]] = False
    return Fitted(notes[kept], snapped)


def _led(notes: np.ndarray, pitches: np.ndarray, key: Key) -> np.ndarray:
    """Which of some notes [n] in any number of voices are leading notes that the tonic above follows."""
    led = np.isin(pitches % 12, leading_notes(key))
    for place in np.flatnonzero(led):
        wait = notes["start"] - notes["end"][place]
        led[place] = bool(np.any((np.abs(wait) <= 0.5) & (pitches == pitches[place] + 1)))
    return led


def _apart(notes: np.ndarray) -> np.ndarray:
    """Notes by start, in which none sounds on when its pitch begins again."""
    last: dict[int, int] = {}
    kept = np.ones(len(notes), bool)
    for place, pitch in enumerate(notes["pitch"].tolist()):
        before = last.get(pitch)
        if before is not None and notes["end"][before] > notes["start"][place]:
            if notes["start"][place] - notes["start"][before] < _SHORTEST:
                notes["end"][before] = max(notes["end"][before], notes["end"][place])
                kept[place] = False
                continue
            notes["end"][before] = notes["start"][place]
        last[pitch] = place
    return notes[kept]
