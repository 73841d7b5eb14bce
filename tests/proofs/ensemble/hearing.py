"""Lines of songs as the network is told them, in stretches (`engine.networks.ensemble.encoding`)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.networks.ensemble.encoding import (
    HIGHEST,
    LOWEST,
    LineMemory,
    OtherParts,
    around,
    columns_of,
    kinds_of,
)
from engine.training.material import clean_start, known_chord
from tests.proofs.ensemble.music import Line


class Told(NamedTuple):
    """What of that the network is told: drums, the chords' names, the notes of the other parts."""

    drums: bool
    chords: bool
    notes: bool


ALL, NOTHING_TOLD = Told(True, True, True), Told(False, False, False)


class Heard(NamedTuple):
    """A stretch of a line.

    Attributes:
        columns: [T, columns] float32.
        places: [T, 3] int32: the note before, the note of a bar ago, the root of the chord (0..11); -1 for none.
        labels: [T, 2] int32: `NOTHING`, `ENDS` or `BEGINS`, and which pitch, counted from `LOWEST`.
    """

    columns: np.ndarray
    places: np.ndarray
    labels: np.ndarray


class LineTable:
    """A line with its chords read.

    Args:
        line: see `Line`.
        part: 0 bass, 1 melody.
    """

    def __init__(self, line: Line, part: int) -> None:
        self.events, self.part = line.piece.events.astype(int), part
        assert line.piece.chords is not None
        figures, which = np.unique(line.piece.chords, return_inverse=True)
        roots, tones = np.full(len(figures), -1), np.zeros((len(figures), 12), bool)
        for place, figure in enumerate(figures.tolist()):
            chord = known_chord(figure)
            if chord is not None:
                roots[place] = chord.root
                tones[place, list(chord.pitch_classes)] = True
        self.others = OtherParts(roots[which], tones[which], line.drums, line.sounding, line.begun)

    def __len__(self) -> int:
        return len(self.events)

    def in_phrases(self, start: int, steps: int, told: Told, phrase: int, before: bool = True) -> Heard:
        """As `heard`, but what others play is known to the end of a phrase of so many sixteenths, as in a scene.

        Args:
            start, steps, told, phrase: which, and what.
            before: whether drums and notes of the phrases before are known, too.
        """
        end = min(start + steps, len(self))
        parts: list[list[np.ndarray]] = []
        for begin in range(start, end, phrase):
            until = slice(begin + phrase)
            others = OtherParts(
                self.others.roots[until],
                self.others.tones[until],
                *(None if one is None else one[until] for one in self._masks),
                known=0 if before else begin,
            )
            known = self._heard(others, start, min(steps, begin + phrase - start), 0, told)
            parts.append([values[begin - start :] for values in known])
        return Heard(*(np.concatenate(values) for values in zip(*parts, strict=True)))

    @property
    def _masks(self) -> tuple[np.ndarray | None, ...]:
        return self.others.drums, self.others.sounding, self.others.begun

    def heard(self, start: int, steps: int, shift: int = 0, told: Told = ALL) -> Heard:
        """A stretch from a bar line on, of which nothing before is known.

        Args:
            start, steps: which.
            shift: semitones that all is moved by.
            told: what is heard.
        """
        return self._heard(self.others, start, steps, shift, told)

    def _heard(self, others: OtherParts, start: int, steps: int, shift: int, told: Told) -> Heard:
        events = clean_start(self.events[start : start + steps])
        events = np.where(events >= 0, np.clip(events + shift, LOWEST, HIGHEST), events)
        memory, every = LineMemory(1, len(events)), np.arange(len(events))
        memory.push(events[None])
        own = memory.past(np.zeros(len(events), int), every)
        columns, places = columns_of(self.part, every, own, around(others, len(events), start, shift, *told))
        labels = np.stack([kinds_of(events), np.where(events >= 0, events - LOWEST, 0)], axis=1).astype(np.int32)
        return Heard(columns, places, labels)
