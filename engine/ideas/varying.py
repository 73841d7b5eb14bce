# pyright: strict
"""Ideas in another place: other keys, other registers, and the variations of `Variation`. Notes in, notes out.

The methods are those of any book on counterpoint and form; nothing is drawn that is not given a source of chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.ideas.idea import Idea, IdeaKind, TakenUp, Variation
from engine.score.harmony.chords import Chord
from engine.score.harmony.keys import Key
from engine.score.phrase import ChordSpan, in_order
from engine.score.time import STEPS_PER_BEAT

_STEP = 1.0 / STEPS_PER_BEAT
_REAL = (5, 7, -5, -7)
"""Semitones of a real transposition: interval for interval, and mostly within the key."""


def shift_between(one: Key, other: Key) -> int:
    """Semitones -6..5 that bring music of one key into another, interval for interval.

    Of all transpositions it is the one that leaves the fewest notes of the scale outside the other: none between modes
    of one kind (A minor to C major: 0). Of equally good ones the tonics' distance is taken if it is one of
    them, else the smallest.
    """

    def cost(shift: int) -> tuple[int, bool, int]:
        outside = sum((pitch + shift) % 12 not in other.scale for pitch in one.scale)
        return outside, shift % 12 != (other.tonic - one.tonic) % 12 and one.mode == other.mode, abs(shift)

    return min(range(-6, 6), key=cost)


def varied(taken: TakenUp, key: Key, rng: np.random.Generator) -> np.ndarray:
    """The notes of an idea that is taken up, in another key and varied: array [n] of `NOTE`.

    They begin within the idea's length (twice that if augmented, half of it if diminished), in no particular range.
    """
    idea = taken.idea
    notes = idea.phrase.notes.copy()
    if idea.kind is IdeaKind.GROOVE:
        return _thinned(notes, taken.amount, rng) if taken.variation is Variation.THINNED else notes
    notes["pitch"] = np.clip(notes["pitch"] + shift_between(idea.key, key), 0, 127)
    variation = taken.variation
    if variation is Variation.TRANSPOSED:
        notes["pitch"] = _real(notes["pitch"], key, rng)
    elif variation is Variation.SEQUENCE:
        notes["pitch"] = by_steps(notes["pitch"], int(rng.choice([-2, -1, 1, 2, 3])), key)
    elif variation is Variation.INVERTED:
        notes["pitch"] = _inverted(notes["pitch"], key)
    elif variation is Variation.THINNED:
        notes = _thinned(notes, taken.amount, rng)
    elif variation is Variation.AUGMENTED:
        notes["start"], notes["end"] = notes["start"] * 2, notes["end"] * 2
    elif variation is Variation.DIMINISHED:
        notes["start"], notes["end"] = notes["start"] / 2, notes["end"] / 2
    elif variation is Variation.ENDING:
        notes = _other_end(notes, idea.phrase.length, key, rng)
    elif taken.other is not None:
        notes = _half_way(notes, taken.other, idea.phrase.length, key)
    return in_order(notes)


def length_of(taken: TakenUp) -> float:
    """Beats of an idea after its variation."""
    factor = {Variation.AUGMENTED: 2.0, Variation.DIMINISHED: 0.5}.get(taken.variation, 1.0)
    return taken.idea.phrase.length * factor


def chords_of(idea: Idea, key: Key) -> tuple[ChordSpan, ...]:
    """The progression of an idea in another key; of another mode, too, where none of its chords lies in that."""
    shift = shift_between(idea.key, key)
    return tuple(
        ChordSpan(span.start, span.end, span.chord.transposed(shift), span.written) for span in idea.phrase.chords
    )


def settled(notes: np.ndarray, spans: Sequence[ChordSpan], accents: np.ndarray, key: Key) -> tuple[np.ndarray, int]:
    """The notes with those moved that would rub against the harmony, and how many were.

    Only notes on felt beats that last a beat and clash are moved, each to the nearest tone of the chord: an
    appoggiatura is music, a held semitone against the chord is a mistake. The last resort; intervals are lost by it.

    Args:
        notes: of a melody.
        spans: chords under it; none leaves it as it is.
        accents: metrical weight 0..1 of each note.
        key: notes outside it that no chord has move into it.
    """
    notes = notes.copy()
    count = 0
    for place, (start, end, pitch, _) in enumerate(notes.tolist()):
        chord = _chord_at(spans, start)
        inside = chord is not None and pitch in chord
        clash = chord is not None and not inside and (pitch - 1) in chord and accents[place] >= 0.6 and end - start >= 1
        if clash or (pitch not in key and not inside):
            allowed = chord.pitch_classes if clash and chord is not None else key.scale
            options = [option for distance in range(6) for option in (pitch - distance, pitch + distance)]
            notes["pitch"][place] = next((one for one in options if one % 12 in allowed and 0 <= one <= 127), pitch)
            count += 1
    return notes, count


def _chord_at(spans: Sequence[ChordSpan], beat: float) -> Chord | None:
    for span in reversed(spans):
        if span.start <= beat + 1e-9:
            return span.chord
    return None


def _real(pitches: np.ndarray, key: Key, rng: np.random.Generator) -> np.ndarray:
    """Pitches transposed interval for interval, by one of the intervals that leave the fewest outside the key."""
    outside = [sum(int(pitch) not in key for pitch in _by(pitches, shift)) for shift in _REAL]
    best = [shift for shift, count in zip(_REAL, outside, strict=True) if count == min(outside)]
    return _by(pitches, best[int(rng.integers(len(best)))])


def _by(pitches: np.ndarray, semitones: int) -> np.ndarray:
    return np.clip(pitches.astype(int) + semitones, 0, 127)


def _index(pitch: int, key: Key) -> tuple[int, int]:
    """A pitch as the number of a scale step, counted from pitch 0 upwards, and semitones above it."""
    scale = sorted(key.scale)
    below = next((step for step in range(12) if (pitch - step) % 12 in scale), 0)
    return (pitch - below) // 12 * len(scale) + scale.index((pitch - below) % 12), below


def _pitch(index: int, key: Key) -> int:
    scale = sorted(key.scale)
    return index // len(scale) * 12 + scale[index % len(scale)]


def by_steps(pitches: np.ndarray, steps: int, key: Key) -> np.ndarray:
    """Pitches so many steps of the key higher; what lies between two steps stays between them."""
    found = [(_index(int(pitch), key)) for pitch in pitches]
    return np.clip(np.array([_pitch(index + steps, key) + above for index, above in found], int), 0, 127)


def _inverted(pitches: np.ndarray, key: Key) -> np.ndarray:
    """Pitches turned upside down within the key, around the first."""
    return _around(_index(int(pitches[0]), key)[0], pitches, key) if len(pitches) else pitches


def mirrored(pitches: np.ndarray, key: Key) -> np.ndarray:
    """Pitches turned upside down within the key, around the tonic nearest to middle C, wherever they begin."""
    tonic = min(range(54, 67), key=lambda pitch: (pitch % 12 != key.tonic, abs(pitch - 60)))
    return _around(_index(tonic, key)[0], pitches, key)


def _around(axis: int, pitches: np.ndarray, key: Key) -> np.ndarray:
    found = [_index(int(pitch), key)[0] for pitch in pitches]
    return np.clip(np.array([_pitch(2 * axis - index, key) for index in found], int), 0, 127)


def _thinned(notes: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """The notes without some of those that fall on no beat; the ones before last until the next."""
    share = 0.2 + 0.6 * amount
    light = np.abs(notes["start"] - np.round(notes["start"])) > _STEP / 2
    dropped = light & (rng.random(len(notes)) < share)
    kept = notes[~dropped] if (~dropped).sum() >= 2 else notes
    return kept.copy()


def _half_way(notes: np.ndarray, other: Idea, length: float, key: Key) -> np.ndarray:
    """The first half of an idea, and what another one has after that time."""
    later = other.phrase.notes[other.phrase.notes["start"] >= length / 2].copy()
    later = later[later["start"] < length]
    later["pitch"] = np.clip(later["pitch"] + shift_between(other.key, key), 0, 127)
    return np.concatenate([notes[notes["start"] < length / 2], later])


def _other_end(notes: np.ndarray, length: float, key: Key, rng: np.random.Generator) -> np.ndarray:
    """The notes with another end: from the last quarter on they go the other way, or step on higher or lower."""
    tail = notes["start"] >= length * 0.7
    if not tail.any() or tail.all():
        return notes
    notes = notes.copy()
    if rng.random() < 0.5:
        notes["pitch"][tail] = _inverted(notes["pitch"][tail], key)
    else:
        notes["pitch"][tail] = by_steps(notes["pitch"][tail], int(rng.choice([-2, -1, 1, 2])), key)
    return notes
