"""Harmony for generators: the chords under a phrase, which chords a scale has, and how they follow one another."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace

import numpy as np

from engine.generators.chance import pick
from engine.generators.contract import Link, Request
from engine.generators.pulse import strong_pulses
from engine.score.harmony.chords import QUALITIES, Chord, diatonic, recognise
from engine.score.harmony.keys import Key
from engine.score.phrase import ChordSpan, Phrase
from engine.score.time import STEPS_PER_BEAT, Meter

# How likely the chord on a degree (columns, 0 = tonic) follows the one on another (rows). Drawn up by ear after what
# common-practice and modal songs do: falling fifths, rising seconds, falling thirds; each mode leans on the degrees
# that make its colour (IV of dorian, II of lydian, VII of mixolydian, II of phrygian).
_MOTION: dict[str, tuple[tuple[int, ...], ...]] = {
    "major": (
        (0, 3, 2, 6, 4, 5, 0),
        (1, 0, 1, 1, 7, 2, 0),
        (0, 1, 0, 4, 1, 5, 0),
        (5, 3, 1, 0, 5, 3, 0),
        (6, 1, 1, 2, 0, 5, 0),
        (1, 4, 2, 6, 3, 0, 0),
        (5, 0, 2, 0, 0, 2, 0),
    ),
    "minor": (
        (0, 0, 3, 4, 2, 6, 4),
        (2, 0, 0, 1, 5, 0, 1),
        (2, 0, 0, 3, 0, 5, 4),
        (5, 0, 1, 0, 3, 2, 3),
        (6, 0, 0, 3, 0, 4, 0),
        (2, 0, 4, 3, 1, 0, 5),
        (5, 0, 4, 1, 0, 5, 0),
    ),
    "dorian": (
        (0, 2, 3, 6, 2, 0, 5),
        (3, 0, 1, 2, 4, 0, 2),
        (3, 2, 0, 4, 0, 0, 3),
        (6, 1, 2, 0, 1, 0, 4),
        (5, 1, 0, 3, 0, 0, 2),
        (2, 1, 1, 1, 1, 0, 1),
        (5, 0, 3, 5, 0, 0, 0),
    ),
    "phrygian": (
        (0, 7, 3, 2, 0, 3, 4),
        (7, 0, 2, 1, 0, 2, 3),
        (3, 4, 0, 2, 0, 3, 2),
        (5, 2, 1, 0, 0, 2, 2),
        (4, 2, 1, 1, 0, 1, 1),
        (3, 3, 2, 2, 0, 0, 3),
        (5, 3, 2, 0, 0, 3, 0),
    ),
    "lydian": (
        (0, 7, 2, 0, 3, 3, 2),
        (6, 0, 2, 0, 2, 3, 1),
        (2, 3, 0, 0, 1, 4, 1),
        (2, 2, 1, 0, 1, 1, 1),
        (5, 3, 1, 0, 0, 3, 0),
        (3, 5, 2, 0, 3, 0, 1),
        (3, 1, 3, 0, 1, 2, 0),
    ),
    "mixolydian": (
        (0, 2, 0, 5, 3, 2, 6),
        (3, 0, 0, 3, 3, 1, 3),
        (1, 1, 0, 2, 0, 2, 1),
        (6, 1, 0, 0, 2, 1, 5),
        (4, 1, 0, 4, 0, 2, 2),
        (1, 3, 0, 4, 2, 0, 3),
        (5, 0, 0, 6, 1, 1, 0),
    ),
    "harmonic minor": (
        (0, 1, 0, 5, 4, 5, 0),
        (1, 0, 0, 0, 5, 0, 0),
        (1, 0, 0, 2, 0, 3, 0),
        (4, 1, 0, 0, 5, 1, 0),
        (7, 0, 0, 1, 0, 4, 0),
        (1, 1, 0, 4, 3, 0, 0),
        (5, 0, 0, 0, 1, 0, 0),
    ),
    "melodic minor": (
        (0, 3, 0, 5, 4, 0, 0),
        (2, 0, 0, 1, 5, 0, 0),
        (2, 1, 0, 3, 1, 0, 0),
        (5, 1, 0, 0, 4, 0, 0),
        (7, 0, 0, 3, 0, 0, 0),
        (2, 1, 0, 1, 2, 0, 0),
        (5, 0, 0, 0, 1, 0, 0),
    ),
}
_MOTION |= {"ionian": _MOTION["major"], "aeolian": _MOTION["minor"], "locrian": _MOTION["phrygian"]}

# The degree that leads home at an ending, by mode, most usual first.
_BEFORE_HOME: dict[str, tuple[int, ...]] = {
    "major": (4, 3, 1),
    "ionian": (4, 3, 1),
    "minor": (6, 3, 4),
    "aeolian": (6, 3, 4),
    "dorian": (3, 6),
    "phrygian": (1, 6),
    "locrian": (1, 6),
    "lydian": (1, 4),
    "mixolydian": (6, 3),
    "harmonic minor": (4,),
    "melodic minor": (4, 3),
}

# Semitones from one root up to the next, by how well it goes, for scales without seven degrees.
_ROOT_MOTION = {5: 5.0, 7: 4.0, 9: 4.0, 8: 3.0, 3: 3.0, 4: 2.0, 2: 3.0, 10: 3.0}

_PLAIN = ("", "m", "sus4", "sus2", "5", "aug", "dim")
"""Qualities of an uncoloured chord, preferred first."""
_EXPLAINED = 0.85
"""Share of a bar's sound that a chord must have to be the chord of the whole bar."""
_HEARD = 0.25
"""Beats behind a line at which what was struck with it sounds, and what was struck before does no more."""
_COLOURS = {
    "add9": 4.0,
    "m(add9)": 4.0,
    "sus2": 3.0,
    "maj7": 3.0,
    "m7": 4.0,
    "6": 1.5,
    "sus4": 1.0,
    "7": 1.0,
    "m6": 0.5,
}


