"""Lines beside what they hear, in stretches: as the ensemble network is told them, and how it is judged by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from engine.networks.ensemble.configs import KINDS
from engine.networks.ensemble.encoding import (
    BEGINS,
    COLUMNS,
    HIGHEST,
    LOWEST,
    LineMemory,
    OtherParts,
    around,
    columns_of,
    kinds_of,
)
from engine.networks.ensemble.network import EnsembleNetwork
from engine.networks.sampling import log_probabilities
from engine.networks.threads import one_thread
from engine.training.datasets.music.ensembles import BEGUN, DRUMS, LINE, PART, SOUNDING
from engine.training.datasets.pieces import STEPS_PER_BAR, DatasetPiece
from engine.training.material import clean_start, known_chord

STRETCH = 16 * STEPS_PER_BAR
"""Lines are judged in stretches of so many sixteenths, each from nothing."""
_AT_ONCE = 32


class ToldParts(NamedTuple):
    """What of that the network is told: drums, the chords' names, the notes of the other parts."""

    drums: bool
    chords: bool
    notes: bool


ALL, NOTHING_TOLD = ToldParts(True, True, True), ToldParts(False, False, False)


class HeardStretch(NamedTuple):
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
        piece: of an ensemble, see `ensemble_pieces`.

    Attributes:
        events: [T] MelodyEvents.
        part: `BASS` or `MELODY`.
        others: what it hears.
    """

    def __init__(self, piece: DatasetPiece) -> None:
        columns = piece.events.astype(int)
        self.events, self.part = columns[:, LINE], int(columns[0, PART])
        assert piece.chords is not None
        figures, which = np.unique(piece.chords, return_inverse=True)
        roots, tones = np.full(len(figures), -1), np.zeros((len(figures), 12), bool)
        for place, figure in enumerate(figures.tolist()):
            chord = known_chord(figure)
            if chord is not None:
                roots[place] = chord.root
                tones[place, list(chord.pitch_classes)] = True
        drums, sounding, begun = (
            None if columns[0, place] < 0 else columns[:, place] for place in (DRUMS, SOUNDING, BEGUN)
        )
        self.others = OtherParts(roots[which], tones[which], drums, sounding, begun)

    def __len__(self) -> int:
        return len(self.events)

    def in_phrases(self, start: int, steps: int, told: ToldParts, phrase: int, before: bool = True) -> HeardStretch:
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
        return HeardStretch(*(np.concatenate(values) for values in zip(*parts, strict=True)))

    @property
    def _masks(self) -> tuple[np.ndarray | None, ...]:
        return self.others.drums, self.others.sounding, self.others.begun

    def heard(self, start: int, steps: int, shift: int = 0, told: ToldParts = ALL) -> HeardStretch:
        """A stretch from a bar line on, of which nothing before is known.

        Args:
            start, steps: which.
            shift: semitones that all is moved by.
            told: what is heard.
        """
        return self._heard(self.others, start, steps, shift, told)

    def _heard(self, others: OtherParts, start: int, steps: int, shift: int, told: ToldParts) -> HeardStretch:
        events = clean_start(self.events[start : start + steps])
        events = np.where(events >= 0, np.clip(events + shift, LOWEST, HIGHEST), events)
        memory, every = LineMemory(1, len(events)), np.arange(len(events))
        memory.push(events[None])
        own = memory.past(np.zeros(len(events), int), every)
        columns, places = columns_of(self.part, every, own, around(others, len(events), start, shift, *told))
        labels = np.stack([kinds_of(events), np.where(events >= 0, events - LOWEST, 0)], axis=1).astype(np.int32)
        return HeardStretch(columns, places, labels)


class Nats(NamedTuple):
    """Negative log-likelihoods in nats per sixteenth, of rhythm and of pitches; and how many sixteenths were judged."""

    rhythm: float
    pitch: float
    sixteenths: int

    @property
    def both(self) -> float:
        """Of the line."""
        return self.rhythm + self.pitch


class JudgedStretch(NamedTuple):
    """What a network expected of a stretch.

    Attributes:
        line: which line it is of.
        losses: [T, 2] nats of rhythm and pitch.
        labels: [T, 2], see `HeardStretch`.
        hits: [T] whether what happened, and the pitch if one began, was the likeliest.
    """

    line: int
    losses: np.ndarray
    labels: np.ndarray
    hits: np.ndarray


def together(found: Sequence[Nats]) -> Nats:
    """The mean over all sixteenths."""
    count = max(1, sum(one.sixteenths for one in found))
    rhythm, pitch = (sum(one[place] * one.sixteenths for one in found) / count for place in (0, 1))
    return Nats(rhythm, pitch, count)


def judge_each(
    network: EnsembleNetwork, tables: Sequence[LineTable], told: ToldParts, phrase: int = STRETCH, before: bool = True
) -> list[Nats]:
    """Nats of each line; see `judge_stretches`."""
    total = np.zeros((len(tables), 3))
    for one in judge_stretches(network, tables, told, phrase, before):
        total[one.line] += *one.losses.sum(axis=0), len(one.losses)
    return [Nats(rhythm / max(1.0, count), pitch / max(1.0, count), int(count)) for rhythm, pitch, count in total]


def judge_stretches(
    network: EnsembleNetwork, tables: Sequence[LineTable], told: ToldParts, phrase: int = STRETCH, before: bool = True
) -> Iterator[JudgedStretch]:
    """Lines in stretches of 16 bars; what is left at a line's end counts from two bars on.

    Args:
        network: that is judged: the one that plays.
        tables: the lines.
        told: what of other parts.
        phrase: sixteenths to whose end others are known; without, to the end of the song.
        before: whether drums and notes of the phrases before are known, too; in a scene they are not.
    """
    rows = [
        (place, start)
        for place, table in enumerate(tables)
        for start in range(0, len(table) - 2 * STEPS_PER_BAR + 1, STRETCH)
    ]
    for first in range(0, len(rows), _AT_ONCE):
        part = rows[first : first + _AT_ONCE]
        found = [
            tables[place].heard(start, STRETCH, told=told)
            if phrase == STRETCH
            else tables[place].in_phrases(start, STRETCH, told, phrase, before)
            for place, start in part
        ]
        inputs, labels, weights = stacked(found, STRETCH)
        with one_thread():
            logits = network.logits(inputs["columns"], inputs["places"])
        kinds, pitches = (log_probabilities(part, 1.0) for part in np.split(logits, [KINDS], axis=-1))
        begins = labels[..., 0] == BEGINS
        rhythm = -np.take_along_axis(kinds, labels[..., :1], axis=-1)[..., 0]
        pitch = -np.take_along_axis(pitches, labels[..., 1:], axis=-1)[..., 0] * begins
        losses = np.stack([rhythm, pitch], axis=-1)
        hits = (kinds.argmax(-1) == labels[..., 0]) & (~begins | (pitches.argmax(-1) == labels[..., 1]))
        for row, (place, _) in enumerate(part):
            count = int(weights[row].sum())
            yield JudgedStretch(place, losses[row, :count], labels[row, :count], hits[row, :count])


def stacked(found: Sequence[HeardStretch], steps: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Inputs by name, labels [B, T, 2] and weights [B, T] of some stretches, padded to so many sixteenths."""
    size = len(found), steps
    columns, places = np.zeros((*size, COLUMNS), np.float32), np.full((*size, 3), -1, np.int32)
    labels, weights = np.zeros((*size, 2), np.int32), np.zeros(size, np.float32)
    for row, one in enumerate(found):
        count = len(one.labels)
        columns[row, :count], places[row, :count], labels[row, :count] = one
        weights[row, :count] = 1.0
    return {"columns": columns, "places": places}, labels, weights
