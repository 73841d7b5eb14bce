# pyright: strict
"""Values that move: along a section, and with the time of day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.score.time import DAY


@dataclass(frozen=True, slots=True)
class Curve:
    """A value that moves over a section: evenly spaced points, straight lines between.

    One point is a constant, and may then be of any type (a style, a range).
    """

    points: tuple[Any, ...]

    def at(self, position: float) -> Any:
        """Value at a position 0..1 of the section."""
        if len(self.points) == 1:
            return self.points[0]
        place = min(max(position, 0.0), 1.0) * (len(self.points) - 1)
        left = min(int(place), len(self.points) - 2)
        return self.points[left] + (place - left) * (self.points[left + 1] - self.points[left])


TIMBRE = "instrument."
"""What the target of a move begins with that is of a part's timbre: it counts at section lines, where notes change."""


def timbre_setting(target: str) -> str:
    """The setting of a timbre that a move's target is; empty for others."""
    return target.removeprefix(TIMBRE) if target.startswith(TIMBRE) else ""


@dataclass(frozen=True, slots=True)
class Move:
    """A setting that a section moves or overrides.

    Attributes:
        part: whose setting.
        target: of the sound "level", "pan", "reverb", "delay" or "brightness"; or a setting of the generator or of a
            transform; or, behind `instrument.`, of the timbre.
        transform: index in the part's transforms that `target` belongs to; None for generator and sound.
        curve: its values, in the setting's base unit.
    """

    part: str
    target: str
    transform: int | None
    curve: Curve


@dataclass(frozen=True, slots=True)
class DayCurve:
    """A value that follows the time of day: straight lines from point to point, and over midnight to the first again.

    Attributes:
        points: (seconds since midnight, value) at different times of 0..86400, in order; at least one. A single one
            counts all day.
    """

    points: tuple[tuple[float, float], ...]

    def at(self, time_of_day: float) -> float:
        """Value at a time of day in seconds; any number is one, so that no clock can break the curve."""
        times, values = [time for time, _ in self.points], [value for _, value in self.points]
        return float(np.interp(time_of_day, times, values, period=DAY))


@dataclass(frozen=True, slots=True)
class DaySteps:
    """A value that changes at times of day, and is what it is until the next.

    Attributes:
        points: (seconds since midnight, value) at different times of 0..86400, in order; at least one.
    """

    points: tuple[tuple[float, Any], ...]

    def at(self, time_of_day: float) -> Any:
        """Value at a time of day in seconds: before the first point it is the last one's, from the day before."""
        passed = [value for time, value in self.points if time <= time_of_day % DAY]
        return passed[-1] if passed else self.points[-1][1]


@dataclass(frozen=True, slots=True)
class DayMove:
    """A setting that follows the time of day in every section that does not move it itself.

    Attributes:
        part, target, transform: as of a `Move`.
        curve: its values over the day, in the setting's base unit.
    """

    part: str
    target: str
    transform: int | None
    curve: DayCurve
