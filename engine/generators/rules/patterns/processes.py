# pyright: strict
"""Processes of patterns: step by step they move against the beat, gain notes or lose them, grow or shrink.

The ways are those of the process music of the 1960s and after: phasing in steps (Reich, *Clapping Music*), beats in
place of rests (*Drumming*), and additive rhythm (Glass, *Two Pages*).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine.score.patterns import Pattern

Process = Literal["none", "phase", "build", "dissolve", "lengthen", "shorten"]
_OF_LENGTH = ("lengthen", "shorten")


@dataclass(frozen=True, slots=True)
class ProcessStage:
    """Some bars in a row in which a pattern stays the same.

    Attributes:
        bars: counted from where the pattern began.
        pattern: as it is now.
        origin: bar at which it begins anew; the pattern's own beginning where only its notes change.
        ahead: beats that it runs ahead.
        number: steps of the process so far.
    """

    bars: range
    pattern: Pattern
    origin: int = 0
    ahead: float = 0.0
    number: int = 0


def stages(
    pattern: Pattern, process: Process, every: int, step: float, first_bar: int, bars: int
) -> Iterator[ProcessStage]:
    """The stages of a pattern over some bars.

    Args:
        pattern: as it is written.
        process: what becomes of it.
        every: bars of a stage.
        step: beats that each stage of `phase` runs ahead of the one before.
        first_bar: of the stretch, counted from where the pattern began.
        bars: of the stretch.
    """
    end = first_bar + bars
    if process == "none":
        yield ProcessStage(range(first_bar, end), pattern)
        return
    onsets = sorted({start for start, *_ in pattern.notes})
    for number in range(first_bar // every, -(-end // every)):
        inside = range(max(first_bar, number * every), min(end, (number + 1) * every))
        if process == "phase":
            yield ProcessStage(inside, pattern, 0, number * step, number)
            continue
        count = number + 1 if process in ("build", "lengthen") else len(onsets) - number
        shown = _first(pattern, onsets, max(1, min(count, len(onsets))), process in _OF_LENGTH)
        yield ProcessStage(inside, shown, number * every if process in _OF_LENGTH else 0, 0.0, number)


def _first(pattern: Pattern, onsets: list[float], count: int, cut: bool) -> Pattern:
    """The first onsets of a pattern; if it is cut, its length ends where the next one would be."""
    if count >= len(onsets):
        return pattern
    until = onsets[count]
    kept = [
        ((start, min(end, until) if cut else end, pitch, velocity), when)
        for (start, end, pitch, velocity), when in zip(pattern.notes, pattern.conditions, strict=True)
        if start < until
    ]
    # What comes before the first onset, a rest, belongs to the first.
    return Pattern.of(kept, until if cut else pattern.length, pattern.is_drums)
