"""Keys, collections, chord runs and cadences of hours of notes."""

# pyright: strict

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.generators.harmony import heard
from engine.score.harmony.chords import Chord, parse_chord
from engine.score.phrase import NOTE, Origin, Phrase, Provenance
from engine.score.time import Meter
from tests.proofs.hours.notes import PartInBar

WINDOW = 20.0
"""Seconds in which a collection of seven pitch classes is looked for."""

DIATONIC = (0, 2, 4, 5, 7, 9, 11)
COLLECTIONS = tuple(frozenset((root + step) % 12 for step in DIATONIC) for root in range(12))


@dataclass(frozen=True, slots=True)
class Keys:
    """How keys are heard.

    Attributes:
        windows: median share of the notes of 20 s in the collection that fits them best.
        whole: the same of everything.
        collections: share of windows that each collection (by its major tonic) fits best.
        apart: the largest total variation of pitch classes between two keys of the plan.
    """

    windows: float
    whole: float
    collections: dict[int, float]
    apart: float


def keys(rows: Sequence[PartInBar], drums: Iterable[str] = ()) -> Keys:
    """How keys are heard; parts of `drums` do not count."""
    without = set(drums)
    by_window: dict[int, Counter[int]] = defaultdict(Counter)
    by_key: dict[str, Counter[int]] = defaultdict(Counter)
    for row in rows:
        if row.heard and row.part not in without:
            for start, end, pitch, _ in row.notes:
                second = row.t + start * 60 / row.qpm
                by_window[int(second // WINDOW)][pitch % 12] += 1
                by_key[row.key][pitch % 12] += max(1, round((end - start) * 4))
    fits = [(*_best(counts), counts) for counts in by_window.values() if sum(counts.values()) >= 8]
    chosen = Counter(which for _, which, _ in fits)
    total: Counter[int] = Counter()
    for counts in by_window.values():
        total.update(counts)
    return Keys(
        windows=float(np.median([fit for fit, _, _ in fits])) if fits else 0.0,
        whole=_best(total)[0],
        collections={which: number / len(fits) for which, number in chosen.most_common()},
        apart=max(
            (_apart(a, b) for a, b in itertools.combinations(by_key.values(), 2)),
            default=0.0,
        ),
    )


def _best(counts: Counter[int]) -> tuple[float, int]:
    total = max(1, sum(counts.values()))
    shares = [sum(counts[pitch] for pitch in collection) / total for collection in COLLECTIONS]
    best = int(np.argmax(shares))
    return shares[best], best


def _apart(one: Counter[int], other: Counter[int]) -> float:
    a = np.array([one[pitch] for pitch in range(12)], float)
    b = np.array([other[pitch] for pitch in range(12)], float)
    return float(np.abs(a / max(1, a.sum()) - b / max(1, b.sum())).sum() / 2)


def chord_changes(rows: Iterable[PartInBar], part: str) -> list[tuple[float, str]]:
    """(beat, chord) of a part, where it changes."""
    found: list[tuple[float, str]] = []
    for row in rows:
        if row.part == part and row.heard:
            for start, _, name in row.chords:
                if not found or found[-1][1] != name:
                    found.append((row.bar * row.beats + start, name))
    return found


def chord_runs_again(changes: Sequence[tuple[float, str]], span: float = 128.0) -> float:
    """Share of runs of four chords that were heard within `span` beats before."""
    last: dict[tuple[str, ...], float] = {}
    again = runs = 0
    for place in range(len(changes) - 3):
        run = tuple(name for _, name in changes[place : place + 4])
        now = changes[place][0]
        again += run in last and now - last[run] <= span
        runs += 1
        last[run] = now
    return again / max(1, runs)


def cadences(rows: Sequence[PartInBar], part: str) -> tuple[float, float]:
    """Shares of bars whose chords close (authentic, plagal, half): at ends of eight bars of a pass, and elsewhere."""
    ends: list[bool] = []
    others: list[bool] = []
    before: Chord | None = None
    for row in rows:
        if row.part != part or not row.heard or not (found := _chords_in(row)):
            continue
        chords = [before, *found]
        tonic = _tonic(row.key)
        closed = _closes(chords[-2], chords[-1], tonic)
        (ends if row.pb % 8 == 7 else others).append(closed)
        before = chords[-1]
    return float(np.mean(ends)) if ends else 0.0, float(np.mean(others)) if others else 0.0


def _chords_in(row: PartInBar) -> list[Chord | None]:
    """The chords that are meant in a bar, or else, of a network that means none, those that its notes make."""
    if row.chords:
        return [parse_chord(name) for _, _, name in row.chords]
    made = Phrase.of(np.array([*row.notes], NOTE), row.beats, Provenance("", Origin.NETWORK))
    return [span.chord for span in heard(made, Meter(round(row.beats), 4), row.beats)]


def _tonic(key: str) -> int:
    chord = parse_chord(key.split()[0])
    return chord.root if chord is not None else 0


def _closes(before: Chord | None, last: Chord | None, tonic: int) -> bool:
    """V-I, IV-I, or anything to V."""
    if last is None or before is None or before.root == last.root:
        return False
    degree, came = (last.root - tonic) % 12, (before.root - tonic) % 12
    return (degree == 0 and came in (7, 5)) or degree == 7


def tonic_in_bass_at_ends(rows: Sequence[PartInBar], drums: Iterable[str] = ()) -> float:
    """Share of passes whose lowest note that sounds at their end, whenever it began, is the tonic of their key."""
    without = set(drums)
    lowest: dict[int, tuple[int, int]] = {}
    for row in rows:
        if row.heard and row.part not in without:
            left = (row.pn - row.pb) * row.beats
            sounding = [pitch for _, end, pitch, _ in row.notes if end >= left - 0.5]
            if sounding:
                lowest[row.ps] = min(lowest.get(row.ps, (999, 0)), (min(sounding), _tonic(row.key)))
    return float(np.mean([pitch % 12 == tonic for pitch, tonic in lowest.values()])) if lowest else 0.0
