"""Four voices on the grid of sixteenths: pieces whose events are the pitches [T, 4] that sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from engine.score.time import STEPS_PER_BEAT
from engine.training.datasets.filters import Filters
from engine.training.datasets.pieces import DatasetPiece
from engine.training.datasets.score import Score, UnusableError

VOICES, SILENT = 4, -1
MIN_STEPS = 64


def chorale_pieces(score: Score, filters: Filters, dropped: Counter[str]) -> Iterator[DatasetPiece]:
    """The pitches of four voices, the highest part first, `SILENT` where one rests.

    Raises:
        UnusableError: not four parts of one voice each, off the grid, or too short.
    """
    lines = [voice for part in score.parts if not part.is_drum for voice in part.voices if len(voice)]
    if len(lines) != VOICES:
        raise UnusableError("not four voices")
    if any((line["start"][1:] < line["end"][:-1] - 1e-3).any() for line in lines):
        raise UnusableError("voices of more than one note at once")
    notes = score.notes(is_drum=False)
    if filters.is_loose(notes["start"] * STEPS_PER_BEAT, 0.95):
        raise UnusableError("off the grid")
    steps = round(float(notes["end"].max()) * STEPS_PER_BEAT)
    if steps < MIN_STEPS:
        raise UnusableError("shorter than four bars")
    order = sorted(range(VOICES), key=lambda k: -float(lines[k]["pitch"].mean()))
    pitches = np.full((steps, VOICES), SILENT, np.int16)
    for voice, k in enumerate(order):
        edges = np.round(np.stack([lines[k]["start"], lines[k]["end"]]) * STEPS_PER_BEAT).astype(int)
        for start, end, pitch in zip(*edges.tolist(), lines[k]["pitch"].tolist(), strict=True):
            pitches[start:end, voice] = pitch
    yield DatasetPiece("", "", "", pitches, qpm=score.qpm)


def is_chorale(events: np.ndarray) -> bool:
    """Whether the events of a piece are those of four voices."""
    return events.ndim == 2 and events.shape[1] == VOICES