@functools.cache
def chords_of(key: Key) -> tuple[tuple[Chord, ...], ...]:
    """The chords that lie within a key's scale, one row per degree, plain ones first; a degree may have none.

    The chromatic scale counts as major: a walk through all chords is no key.
    """
    if key.mode == "chromatic":
        key = Key(key.tonic, "major")
    scale = set(key.scale)
    ranks = {quality: place for place, quality in enumerate(dict.fromkeys((*_PLAIN, *_COLOURS)))}
    rows = []
    for root in key.scale:
        inside = [Chord(root, q) for q in QUALITIES if q in ranks and set(Chord(root, q).pitch_classes) <= scale]
        rows.append(tuple(sorted(inside, key=lambda chord: ranks[chord.quality])))
    if not any(rows):
        rows = [(diatonic(key, degree),) for degree in range(len(key.scale))]
    return tuple(rows)


@functools.cache
def motion(key: Key) -> np.ndarray:
    """Weights [degrees, degrees] of going from one degree (row) to the next (column) in a key."""
    rows = chords_of(key)
    count = len(rows)
    table = _MOTION.get("major" if key.mode == "chromatic" else key.mode)
    if table is None:
        scale = key.scale
        weights = np.array([[_ROOT_MOTION.get((b - a) % 12, 1.0) for b in scale] for a in scale])
        # Without leading notes the tonic needs to be named more often to be felt as home.
        weights[:, 0] *= 1.6
    else:
        weights = np.array(table, float)
    weights = weights.copy()
    for degree in range(count):
        weights[degree, degree] = 0.0
        if not rows[degree]:
            weights[:, degree] = 0.0
    weights.setflags(write=False)
    return weights


def leads_home(key: Key) -> tuple[int, ...]:
    """Degrees that go before the tonic at an ending, most usual first; only such as have chords."""
    rows = chords_of(key)
    found = _BEFORE_HOME.get("major" if key.mode == "chromatic" else key.mode)
    if found is None:
        scale = key.scale
        by_fifth = sorted(range(1, len(rows)), key=lambda d: -_ROOT_MOTION.get((scale[0] - scale[d]) % 12, 1.0))
        found = tuple(by_fifth[:2])
    return tuple(degree for degree in found if rows[degree]) or (0,)


