"""Several voices on the grid, and performances free of it: pieces whose events are `NOTE` arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from engine.training.datasets.filters import Filters
from engine.training.datasets.pieces import DatasetPiece
from engine.training.datasets.score import Score, UnusableError

MIN_NOTES = 16
MIN_PERFORMED = 64


def polyphony_pieces(score: Score, filters: Filters, dropped: Counter[str]) -> Iterator[DatasetPiece]:
    """All notes but drums, in beats, where they lie on the grid of sixteenths.

    Raises:
        UnusableError: too few notes, off the grid, or bars longer than their signature.
    """
    if has_over_long_bar(score):
        raise UnusableError("bars longer than their signature")
    notes = score.notes(is_drum=False)
    if len(notes) < MIN_NOTES:
        raise UnusableError(f"fewer than {MIN_NOTES} notes")
    if filters.is_loose(notes["start"] * 4, 0.95):
        raise UnusableError("off the grid")
    yield DatasetPiece("", "", "", notes, qpm=score.qpm)


def performance_pieces(score: Score, filters: Filters, dropped: Counter[str]) -> Iterator[DatasetPiece]:
    """What was played, in seconds, held by the pedal.

    A score is refused: played by the clock, it would teach a network that learns timing to have none.

    Raises:
        UnusableError: nobody played it, or too few notes.
    """
    if not score.is_played:
        raise UnusableError("written, not played")
    notes = score.performed
    if len(notes) < MIN_PERFORMED:
        raise UnusableError(f"fewer than {MIN_PERFORMED} notes")
    yield DatasetPiece("", "", "", notes, qpm=score.qpm)


def has_over_long_bar(score: Score) -> bool:
    """Whether a bar is longer than its signature says: the score is not to be trusted."""
    changes = sorted(score.meters)
    for bar, following in pairwise(score.bars):
        holding = [change for change in changes if change[0] <= bar]
        if holding and following - bar > 4 * holding[-1][1] / holding[-1][2] + 1e-6:
            return True
    return False
