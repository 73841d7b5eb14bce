"""Where the beats fall: felt pulses, accents and onsets on the grid of sixteenth steps."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np

from engine.generators.contract import Link, Request
from engine.score.phrase import Phrase
from engine.score.time import STEPS_PER_BEAT, Meter


@functools.cache
def pulses(meter: Meter) -> tuple[int, ...]:
    """Steps of a bar on which the felt beats fall: quarters in 4/4, dotted quarters in 6/8, 2+2+3 eighths in 7/8."""
    unit = 16 // meter.denominator
    count = meter.numerator
    if meter.denominator >= 8:
        if count % 3 == 0:
            sizes = [3] * (count // 3)
        elif count % 2 == 0:
            sizes = [2] * (count // 2)
        elif count == 1:
            sizes = [1]
        else:
            # Uneven meters: 5 = 3 + 2 as it is mostly danced, longer ones put the three last (7 = 2 + 2 + 3).
            sizes = [3, 2] if count == 5 else [2] * ((count - 3) // 2) + [3]
    else:
        sizes = [1] * count
    return tuple(unit * sum(sizes[:place]) for place in range(len(sizes)))


@functools.cache
def strong_pulses(meter: Meter) -> tuple[int, ...]:
    """The pulses that begin the halves of a bar (beats 1 and 3 of 4/4, 1 and 4 of 5/4); the first always."""
    beats = pulses(meter)
    count = len(beats)
    if count < 4:
        return beats[:1]
    groups = {4: (0, 2), 5: (0, 3), 6: (0, 3), 7: (0, 4), 8: (0, 4)}.get(count, tuple(range(0, count, 3)))
    return tuple(beats[place] for place in groups)


@functools.cache
def pulse_lengths(meter: Meter) -> tuple[int, ...]:
    """Length in steps of each felt pulse."""
    beats = (*pulses(meter), meter.steps_per_bar)
    return tuple(after - before for before, after in itertools.pairwise(beats))


@functools.cache
def accents(meter: Meter) -> np.ndarray:
    """Metrical weight of each step of a bar, [steps_per_bar] in 0..1: 1 on the first beat, 0.1 on odd sixteenths."""
    weights = np.full(meter.steps_per_bar, 0.1)
    for start, length in zip(pulses(meter), pulse_lengths(meter), strict=True):
        weights[start : start + length : 2] = 0.32
        weights[start] = 0.62
    weights[list(strong_pulses(meter))] = 0.82
    weights[0] = 1.0
    weights.setflags(write=False)
    return weights


@functools.cache
def swung_pairs(meter: Meter, pair: float) -> tuple[np.ndarray, np.ndarray]:
    """(beats of a bar where stretches begin [n], whether each is a pair that can swing [n]).

    Felt beats that pairs of this length fill are cut into them; those of three eighths (or sixteenths) are left whole.

    Args:
        meter: of the bar.
        pair: beats of a pair: 1 for eighths, 0.5 for sixteenths.
    """
    lines: list[float] = []
    swung: list[bool] = []
    for start, length in zip(pulses(meter), pulse_lengths(meter), strict=True):
        count, rest = divmod(length, round(pair * STEPS_PER_BEAT))
        whole = count if not rest else 1
        lines += [start / STEPS_PER_BEAT + place * pair for place in range(whole)]
        swung += [not rest] * whole
    return np.array(lines), np.array(swung, bool)


def accent_at(meter: Meter, starts: np.ndarray) -> np.ndarray:
    """Metrical weight of positions in beats from a bar line, [n] in 0..1, by the nearest step."""
    table = accents(meter)
    return table[np.rint(np.asarray(starts) * STEPS_PER_BEAT).astype(int) % len(table)]


def onset_steps(phrase: Phrase, steps: int) -> np.ndarray:
    """Steps on which a phrase has onsets, sorted and without doubles, below `steps`."""
    starts = phrase.notes["start"]
    found = np.unique(np.rint(starts[np.isfinite(starts)] * STEPS_PER_BEAT).astype(int))
    return found[(found >= 0) & (found < steps)]


def rhythm_of(request: Request) -> Phrase | None:
    """The phrase whose onsets a pattern takes over: the part that it follows, or its primer, again and again."""
    source = request.sources.get(Link.RHYTHM)
    if source is not None:
        return source
    primer = request.sources.get(Link.PRIMER) or request.primer
    if primer is None or not len(primer.notes):
        return None
    times = math.ceil(request.beats / primer.length)
    return Phrase.concatenate([primer] * times).slice(0, request.beats)


def euclid(hits: int, steps: int, rotation: int = 0) -> np.ndarray:
    """Hits spread over steps as evenly as can be, [steps] of bool.

    Source: Toussaint, "The Euclidean algorithm generates traditional musical rhythms" (2005).
    """
    hits = min(max(hits, 0), steps)
    pattern = (np.arange(steps) * hits) % steps < hits
    return np.roll(pattern, rotation)
