"""Form and dynamics of hours of notes."""

# pyright: strict

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tests.proofs.hours.notes import PartInBar

BLOCK = 300.0
"""Seconds in which density is counted."""


@dataclass(frozen=True, slots=True)
class Form:
    """How hours differ within themselves and from one another.

    Attributes:
        density: of each hour, notes of its fullest five minutes over those of its thinnest; the median.
        longest_section: largest share of an hour that one section takes.
        hours_apart: Jensen-Shannon divergence (bits) of pitch classes from hour to hour, each.
        pitch_classes: that sounded.
    """

    density: float
    longest_section: float
    hours_apart: tuple[float, ...]
    pitch_classes: int


def form(rows: Sequence[PartInBar], drums: Iterable[str] = ()) -> Form:
    """Form over hours; of drums only the density counts."""
    without = set(drums)
    blocks: Counter[int] = Counter()
    pitches: dict[int, Counter[int]] = defaultdict(Counter)
    sections: dict[int, Counter[str]] = defaultdict(Counter)
    seen: set[int] = set()
    for row in rows:
        if row.bar not in seen:
            seen.add(row.bar)
            sections[int(row.t // 3600)][row.sec] += 1
        if row.heard:
            blocks[int(row.t // BLOCK)] += len(row.notes)
            if row.part not in without:
                pitches[int(row.t // 3600)].update(pitch % 12 for _, _, pitch, _ in row.notes)
    whole = [hour for hour in sorted(pitches) if int(hour * 12 + 11) in blocks]
    ranges = [
        max(per) / max(1, min(per)) for hour in whole for per in [[blocks[int(hour * 12 + k)] for k in range(12)]]
    ]
    return Form(
        density=float(np.median(ranges)) if ranges else 0.0,
        longest_section=max((max(one.values()) / sum(one.values()) for one in sections.values()), default=0.0),
        hours_apart=tuple(divergence(pitches[a], pitches[b]) for a, b in itertools.pairwise(whole)),
        pitch_classes=len({pitch for one in pitches.values() for pitch in one}),
    )


def divergence(one: Counter[int], other: Counter[int]) -> float:
    """Jensen-Shannon divergence of two counts, in bits."""
    keys = sorted({*one, *other})
    p = np.array([one[key] for key in keys], float)
    q = np.array([other[key] for key in keys], float)
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2

    def against(side: np.ndarray) -> float:
        some = side > 0
        return float((side[some] * np.log2(side[some] / middle[some])).sum())

    return (against(p) + against(q)) / 2


def velocity_range_of_sections(rows: Iterable[PartInBar], part: str) -> float:
    """How far the mean velocities of a part lie apart between sections; those with fewer than 8 notes do not count."""
    by_section: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row.part == part and row.heard:
            by_section[row.sec] += [velocity for *_, velocity in row.notes]
    means = [float(np.mean(some)) for some in by_section.values() if len(some) >= 8]
    return max(means) - min(means) if means else 0.0


def velocity_wave(rows: Iterable[PartInBar], part: str) -> float:
    """Standard deviation of the mean velocities of four bars each."""
    blocks: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        if row.part == part and row.heard:
            blocks[row.bar // 4] += [velocity for *_, velocity in row.notes]
    means = [float(np.mean(some)) for some in blocks.values() if len(some) >= 8]
    return float(np.std(means)) if means else 0.0


def rhythms_of_an_hour(rows: Iterable[PartInBar], part: str) -> tuple[float, float]:
    """Different rhythms of a part's bars in an hour (mean), and the share of the commonest one (mean)."""
    hours: dict[int, Counter[tuple[int, ...]]] = defaultdict(Counter)
    for row in rows:
        if row.part == part and row.heard and row.notes:
            hours[int(row.t // 3600)][tuple(sorted({round(start * 4) for start, *_ in row.notes}))] += 1
    if not hours:
        return 0.0, 0.0
    return (
        float(np.mean([len(one) for one in hours.values()])),
        float(np.mean([one.most_common(1)[0][1] / sum(one.values()) for one in hours.values()])),
    )
