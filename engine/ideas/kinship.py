# pyright: strict
"""How much two stretches of music have in common: shares of small shapes, by contour and rhythm."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np

from engine.score.time import STEPS_PER_BEAT

SIZE = 3
"""Notes of a shape: two intervals and two distances in time."""

Shape = tuple[tuple[int, ...], tuple[int, ...]]


def top_line(notes: np.ndarray) -> list[tuple[int, int]]:
    """(step, pitch) of the highest note on each sixteenth."""
    top: dict[int, int] = {}
    for start, _, pitch, _ in notes.tolist():
        step = round(start * STEPS_PER_BEAT)
        top[step] = max(pitch, top.get(step, 0))
    return sorted(top.items())


def shapes(notes: np.ndarray) -> Counter[Shape]:
    """The shapes of a melody: directions and rough sizes of its intervals (up to a third, a leap), and its rhythm."""
    line = top_line(notes)
    found: Counter[Shape] = Counter()
    for first in range(len(line) - SIZE + 1):
        run = line[first : first + SIZE]
        intervals = [after[1] - before[1] for before, after in itertools.pairwise(run)]
        steps = tuple(after[0] - before[0] for before, after in itertools.pairwise(run))
        found[tuple(int(np.sign(i)) * (1 if abs(i) < 5 else 2) for i in intervals), steps] += 1
    return found


def melodic(one: np.ndarray, other: np.ndarray) -> float:
    """Share of the shapes of some notes that other notes have, too, 0..1; 0 where they have none."""
    mine, theirs = shapes(one), shapes(other)
    total = sum(mine.values())
    return sum((mine & theirs).values()) / total if total else 0.0


def rhythmic(one: np.ndarray, other: np.ndarray, length: float) -> float:
    """Likeness of two grooves over a length in beats, 0..1: strokes that both have, of all that either has."""

    def strokes(notes: np.ndarray) -> set[tuple[int, int]]:
        steps = round(length * STEPS_PER_BEAT)
        return {(round(start * STEPS_PER_BEAT) % steps, pitch) for start, _, pitch, _ in notes.tolist()}

    mine, theirs = strokes(one), strokes(other)
    return len(mine & theirs) / max(1, len(mine | theirs))
