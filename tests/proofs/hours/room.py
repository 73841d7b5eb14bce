"""Room for the melody: what sounds on it, beside it and above it, and how close basses lie."""

# pyright: strict

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tests.proofs.hours.notes import PartInBar

C3 = 48


@dataclass(frozen=True, slots=True)
class Room:
    """What a melody has around it.

    Attributes:
        doubled: share of its notes whose pitch sounds in another part.
        beside: share with a second beside them.
        highest: share of those with others within an octave that lie above all of these.
        low: share of time in which two notes under C3 are closer than a fourth.
    """

    doubled: float
    beside: float
    highest: float
    low: float


def room(rows: Sequence[PartInBar], melody: str, drums: Iterable[str] = (), above: Iterable[str] = ()) -> Room:
    """Measure the room of a part's notes, shortly after each begins; parts of `above` may lie above it."""
    without, over = set(drums), set(above)
    notes = np.array(
        [
            (row.t + start * 60 / row.qpm, row.t + end * 60 / row.qpm, pitch, row.part == melody, row.part in over)
            for row in rows
            if row.heard and row.part not in without
            for start, end, pitch, _ in row.notes
        ]
    )
    if not len(notes):
        return Room(0.0, 0.0, 0.0, 0.0)
    notes = notes[np.argsort(notes[:, 0], kind="stable")]
    longest = float((notes[:, 1] - notes[:, 0]).max())
    mine, low = notes[:, 3] == 1, (notes[:, 3] == 0) & (notes[:, 4] == 0)
    doubled = beside = judged = highest = 0
    for start, end, pitch, *_ in notes[mine]:
        moment = start + min(0.3, (end - start) / 2)
        others = _sounding(notes[~mine], moment, longest)
        doubled += bool(np.any(others == pitch))
        beside += bool(np.any((np.abs(others - pitch) > 0) & (np.abs(others - pitch) <= 2)))
        near = _sounding(notes[low], moment, longest)
        near = near[np.abs(near - pitch) <= 12]
        if len(near):
            judged += 1
            highest += bool(pitch > near.max())
    moments = np.arange(10.0, notes[-1, 0], 0.5)
    close = [_crowded(_sounding(notes, moment, longest)) for moment in moments]
    count = max(1, int(mine.sum()))
    top = highest / judged if judged else 1.0
    return Room(doubled / count, beside / count, top, float(np.mean(close)) if close else 0.0)


def _sounding(notes: np.ndarray, moment: float, longest: float) -> np.ndarray:
    first, last = np.searchsorted(notes[:, 0], [moment - longest, moment], side="right")
    some = notes[first:last]
    return some[some[:, 1] > moment][:, 2]


def _crowded(pitches: np.ndarray) -> bool:
    low = np.sort(pitches[pitches < C3])
    apart = np.diff(low)
    return bool(np.any((apart > 0) & (apart < 5)))