def degree_of(key: Key, chord: Chord) -> int:
    """Degree of a key whose root is nearest to a chord's (0 is the tonic), among degrees that have chords."""
    rows = chords_of(key)
    scale = key.scale if key.mode != "chromatic" else Key(key.tonic, "major").scale
    usable = [degree for degree in range(len(rows)) if rows[degree]]
    return min(usable, key=lambda d: min((scale[d] - chord.root) % 12, (chord.root - scale[d]) % 12))


def chord_on(key: Key, degree: int, colour: float, rng: np.random.Generator) -> Chord:
    """A chord on a degree, coloured with a chance of `colour` (0..1)."""
    row = chords_of(key)[degree]
    # A fourth above the tonic asks to be resolved; at home there is nothing to resolve to.
    coloured = [chord for chord in row if chord.quality in _COLOURS and (chord.quality != "sus4" or degree)]
    # A draw is made in any case, so that the colour setting does not change the walk.
    chance, which = rng.random(), rng.random()
    if coloured and chance < colour:
        weights = np.cumsum([_COLOURS[chord.quality] for chord in coloured])
        return coloured[min(int(np.searchsorted(weights, which * weights[-1], side="right")), len(coloured) - 1)]
    return row[0]


def walk_on(
    key: Key, degree: int, rng: np.random.Generator, toward: int | None = None, avoid: int | None = None
) -> int:
    """The degree after `degree`.

    Args:
        key: the key.
        degree: where the walk stands.
        rng: decides.
        toward: a degree that the step after this one wants to reach.
        avoid: a degree that has been there just before, and is less wanted.
    """
    weights = motion(key)[degree].copy()
    if toward is not None:
        weights *= motion(key)[:, toward] + 0.05
    if avoid is not None:
        weights[avoid] *= 0.35
    return pick(rng, range(len(weights)), weights)


def home(key: Key) -> Chord:
    """The plain chord on the tonic (on the first degree that has one, in scales whose tonic has none)."""
    return next(row[0] for row in chords_of(key) if row)


def chords_under(request: Request) -> tuple[ChordSpan, ...]:
    """The chords under a phrase, gapless from 0 to its end.

    They are those that the part taken as `chords` meant, or else those heard in its notes; without such a part the
    tonic chord.
    """
    source = request.sources.get(Link.CHORDS)
    spans: list[ChordSpan] = []
    if source is not None:
        spans = [span for span in source.chords if span.start < request.beats - 1e-9 and span.end > span.start]
        spans = spans or heard(source, request.meter, request.beats)
    return _gapless(spans, request.beats, home(request.key))


def heard(source: Phrase, meter: Meter, beats: float) -> list[ChordSpan]:
    """The chords that the notes of a phrase make: one a bar, or one for each half of a bar that no chord explains, or
    in the middle of which the lowest voice goes to the root of another chord.

    So a pad is heard bar by bar, and a chorale as its harmony moves: its last bar often goes from the dominant home.
    What is silent has none.
    """
    spans: list[ChordSpan] = []
    bar = meter.beats_per_bar
    halves = [step / STEPS_PER_BEAT for step in strong_pulses(meter)]
    for start in np.arange(0.0, beats - 1e-9, bar):
        end = float(min(start + bar, beats))
        chord, share = _chord_of(source.notes, float(start), end)
        lines = [*(float(start) + half for half in halves if start + half < end - 1e-9), end]
        if chord is not None and share >= _EXPLAINED and not _moves(source.notes, lines):
            spans.append(ChordSpan(float(start), end, chord))
            continue
        for left, right in itertools.pairwise(lines):
            chord, _ = _chord_of(source.notes, left, right)
            if chord is None:
                continue
            if left > start and spans and spans[-1].end == left and spans[-1].chord == chord:
                spans[-1] = replace(spans[-1], end=right)
            else:
                spans.append(ChordSpan(left, right, chord))
    return spans


def _moves(notes: np.ndarray, lines: list[float]) -> bool:
    """Whether several voices change the chord from line to line, the lowest each time to the root of what comes."""
    found = [_chord_of(notes, left, right) for left, right in itertools.pairwise(lines)]
    if len(found) < 2 or any(chord is None or share < _EXPLAINED for chord, share in found):
        return False
    roots = [chord.root for chord, _ in found if chord is not None]
    voices = [_sounding(notes, line + _HEARD) for line in lines[1:-1]]
    return all(
        one != other and len(pitches) > 1 and int(pitches.min()) % 12 == other
        for (one, other), pitches in zip(itertools.pairwise(roots), voices, strict=True)
    )


