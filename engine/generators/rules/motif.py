"""Motifs: a rhythm and a contour, drawn up fresh, taken from notes, or varied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.generators.chance import pick
from engine.generators.pulse import pulse_lengths, pulses
from engine.score.harmony.keys import Key
from engine.score.phrase import Phrase
from engine.score.time import STEPS_PER_BEAT, Meter

# Onsets within a beat of so many steps, each a cell of rhythm, with how usual it is.
_CELLS: dict[int, tuple[tuple[tuple[int, ...], float], ...]] = {
    1: (((), 1.0), ((0,), 1.0)),
    2: (((), 1.0), ((0,), 1.0), ((0, 1), 0.5), ((1,), 0.4)),
    3: (((), 1.0), ((0,), 1.0), ((0, 2), 1.0), ((0, 1, 2), 0.4), ((2,), 0.3)),
    4: (
        ((), 1.0),
        ((0,), 1.0),
        ((2,), 0.8),
        ((0, 2), 1.0),
        ((0, 3), 0.7),
        ((3,), 0.25),
        ((0, 2, 3), 0.6),
        ((0, 1, 2), 0.2),
        ((0, 1, 2, 3), 0.3),
    ),
    6: (
        ((), 1.0),
        ((0,), 1.0),
        ((0, 4), 1.0),
        ((4,), 0.5),
        ((0, 2, 4), 0.9),
        ((2, 4), 0.4),
        ((0, 3, 4), 0.4),
        ((0, 4, 5), 0.3),
    ),
}
_SHAPES = ("arch", "valley", "rise", "fall", "wave")


@dataclass(frozen=True, slots=True)
class Motif:
    """A short idea.

    Attributes:
        starts: steps of the onsets [n], ascending.
        lengths: in steps [n].
        contour: scale steps above or below its middle [n].
        steps: length of the whole, rests included.
    """

    starts: np.ndarray
    lengths: np.ndarray
    contour: np.ndarray
    steps: int


def rhythm(meter: Meter, bars: int, density: float, syncopation: float, rng: np.random.Generator) -> np.ndarray:
    """Onset steps of a fresh idea of some bars, which thins out towards its end; at least one onset."""
    onsets: list[int] = []
    lengths = pulse_lengths(meter)
    count = bars * len(lengths)
    for place in range(count):
        bar, beat = divmod(place, len(lengths))
        base = bar * meter.steps_per_bar + pulses(meter)[beat]
        closing = place >= count - max(1, count // 4) and count > 1
        wanted = 2.5 * density**1.25 * (lengths[beat] / 4) * (0.35 if closing else 1.1)
        onsets += [base + step for step in _cell(lengths[beat], wanted, syncopation, place == 0, rng)]
    return np.array(onsets or [0], int)


def _cell(length: int, wanted: float, syncopation: float, first: bool, rng: np.random.Generator) -> tuple[int, ...]:
    if length not in _CELLS:
        half = 6 if length % 6 == 0 and length % 4 else max(size for size in (4, 3, 2, 1) if length % size == 0)
        count = length // half
        return tuple(
            part * half + step
            for part in range(count)
            for step in _cell(half, wanted / count, syncopation, first and part == 0, rng)
        )
    cells = [cell for cell, _ in _CELLS[length]]
    weights = []
    for cell, usual in _CELLS[length]:
        weight = usual * np.exp(-1.6 * abs(len(cell) - wanted))
        if cell and cell[0] != 0:
            weight *= 2.2 * syncopation
        if first and not (cell and cell[0] == 0):
            weight *= 0.25
        weights.append(weight)
    return pick(rng, cells, weights)


def lengths_of(starts: np.ndarray, steps: int, meter: Meter, rng: np.random.Generator) -> np.ndarray:
    """Lengths in steps: to the next onset, two beats at most, and the last one leaves room to breathe."""
    beat = max(2, pulse_lengths(meter)[0])
    gaps = np.diff(np.append(starts, steps))
    lengths = np.minimum(gaps, rng.choice([beat, 2 * beat], size=len(gaps), p=[0.45, 0.55]))
    if len(lengths):
        last = int(gaps[-1])
        lengths[-1] = min(max(1, last - beat), 2 * beat) if last > beat else max(1, last - 1)
    return np.maximum(lengths, 1)


def contour(starts: np.ndarray, steps: int, leaps: float, rng: np.random.Generator) -> np.ndarray:
    """Scale steps around the middle [n]: a shape over the idea, with a little waywardness."""
    shape = pick(rng, _SHAPES, (3, 1, 2, 2.5, 1.5))
    position = starts / max(1, steps)
    size = 1.6 + 3.4 * leaps + rng.random() * 1.4
    line = {
        "arch": np.sin(np.pi * position) * 2 - 1,
        "valley": 1 - np.sin(np.pi * position) * 2,
        "rise": position * 2 - 1,
        "fall": 1 - position * 2,
        "wave": np.sin(2 * np.pi * position),
    }[shape]
    return line * size + rng.normal(0, 0.5 + 1.2 * leaps, len(starts))


def fresh(meter: Meter, bars: int, density: float, syncopation: float, leaps: float, rng: np.random.Generator) -> Motif:
    """A new idea of some bars."""
    steps = bars * meter.steps_per_bar
    starts = rhythm(meter, bars, density, syncopation, rng)
    return Motif(starts, lengths_of(starts, steps, meter, rng), contour(starts, steps, leaps, rng), steps)


def on_onsets(
    onsets: np.ndarray, chances: np.ndarray, steps: int, meter: Meter, leaps: float, rng: np.random.Generator
) -> Motif:
    """An idea on some of the onsets of another part, each taken with its chance."""
    starts = onsets[rng.random(len(onsets)) < chances]
    if not len(starts) and len(onsets):
        starts = onsets[[int(np.argmax(chances))]]
    return Motif(starts, lengths_of(starts, steps, meter, rng), contour(starts, steps, leaps, rng), steps)


def of_phrase(phrase: Phrase, key: Key, meter: Meter, bars: int) -> Motif | None:
    """The idea in the last bars of a phrase (its highest notes, on the grid); None if they are silent."""
    steps = bars * meter.steps_per_bar
    length = steps / STEPS_PER_BEAT
    notes = phrase.slice(max(0.0, phrase.length - length), phrase.length).notes
    if not len(notes):
        return None
    top: dict[int, tuple[int, int]] = {}
    for note in notes:
        start = round(float(note["start"]) * STEPS_PER_BEAT)
        end = max(start + 1, round(float(note["end"]) * STEPS_PER_BEAT))
        if start < steps and (start not in top or note["pitch"] > top[start][1]):
            top[start] = (end, int(note["pitch"]))
    if not top:
        return None
    starts = np.array(sorted(top))
    ends = np.minimum(np.array([top[int(start)][0] for start in starts]), np.append(starts[1:], steps))
    degrees = np.array([scale_index(key, top[int(start)][1]) for start in starts], float)
    return Motif(starts, np.maximum(ends - starts, 1), degrees - np.round(degrees.mean()), steps)


def scale_index(key: Key, pitch: int) -> int:
    """Number of the scale step of a key that is nearest to a pitch, counted from MIDI pitch 0 upwards."""
    scale = sorted(key.scale)
    near = key.nearest(pitch)
    return near // 12 * len(scale) + scale.index(near % 12) if near % 12 in scale else 0


def varied(motif: Motif, meter: Meter, rng: np.random.Generator) -> Motif:
    """The same idea with another end: it turns the other way, loses a light note, or splits a long one."""
    starts, lengths, line = motif.starts.copy(), motif.lengths.copy(), motif.contour.copy()
    tail = starts >= motif.steps * 0.55
    change = rng.random()
    if change < 0.45 and tail.any():
        pivot = line[tail][0]
        line[tail] = 2 * pivot - line[tail]
    elif change < 0.7 and len(starts) > 3:
        light = 1 + int(rng.integers(len(starts) - 2))
        starts, lengths, line = (np.delete(values, light) for values in (starts, lengths, line))
    else:
        long = np.flatnonzero((lengths >= 4) & (lengths % 2 == 0))
        if len(long):
            place = int(rng.choice(long))
            half = int(lengths[place]) // 2
            lengths[place] = half
            starts = np.insert(starts, place + 1, starts[place] + half)
            lengths = np.insert(lengths, place + 1, half)
            line = np.insert(line, place + 1, line[place] + rng.choice([-1.0, 1.0]))
    return Motif(starts, lengths, line, motif.steps)
