# pyright: strict
"""What was heard in the last hours, and how often: a small table of counts for each part, whatever it played.

Figures of three notes (of drums: what is struck within two beats) are numbered by a hash; each has a count, which
saturates, and all counts are halved from time to time. So a table stays as small as it is, and what was heard long ago
is forgotten. Figures that share a number share a count (a count-min sketch with one row: Cormode & Muthukrishnan 2005).

Like the memory of ideas it is a fold over what was decided, by (bar in which it ends, part).
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.ideas.kinship import shapes
from engine.score.time import STEPS_PER_BEAT

FIGURES = 512
"""Numbers of figures, and counts of a table."""
HALVED_EVERY = 512
"""Bars after which all counts are halved: at two seconds a bar, a quarter of an hour."""
_MOST = 255
_WORN = 16
"""Times after which a figure is half as fresh as one that was never heard."""
_STRETCH = 2 * STEPS_PER_BEAT
"""Sixteenths of a figure of drums."""


@dataclass(frozen=True, slots=True)
class HeardFigures:
    """Figures that were heard.

    Attributes:
        end_bar: first bar after the phrase that they stood in.
        part: who played it.
        figures: their numbers, as often as they were in it, ascending.
    """

    end_bar: int
    part: str
    figures: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wear:
    """How worn the figures of parts are at a bar line, and what was heard since.

    Attributes:
        bar: all phrases that end at or before it are folded.
        tables: counts by part, in the order of their names.
        since: heard after that bar, by (end, part).
    """

    bar: int = 0
    tables: tuple[tuple[str, bytes], ...] = ()
    since: tuple[HeardFigures, ...] = ()

    def hearing(self, heard: Iterable[HeardFigures]) -> Wear:
        """The same, when more was heard; what ends at or before its bar comes too late and is not heard."""
        more = [one for one in heard if one.end_bar > self.bar]
        return Wear(self.bar, self.tables, tuple(sorted((*self.since, *more), key=lambda one: (one.end_bar, one.part))))

    def at(self, bar: int) -> Wear:
        """The same folded up to a bar line; what comes after it is still to be folded."""
        if bar <= self.bar:
            return self
        tables, now = dict(self.tables), self.bar
        for one in self.since:
            if one.end_bar <= bar:
                tables, now = _rested(tables, now, one.end_bar), one.end_bar
                tables[one.part] = _worn_by(tables.get(one.part, bytes(FIGURES)), one.figures)
        tables = {part: table for part, table in _rested(tables, now, bar).items() if any(table)}
        return Wear(bar, tuple(sorted(tables.items())), tuple(one for one in self.since if one.end_bar > bar))

    def of(self, part: str) -> bytes:
        """The table of a part; empty where nothing is remembered of it."""
        return dict(self.tables).get(part, b"")


def figures_of(notes: np.ndarray, drums: bool) -> tuple[int, ...]:
    """The numbers 0..`FIGURES` - 1 of the figures of some notes, as often as they are in them, ascending."""
    return tuple(sorted(_counted(notes, drums).elements()))


def freshness(table: bytes, notes: np.ndarray, drums: bool) -> float:
    """How little the figures of some notes are worn, 0..1; 1 for notes without figures."""
    counted = _counted(notes, drums)
    total = sum(counted.values())
    if not total or len(table) != FIGURES:
        return 1.0
    return sum(times * _WORN / (_WORN + table[figure]) for figure, times in counted.items()) / total


def _rested(tables: dict[str, bytes], before: int, bar: int) -> dict[str, bytes]:
    """Tables after the halvings between two bars."""
    times = min(8, bar // HALVED_EVERY - before // HALVED_EVERY)
    return {part: bytes(count >> times for count in table) for part, table in tables.items()} if times else tables


def _worn_by(table: bytes, figures: Iterable[int]) -> bytes:
    counts = bytearray(table)
    for figure in figures:
        counts[figure] = min(_MOST, counts[figure] + 1)
    return bytes(counts)


def _counted(notes: np.ndarray, drums: bool) -> Counter[int]:
    found: Counter[int] = Counter()
    if not drums:
        for shape, times in shapes(notes).items():
            found[_number(repr(shape))] += times
        return found
    struck: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for start, _, pitch, _ in notes.tolist():
        stretch, step = divmod(round(start * STEPS_PER_BEAT), _STRETCH)
        struck[stretch].add((step, int(pitch)))
    for strokes in struck.values():
        found[_number(repr(sorted(strokes)))] += 1
    return found


def _number(text: str) -> int:
    return zlib.crc32(text.encode()) % FIGURES
