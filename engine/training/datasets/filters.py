"""What a data set is to be restricted to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import PerpetuumError
from engine.training.datasets.score import Score, UnusableError, off_grid

_FAMILIES = (
    *("piano", "chromatic percussion", "organ", "guitar", "bass", "strings", "ensemble", "brass", "reed", "pipe"),
    *("lead", "pad", "effects", "ethnic", "percussive", "sounds"),
)
INSTRUMENTS: Mapping[str, range] = {name: range(8 * k, 8 * k + 8) for k, name in enumerate(_FAMILIES)}
"""General MIDI programs, counted from 0, of each family of instruments."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What pieces must be like. What is None is as the kind of music has it.

    Attributes:
        meters: (numerator, denominator) of those that are taken.
        instruments: names of `INSTRUMENTS`, or programs counted from 1; empty for all.
        tempo: quarter notes per minute at the beginning, least and most.
        min_unique_pitches: different pitches (drums: classes) of a piece, at least.
        min_on_grid: share of onsets that lie within a third of a sixteenth of the grid, at least.
        min_bars, max_bars: length of a piece.
    """

    meters: tuple[tuple[int, int], ...] | None = None
    instruments: tuple[str, ...] = ()
    tempo: tuple[float, float] | None = None
    min_unique_pitches: int = 0
    min_on_grid: float | None = None
    min_bars: int | None = None
    max_bars: int | None = None

    def is_loose(self, starts: np.ndarray, own: float) -> bool:
        """Whether too few onsets (in sixteenths) lie on the grid.

        Args:
            starts: onsets [n].
            own: the share that is asked for without `min_on_grid`.
        """
        return off_grid(starts) > 1 - (own if self.min_on_grid is None else self.min_on_grid)

    def shortest(self, own: int) -> int:
        """Bars of the shortest piece that is taken; `own` without `min_bars`."""
        return own if self.min_bars is None else self.min_bars


def chosen(score: Score, filters: Filters) -> Score:
    """What is left of a score; its drums stay, whatever instruments are asked for.

    Raises:
        UnusableError: nothing, or its tempo is another.
    """
    if filters.tempo is not None and not filters.tempo[0] <= score.qpm <= filters.tempo[1]:
        raise UnusableError(f"tempo outside {filters.tempo[0]:g}..{filters.tempo[1]:g}")
    if not filters.instruments:
        return score
    wanted = programs(filters.instruments)
    parts = tuple(part for part in score.parts if part.is_drum or part.program in wanted)
    if not any(not part.is_drum for part in parts):
        raise UnusableError("none of the instruments")
    return replace(score, parts=parts)


def programs(names: Iterable[str]) -> set[int]:
    """General MIDI programs, counted from 0, of names of `INSTRUMENTS` and of programs counted from 1.

    Raises:
        PerpetuumError: neither.
    """
    found: set[int] = set()
    for name in names:
        if name in INSTRUMENTS:
            found |= set(INSTRUMENTS[name])
        elif name.isdecimal() and 1 <= int(name) <= 128:
            found.add(int(name) - 1)
        else:
            raise PerpetuumError(
                f"{name!r} is no instrument", f"Take General MIDI programs 1..128 or {', '.join(INSTRUMENTS)}."
            )
    return found


def parse_meter(text: str) -> tuple[int, int]:
    """Read "3/4".

    Raises:
        PerpetuumError: not a meter.
    """
    match = re.fullmatch(r"\s*(\d{1,2})/(1|2|4|8|16)\s*", text)
    if not match or int(match[1]) == 0:
        raise PerpetuumError(f"{text!r} is not a meter", "Write them like 4/4,3/4.")
    return int(match[1]), int(match[2])


def meter_names(meters: Iterable[tuple[int, int]]) -> str:
    """Meters as one reads them: "2/4, 4/4"."""
    return ", ".join(f"{top}/{bottom}" for top, bottom in sorted(meters))
