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


def room(rows: Sequence[PartInBar], melody: str, drums: Iterable[str] = ()) -> Room:
    """Measure the room of a part's notes, shortly after each begins."""
    without = set(drums)
    notes = np.array(
        [
            (row.t + start * 60 / row.qpm, row.t + end * 60 / row.qpm, pitch, row.part == melody)
            for row in rows
            if row.heard and row.part not in without
            for start, end, pitch, _ in row.notes
        ]
    )
    if not len(notes):
        return Room(0.0, 0.0, 0.0, 0.0)
    notes = notes[np.argsort(notes[:, 0], kind="stable")]
    longest = float((notes[:, 1] - notes[:, 0]).max())
    mine = notes[:, 3] == 1
    doubled = beside = judged = highest = 0
    for start, end, pitch, _ in notes[mine]:
        moment = start + min(0.3, (end - start) / 2)
        others = _sounding(notes[~mine], moment, longest)
        doubled += bool(np.any(others == pitch))
        beside += bool(np.any((np.abs(others - pitch) > 0) & (np.abs(others - pitch) <= 2)))
        near = others[np.abs(others - pitch) <= 12]
        if len(near):
            judged += 1
            highest += bool(pitch > near.max())
    moments = np.arange(10.0, notes[-1, 0], 0.5)
    close = [_crowded(_sounding(notes, moment, longest)) for moment in moments]
    count = max(1, int(mine.sum()))
    return Room(doubled / count, beside / count, highest / max(1, judged), float(np.mean(close)) if close else 0.0)


def _sounding(notes: np.ndarray, moment: float, longest: float) -> np.ndarray:
    first, last = np.searchsorted(notes[:, 0], [moment - longest, moment], side="right")
    some = notes[first:last]
    return some[some[:, 1] > moment][:, 2]


def _crowded(pitches: np.ndarray) -> bool:
    low = np.sort(pitches[pitches < C3])
    apart = np.diff(low)
    return bool(np.any((apart > 0) & (apart < 5)))