def _sounding(notes: np.ndarray, beat: float) -> np.ndarray:
    """The pitches [n] that sound at a beat."""
    return notes["pitch"][(notes["start"] <= beat) & (notes["end"] > beat)]


def _chord_of(notes: np.ndarray, start: float, end: float) -> tuple[Chord | None, float]:
    """The chord that sounds from one beat to another, None for silence; and its share of what sounds, 0..1."""
    sounding = np.minimum(notes["end"], end) - np.maximum(notes["start"], start)
    inside = sounding > 1e-9
    pitches, weights = notes["pitch"][inside], sounding[inside]
    chord = recognise(pitches, weights, int(pitches.min())) if len(pitches) else None
    if chord is None:
        return None, 0.0
    members = np.isin(pitches % 12, chord.pitch_classes)
    return chord, float(weights[members].sum() / weights.sum())


def _gapless(spans: list[ChordSpan], beats: float, otherwise: Chord) -> tuple[ChordSpan, ...]:
    if not spans:
        return (ChordSpan(0.0, beats, otherwise),)
    spans = sorted(spans, key=lambda span: span.start)
    starts = [0.0] + [span.start for span in spans[1:]]
    ends = [*starts[1:], beats]
    return tuple(
        replace(span, start=start, end=end) for start, end, span in zip(starts, ends, spans, strict=True) if end > start
    )


def chord_at(spans: tuple[ChordSpan, ...], beat: float) -> Chord:
    """The chord that holds at a beat."""
    return span_at(spans, beat).chord


def span_at(spans: tuple[ChordSpan, ...], beat: float) -> ChordSpan:
    """The chord that holds at a beat, and from when to when."""
    for span in reversed(spans):
        if span.start <= beat + 1e-9:
            return span
    return spans[0]


def until_foreign(spans: tuple[ChordSpan, ...], start: float, pitch: int, end: float) -> float:
    """The beat until which a held bass belongs to the chords above it: one that lies on clouds the next chord."""
    for span in spans:
        if start < span.start < end and pitch not in span.chord and pitch % 12 != span.chord.lowest:
            return max(span.start, start + 0.25)
    return end


def tones_in_key(chord: Chord, key: Key) -> tuple[int, ...]:
    """Pitch classes of a chord that lie in the key, root first if it does; the tonic where none does."""
    return tuple(pitch for pitch in chord.pitch_classes if pitch in key) or (key.tonic,)


def tones_of(span: ChordSpan, key: Key) -> tuple[int, ...]:
    """Pitch classes that belong to a chord, root first: of a written one all, of another those that lie in the key."""
    return span.chord.pitch_classes if span.written else tones_in_key(span.chord, key)


def scale_of(span: ChordSpan, key: Key) -> tuple[int, ...]:
    """Pitch classes of the key while a chord holds: a written one alters the degrees that it does not share."""
    return _altered(key, span.chord) if span.written else key.scale


@functools.cache
def _altered(key: Key, chord: Chord) -> tuple[int, ...]:
    """The scale of a key with the tones of a chord in the place of the nearest degrees (G# for G: E7 in A minor)."""
    scale = set(key.scale)
    tones = set(chord.pitch_classes)
    for tone in sorted(tones - scale):
        beside = [degree % 12 for degree in (tone - 1, tone + 1) if degree % 12 in scale - tones]
        scale.add(tone)
        if len(beside) == 2 or (len(beside) == 1 and len(scale) > 7):
            # The one whose loss leaves no hole in the scale, and rather another one than the tonic and its fifth.
            frame = (key.tonic, (key.tonic + 7) % 12)
            scale.remove(min(beside, key=lambda degree: (_widest(scale - {degree}), degree in frame, degree)))
    return tuple(sorted(scale, key=lambda pitch: (pitch - key.tonic) % 12))


def _widest(scale: set[int]) -> int:
    """Semitones of the widest step of a scale."""
    ordered = sorted(scale)
    return max((b - a) % 12 or 12 for a, b in zip(ordered, [*ordered[1:], ordered[0]], strict=True))
