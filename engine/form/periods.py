# pyright: strict
"""Periods: how long passes are, in whole ones, and which cadences close them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.form.seeds import derive_seed
from engine.generators.contract import Cadence
from engine.units import Range

_PLAGAL = 0.15
"""How often a period that comes home does so from the subdominant."""
_HALF = (0.7, 0.25)
"""How often the first and the second of two periods end on the dominant."""


def drawn_length(span: Range, period: int, rng: np.random.Generator) -> int:
    """Bars out of a range: whole periods if there are any in it, else groups of four or of two."""
    low, high = int(span.low), int(span.high)
    for group in dict.fromkeys((period, 4, 2)):
        choices = [bars for bars in range(low, high + 1) if group and bars % group == 0]
        if len(choices) >= 2 or (choices and (low == high or group == period)):
            return int(rng.choice(choices))
    return int(rng.integers(low, high + 1))


def eased(qpms: tuple[float, ...], closes: Sequence[tuple[int, Cadence]], rubato: float) -> tuple[float, ...]:
    """The tempi of a pass's bars, with all slowing down together where it closes.

    Args:
        qpms: of its bars.
        closes: its cadences, as `cadences` says.
        rubato: share by which the last bar is slower; one in which a period within it closes is by half of that, and a
            bar before either by a third of what that is.
    """
    if rubato <= 0:
        return qpms
    slower = [0.0] * len(qpms)
    for end, _ in closes:
        share = rubato if end == len(qpms) else rubato / 2
        slower[end - 1] = max(slower[end - 1], share)
        slower[max(0, end - 2)] = max(slower[max(0, end - 2)], share / 3)
    return tuple(round(qpm * (1.0 - share), 3) for qpm, share in zip(qpms, slower, strict=True))


def cadences(seed: int, section: str, bars: int, period: int) -> tuple[tuple[int, Cadence], ...]:
    """The cadences of a pass, each with the bars from its start until it closes there, ascending.

    They are those of the section, the same in all its passes; the last one comes home, the first of two periods mostly
    stays open.

    Args:
        seed: of the performance.
        section: its name.
        bars: of the pass.
        period: bars of a period; 0 for a cadence at the end only.
    """
    ends = list(range(period, bars, period)) if period else []
    found: list[tuple[int, Cadence]] = []
    for place, end in enumerate([*ends, bars]):
        rng = np.random.default_rng(derive_seed(seed, "cadence", section, place))
        half, plagal = rng.random() < _HALF[place % 2], rng.random() < _PLAGAL
        home = Cadence.PLAGAL if plagal else Cadence.AUTHENTIC
        found.append((end, Cadence.HALF if half and end < bars else home))
    return tuple(found)
