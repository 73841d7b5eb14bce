# pyright: strict
"""Phrases: some bars of notes, and where they came from. The one currency between generators, conductor and sound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import cast

import numpy as np

from engine.score.harmony.chords import Chord

NOTE = np.dtype([("start", "f8"), ("end", "f8"), ("pitch", "i2"), ("velocity", "u1")])
"""A note: start and end in beats from the start of the phrase, MIDI pitch, velocity 1..127."""


LAST = 1e-6
"""Beats before its end at which the last note of a phrase may start: closer, and it counts as on the next bar line."""


class Origin(StrEnum):
    """Who made a phrase."""

    NETWORK = "network"
    RULES = "rules"
    OPENING = "opening"  # rules, as planned, while networks load
    FALLBACK = "fallback"  # rules, because a generator failed or came too late


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a phrase came from.

    Attributes:
        generator: kind of the generator ("melody_rnn").
        origin: network, rules, opening or fallback.
        seed: the seed that it was made with.
        reason: why a fallback took over; empty otherwise.
        theme: that it takes up, by name; empty where it is free.
        variation: what becomes of the theme in it ("exact", "inverted", ...); empty where it is free.
        idea: digest of the idea that was taken up; empty where it is free.
        snapped: notes of a network that had to be moved into the key, since it had left it.
        chosen: which of the phrases that the network made for it was taken, counted from 0.
        scores: of each of these, 0..1; empty where there was one alone.
        qualities: of the one that was taken, by name, 0..1.
    """

    generator: str
    origin: Origin
    seed: int = 0
    reason: str = ""
    theme: str = ""
    variation: str = ""
    idea: str = ""
    snapped: int = 0
    chosen: int = 0
    scores: tuple[float, ...] = ()
    qualities: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord that holds from start to end (beats from the start of the phrase).

    Attributes:
        start, end: beats.
        chord: what holds.
        written: by the author of the scene, or borrowed from another key, so that it counts more than the key does.
    """

    start: float
    end: float
    chord: Chord
    written: bool = False

    def moved(self, beats: float) -> ChordSpan:
        """The chord later by some beats."""
        return replace(self, start=self.start + beats, end=self.end + beats)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Notes within some bars.

    Attributes:
        notes: array [n] of `NOTE`, sorted by (start, pitch), read-only. Starts lie in [0, length); an end may lie
            beyond the length (the note rings on).
        length: in beats.
        chords: chords that the generator meant, if it thinks in chords; others are read from the notes when needed.
        provenance: where it came from.
    """

    notes: np.ndarray
    length: float
    provenance: Provenance
    chords: tuple[ChordSpan, ...] = field(default=())

    @classmethod
    def of(
        cls,
        notes: Iterable[tuple[float, float, int, int]] | np.ndarray,
        length: float,
        provenance: Provenance,
        chords: Iterable[ChordSpan] = (),
    ) -> Phrase:
        """Make a phrase of notes in any order; each is (start, end, pitch, velocity).

        Raises:
            ValueError: a note is not finite, has no length, starts outside the phrase, or is outside MIDI's ranges.
        """
        array = cast("np.ndarray", notes).astype(NOTE) if isinstance(notes, np.ndarray) else _note_array(notes)
        array = in_order(array)
        check_notes(array, length)
        array.setflags(write=False)
        return cls(array, float(length), provenance, tuple(chords))

    @classmethod
    def empty(cls, length: float, provenance: Provenance) -> Phrase:
        """A rest."""
        return cls.of((), length, provenance)

    def with_notes(self, notes: Iterable[tuple[float, float, int, int]] | np.ndarray) -> Phrase:
        """The same phrase with other notes."""
        return Phrase.of(notes, self.length, self.provenance, self.chords)

    def with_provenance(self, provenance: Provenance) -> Phrase:
        """The same phrase, from elsewhere."""
        return replace(self, provenance=provenance)

    def slice(self, start: float, end: float) -> Phrase:
        """The part of it between two beats, moved to begin at 0; only notes that start inside."""
        inside, spans = notes_between(self.notes, start, end), chords_between(self.chords, start, end)
        return Phrase.of(inside, end - start, self.provenance, spans)

    @staticmethod
    def concatenate(phrases: Iterable[Phrase]) -> Phrase:
        """Phrases one after another as one phrase (with the provenance of the last).

        Raises:
            ValueError: there is none.
        """
        parts = list(phrases)
        if not parts:
            raise ValueError("nothing to concatenate")
        notes: list[np.ndarray] = []
        spans: list[ChordSpan] = []
        offset = 0.0
        for part in parts:
            notes.append(moved(part.notes, offset))
            spans += [span.moved(offset) for span in part.chords]
            offset += part.length
        return Phrase.of(np.concatenate(notes), offset, parts[-1].provenance, spans)


def _note_array(notes: Iterable[tuple[float, float, int, int]]) -> np.ndarray:
    rows = list(notes)
    array = np.zeros(len(rows), NOTE)
    for place, row in enumerate(rows):
        array[place] = tuple(row)
    return array


def in_order(notes: np.ndarray) -> np.ndarray:
    """Notes sorted by start and pitch."""
    return notes[np.lexsort((notes["pitch"], notes["start"]))]


def moved(notes: np.ndarray, beats: float | np.ndarray) -> np.ndarray:
    """The notes later by some beats, all by the same or each by its own."""
    later = notes.copy()
    later["start"] += beats
    later["end"] += beats
    return later


def notes_between(notes: np.ndarray, start: float, end: float) -> np.ndarray:
    """The notes that begin between two beats (the later one is outside), in beats from the first."""
    begin = notes["start"]
    # Rounding may put a beginning just before the beat; what has ended there, too, would be a note without length.
    inside = moved(notes[(begin >= start - 1e-9) & (begin < end - 1e-9) & (notes["end"] > start)], -start)
    inside["start"] = np.maximum(inside["start"], 0.0)
    return inside


def chords_between(spans: Iterable[ChordSpan], start: float, end: float) -> tuple[ChordSpan, ...]:
    """The chords that hold between two beats, cut there, in beats from the first."""
    return tuple(
        replace(span, start=max(span.start, start) - start, end=min(span.end, end) - start)
        for span in spans
        if span.start < end and span.end > start
    )


def check_notes(notes: np.ndarray, length: float) -> None:
    """Refuse notes that could not be played.

    Raises:
        ValueError: says which note and why.
    """
    if not (np.isfinite(length) and length > 0):
        raise ValueError(f"a phrase needs a positive length, got {length}")
    finite = np.isfinite(notes["start"]) & np.isfinite(notes["end"])
    rules = (
        (finite, "has a start or end that is not finite"),
        ((notes["start"] >= 0) & (notes["start"] < length), f"starts outside the phrase of {length} beats"),
        (notes["end"] > notes["start"], "has no length"),
        ((notes["pitch"] >= 0) & (notes["pitch"] <= 127), "has a pitch outside 0..127"),
        ((notes["velocity"] >= 1) & (notes["velocity"] <= 127), "has a velocity outside 1..127"),
    )
    for good, problem in rules:
        if not good.all():
            place = int(np.flatnonzero(~good)[0])
            raise ValueError(f"note {place} {notes[place]} {problem}")
