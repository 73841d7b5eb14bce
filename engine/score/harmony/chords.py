# pyright: strict
"""Chords: their notes, their names, and reading them out of sounding notes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from engine.score.figures import intervals, split_figure
from engine.score.harmony.keys import Key

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "7": (0, 4, 7, 10),
    "m7b5": (0, 3, 6, 10),
    "add9": (0, 2, 4, 7),
    "m(add9)": (0, 2, 3, 7),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "5": (0, 7),
}
"""Semitones above the root, by the usual suffix of a lead sheet."""

_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


TRIADS = ("major", "minor", "augmented", "diminished")
"""Triads that a chord may stand on, in the order of Magenta's encodings."""


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord of a lead sheet.

    Attributes:
        root: pitch class 0..11.
        quality: one of `QUALITIES`, or any other suffix that `engine.score.figures.intervals` understands.
        bass: pitch class under the chord, where it is not the root.
    """

    root: int
    quality: str = ""
    bass: int | None = None

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """Pitch classes, root first; the bass is among them only if it is a tone of the chord."""
        return tuple((self.root + step) % 12 for step in self._steps)

    @property
    def _steps(self) -> tuple[int, ...]:
        return QUALITIES[self.quality] if self.quality in QUALITIES else intervals(self.quality)

    @property
    def lowest(self) -> int:
        """Pitch class of the bass."""
        return self.root if self.bass is None else self.bass

    @property
    def triad(self) -> str:
        """One of `TRIADS`, or "other" without a third or with another fifth ("C5", "Csus4", "C7b5")."""
        steps = set(self._steps)
        if {4, 7} <= steps:
            return "major"
        if {3, 7} <= steps:
            return "minor"
        if {4, 8} <= steps:
            return "augmented"
        return "diminished" if {3, 6} <= steps else "other"

    @property
    def name(self) -> str:
        """As on a lead sheet: "Dm7", "C/E"."""
        return _NAMES[self.root] + self.quality + ("" if self.bass is None else f"/{_NAMES[self.bass]}")

    def transposed(self, semitones: int) -> Chord:
        """The chord so many semitones higher."""
        bass = None if self.bass is None else (self.bass + semitones) % 12
        return replace(self, root=(self.root + semitones) % 12, bass=bass)

    def __contains__(self, pitch: int) -> bool:
        return pitch % 12 in self.pitch_classes


def parse_chord(figure: str) -> Chord | None:
    """Read a figure of a lead sheet, such as "Dm7", "F#m7b5", "C7(b9)/E", "G6/9"; None for "N.C.".

    Chords that have a name in `QUALITIES` get it, however they are spelled ("Cmin7" is "Cm7").

    Raises:
        ValueError: it is not understood.
    """
    if re.fullmatch(r"[A-G]?N\.?C\.?|N|no chord", figure.strip(), re.IGNORECASE):  # some write "CNC"
        return None
    root, suffix, bass = split_figure(figure)
    steps = intervals(suffix)
    for quality, members in QUALITIES.items():
        if set(members) == set(steps):
            suffix = quality
    return Chord(root, suffix, None if bass == root else bass)


def diatonic(key: Key, degree: int, seventh: bool = False) -> Chord:
    """The chord on a degree of a key (0 is the tonic), stacked in thirds of its scale, under the nearest known name.

    Modes without seven degrees borrow the major or minor scale that contains their third.
    """
    scale = key.scale
    if len(scale) != 7:
        parent = "minor" if (key.tonic + 3) % 12 in scale and (key.tonic + 4) % 12 not in scale else "major"
        scale = Key(key.tonic, parent).scale
    root = scale[degree % 7]
    steps = tuple((scale[(degree + k) % 7] - root) % 12 for k in ((0, 2, 4, 6) if seventh else (0, 2, 4)))
    for quality, members in QUALITIES.items():
        if members == steps:
            return Chord(root, quality)
    return diatonic(key, degree) if seventh else Chord(root, "5" if 7 in steps else "dim")


def recognise(pitches: np.ndarray, weights: np.ndarray, bass: int | None = None) -> Chord | None:
    """The chord that best explains some sounding notes, or None where there are none.

    Every root and quality is scored by the weight of the notes it contains, less the weight it leaves out and a
    little for chord tones that nobody plays; the lowest note speaks for being the root.

    Args:
        pitches: MIDI pitches [n].
        weights: how much each counts (sounding beats) [n].
        bass: the lowest sounding pitch, if known.
    """
    if len(pitches) == 0:
        return None
    profile = np.bincount(np.asarray(pitches, np.int64) % 12, weights=weights, minlength=12)
    total = profile.sum()
    if total <= 0:
        return None
    profile = profile / total
    best, best_score = None, -np.inf
    for root in range(12):
        for quality, steps in QUALITIES.items():
            members = [(root + step) % 12 for step in steps]
            covered = profile[members].sum()
            absent = sum(1 for member in members if profile[member] < 0.02)
            score = covered - (1.0 - covered) - 0.12 * absent + 0.05 * profile[root]
            if bass is not None and bass % 12 == root:
                score += 0.08
            if score > best_score + 1e-12:
                best, best_score = Chord(root, quality), score
    return best
