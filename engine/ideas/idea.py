# pyright: strict
"""Ideas: a few bars of one part that are worth coming back to, and what may be done with one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from engine.score.harmony.keys import Key
from engine.score.phrase import Phrase

IDEA_BARS = 4
"""Bars of an idea, at most."""

MOST_NOTES = 128
"""Notes of an idea, at most: what is denser is texture."""

FEWEST_NOTES, FEWEST_PITCHES, MOST_REPEATED = 6, 3, 0.5
"""Notes of a motif and different pitches in it, at least, and share of its notes that repeat the one before, at most:
nobody knows less again when it comes back."""


class IdeaKind(StrEnum):
    """What an idea is."""

    MOTIF = "motif"
    GROOVE = "groove"
    PROGRESSION = "progression"
    POINT = "point"


class Variation(StrEnum):
    """What becomes of an idea when it is taken up, from the nearest to the farthest."""

    EXACT = "exact"
    ENDING = "ending"  # another end
    TRANSPOSED = "transposed"  # by a fourth, a fifth: interval for interval
    THINNED = "thinned"
    SEQUENCE = "sequence"  # higher or lower within the key
    REHARMONISED = "reharmonised"  # its notes give way to other chords
    AUGMENTED = "augmented"  # twice as slow
    DIMINISHED = "diminished"  # twice as fast
    INVERTED = "inverted"
    TOWARDS = "towards"  # on its way to another idea


DISTANCES: dict[Variation, float] = {
    Variation.EXACT: 0.0,
    Variation.TRANSPOSED: 0.15,
    Variation.ENDING: 0.25,
    Variation.THINNED: 0.4,
    Variation.SEQUENCE: 0.45,
    Variation.REHARMONISED: 0.5,
    Variation.DIMINISHED: 0.65,
    Variation.AUGMENTED: 0.7,
    Variation.INVERTED: 0.85,
    Variation.TOWARDS: 1.0,
}
"""How far each leads away from the idea, 0..1."""


@dataclass(frozen=True, slots=True)
class Idea:
    """Some bars of one part.

    Attributes:
        kind: a progression has `phrase.chords`, a point neither chords nor notes: it is the place in a network's space
            at which a way that goes on through the performance was at `first_bar`. The others have notes.
        theme: that it states or varies.
        part: who played it; empty where the author wrote it.
        first_bar: where it was heard, counted from the start of the performance; 0 where the author wrote it.
        key: that it stood in.
        beats_per_bar: of its meter.
        phrase: whole bars, at most `IDEA_BARS`; its provenance says who made it.
    """

    kind: IdeaKind
    theme: str
    part: str
    first_bar: int
    key: Key
    beats_per_bar: float
    phrase: Phrase

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that no other notes, chords or key have."""
        digest = hashlib.blake2b(digest_size=8)
        where = self.first_bar if self.kind is IdeaKind.POINT else ""
        digest.update(f"{self.kind}{where}/{self.key}/{self.beats_per_bar}/{self.phrase.length}/".encode())
        digest.update(self.phrase.notes.tobytes())
        for span in self.phrase.chords:
            digest.update(f"{span.start}/{span.end}/{span.chord.name}/".encode())
        return digest.hexdigest()

    @property
    def bars(self) -> int:
        """Its length."""
        return max(1, round(self.phrase.length / self.beats_per_bar))


@dataclass(frozen=True, slots=True)
class TakenUp:
    """An idea that a phrase takes up, and how.

    Attributes:
        idea: as it was first heard, or as it is written.
        variation: what becomes of it.
        amount: how far it is to be varied, 0..1.
        other: where the variation is `TOWARDS`, the idea that it goes to.
    """

    idea: Idea
    variation: Variation = Variation.EXACT
    amount: float = 0.0
    other: Idea | None = None


def kind_of_role(role: str) -> IdeaKind:
    """What the ideas of a part are, by the role that it plays."""
    return {"drums": IdeaKind.GROOVE, "chords": IdeaKind.PROGRESSION}.get(role, IdeaKind.MOTIF)


def idea_of(
    phrase: Phrase, kind: IdeaKind, theme: str, part: str, first_bar: int, key: Key, beats_per_bar: float
) -> Idea | None:
    """The idea that a phrase begins with; None where there is none: silence, too few notes to be known again, or too
    many.

    Args:
        phrase: as its generator made it.
        kind: of idea.
        theme: that the form had then.
        part: who played it.
        first_bar: of the phrase.
        key: of these bars.
        beats_per_bar: of their meter.
    """
    bars = min(IDEA_BARS, int(phrase.length / beats_per_bar + 1e-6))
    if bars < 1:
        return None
    begin = phrase.slice(0.0, bars * beats_per_bar)
    if kind is IdeaKind.POINT:
        return (
            Idea(kind, theme, part, first_bar, key, beats_per_bar, begin.with_notes(())) if len(begin.notes) else None
        )
    if kind is IdeaKind.PROGRESSION:
        chords = phrase.with_notes(())
        return Idea(kind, theme, part, first_bar, key, beats_per_bar, chords) if len(phrase.chords) > 1 else None
    known_again = len(begin.notes) >= 2 if kind is IdeaKind.GROOVE else _is_known_again(begin.notes)
    if not known_again or len(begin.notes) > MOST_NOTES:
        return None
    return Idea(kind, theme, part, first_bar, key, beats_per_bar, begin)


def _is_known_again(notes: np.ndarray) -> bool:
    """Whether some notes are a motif, and not only a few tones."""
    pitches = notes["pitch"].astype(int)
    repeated = float((np.diff(pitches) == 0).mean()) if len(pitches) > 1 else 1.0
    return len(pitches) >= FEWEST_NOTES and len(np.unique(pitches)) >= FEWEST_PITCHES and repeated <= MOST_REPEATED
