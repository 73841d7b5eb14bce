# pyright: strict
"""Shapes of movements: how full and loud the music is over half an hour, as a number from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.score.time import DAY


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a movement.

    Attributes:
        progress: 0 at its beginning, 1 at its end.
        refrain: the movement's refrain plays, not an episode.
        time_of_day: seconds since midnight.
    """

    progress: float
    refrain: bool = False
    time_of_day: float = DAY / 2


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape.

    Attributes:
        intensity: at a moment, 0 (the quietest) to 1 (the fullest).
        summit: progress from which on the tutti may come.
    """

    intensity: Callable[[Moment], float]
    summit: float


def _through(*points: tuple[float, float]) -> Callable[[Moment], float]:
    """Straight lines through (progress, intensity)."""
    times, values = [time for time, _ in points], [value for _, value in points]
    return lambda moment: float(np.interp(moment.progress, times, values))


def _rondo(moment: Moment) -> float:
    """A refrain that is always the same, and episodes that go further each time."""
    return 0.5 if moment.refrain else float(np.interp(moment.progress, (0.0, 0.8, 1.0), (0.15, 1.0, 0.3)))


def _variations(moment: Moment) -> float:
    """The theme, fuller from step to step; the last step but one is the quiet one, usually in minor."""
    steps = (0.3, 0.45, 0.6, 0.75, 0.1, 1.0)
    return steps[min(len(steps) - 1, int(moment.progress * len(steps)))]


def _day(moment: Moment) -> float:
    """Highest at three in the afternoon, lowest at three at night."""
    return 0.5 + 0.5 * math.cos(2 * math.pi * (moment.time_of_day / DAY - 15 / 24))


SHAPES: dict[str, Shape] = {
    "arc": Shape(_through((0.0, 0.1), (0.62, 1.0), (0.75, 0.85), (1.0, 0.0)), 0.55),
    "wave": Shape(_through((0.0, 0.2), (0.27, 0.75), (0.5, 0.1), (0.75, 1.0), (1.0, 0.05)), 0.68),
    "rondo": Shape(_rondo, 0.7),
    "variations": Shape(_variations, 0.84),
    "process": Shape(_through((0.0, 0.0), (0.92, 1.0), (1.0, 0.5)), 0.85),
    "day": Shape(_day, 0.5),
}
