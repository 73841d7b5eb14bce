"""What music looks like in numbers, to compare what a network makes with what it learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.networks.encodings import drums, melody
from engine.score.drums import CLASSES
from engine.score.time import STEPS_PER_BEAT
from engine.training.datasets.pieces import STEPS_PER_BAR
from engine.training.evaluation.samples import Sample

_SCALE = [0, 2, 4, 5, 7, 9, 11]


def describe(kind: str, samples: Sequence[Sample]) -> dict[str, float]:
    """What samples are like: see `drum_statistics`, `melody_statistics` and `note_statistics`.

    Args:
        kind: of music, a value of `engine.training.datasets.music.kinds.CORPORA`.
        samples: at least one.
    """
    if kind == "drums":
        parts = [np.array(drums.from_notes(one.notes, one.length)) for one in samples]
        one_drum = all((one.notes["pitch"] == drums.HAND_CLAP).all() for one in samples)
        return rhythm_statistics(parts) if one_drum else drum_statistics(parts)
    if kind in ("melody", "lead_sheet"):
        return melody_statistics([np.array(melody.from_notes(one.notes, one.length)) for one in samples])
    figures = note_statistics(samples)
    if kind == "polyphony":
        del figures["velocity"], figures["velocity_spread"]  # which its encoding does not know
    return figures


def typical(kind: str, samples: Sequence[Sample], count: int) -> list[Sample]:
    """The samples nearest to the median of the figures of `describe`, each in units of its median deviation; nearest
    first, silent ones last, of equal ones the first.

    Args:
        kind, samples: as `describe`; "groove" for drums as they are played.
        count: how many, at most.
    """
    heard = [place for place, sample in enumerate(samples) if len(sample.notes)]
    silent = [place for place in range(len(samples)) if place not in set(heard)]
    if not heard:
        return list(samples[:count])
    if kind == "groove":
        rows = [_played_figures(samples[place]) for place in heard]
    else:
        rows = [list(describe(kind, [samples[place]]).values()) for place in heard]
    table = np.array(rows, float)
    off = np.abs(table - np.median(table, axis=0))
    spread = np.median(off, axis=0)
    known = spread > 1e-9
    distances = (np.minimum(off[:, known] / spread[known], 10.0) ** 2).sum(axis=1)
    order = [heard[place] for place in np.argsort(distances, kind="stable")] + silent
    return [samples[place] for place in order[:count]]


def _played_figures(sample: Sample) -> list[float]:
    """Strokes, and mean and spread of how late they are and how loud."""
    off, loud = _off_grid(sample.notes)[1], sample.notes["velocity"].astype(float)
    return [len(off), off.mean(), off.std(), loud.mean(), loud.std()]


def late(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """The sixteenth nearest to each stroke [n], and by how many milliseconds the stroke is behind it [n]."""
    steps, off = _off_grid(sample.notes)
    return steps, off * 60_000 / (sample.qpm * STEPS_PER_BEAT)


def _off_grid(notes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sixteenth nearest to each note [n], and how far the note is behind it, in sixteenths [n]."""
    steps = notes["start"] * STEPS_PER_BEAT
    nearest = np.rint(steps)
    return nearest, steps - nearest


def note_statistics(samples: Sequence[Sample]) -> dict[str, float]:
    """Means over samples of music in several voices, whose unit of time is the beat, or the second of performances.

    Returns:
        "notes" that begin per unit of time, "voices" (notes that sound at once while any does), "silence" (share of the
        time in which none does), "length" of notes in units of time, "pitch" (mean), "range" (semitones between lowest
        and highest of a sample), "in_key" (share of notes in the best major key of their sample), "velocity" (mean) and
        "velocity_spread" (standard deviation within a sample).
    """
    rows = []
    for sample in samples:
        notes = sample.notes
        if not len(notes):
            rows.append([0.0] * 2 + [1.0] + [np.nan] * 6)
            continue
        lengths, pitches, velocities = notes["end"] - notes["start"], notes["pitch"], notes["velocity"].astype(float)
        sounding = sounding_time(notes)
        rows.append(
            [
                len(notes) / sample.length,
                lengths.sum() / sounding,
                max(0.0, 1.0 - sounding / sample.length),
                lengths.mean(),
                pitches.mean(),
                np.ptp(pitches),
                _in_key(pitches.astype(int)) / len(notes),
                velocities.mean(),
                velocities.std(),
            ]
        )
    names = ("notes", "voices", "silence", "length", "pitch", "range", "in_key", "velocity", "velocity_spread")
    table = np.array(rows, float)
    known = [column[~np.isnan(column)] for column in table.T]
    return {name: float(column.mean()) if len(column) else 0.0 for name, column in zip(names, known, strict=True)}


def sounding_time(notes: np.ndarray) -> float:
    """How long at least one of some notes sounds, which are sorted by start."""
    reached = np.maximum.accumulate(notes["end"])
    before = np.concatenate([notes["start"][:1], reached[:-1]])
    return float(np.maximum(notes["end"] - np.maximum(notes["start"], before), 0.0).sum())


def _in_key(pitches: np.ndarray) -> int:
    """How many of some notes lie in the major key that holds most of them."""
    counts = np.bincount(pitches % 12, minlength=12)
    return max(int(sum(counts[(key + step) % 12] for step in _SCALE)) for key in range(12))


def drum_statistics(parts: Sequence[np.ndarray]) -> dict[str, float]:
    """Means over all bars of drum parts (arrays of bit masks, whole bars).

    Returns:
        The figures of `rhythm_statistics`, "kick_on_one", "backbeat" (a snare on beat 2 or 4), and hits per bar of each
        class.
    """
    bits = _struck(parts)
    figures = rhythm_statistics(parts)
    figures["kick_on_one"] = float(bits[:, 0, 0].mean())
    figures["backbeat"] = float((bits[:, 4, 1] | bits[:, 12, 1]).mean())
    return figures | {name: float(bits[:, :, k].sum() / len(bits)) for k, name in enumerate(CLASSES)}


def rhythm_statistics(parts: Sequence[np.ndarray]) -> dict[str, float]:
    """Means over all bars of drum parts, whatever drums they are.

    Returns:
        "hits_per_bar", "silent_bars", "repeated_bars" (same as the bar before), "different_bars" (different bars per
        bar, within a part).
    """
    bits = _struck(parts)
    return {"hits_per_bar": float(bits.sum() / len(bits)), **_repetition(parts)}


def _struck(parts: Sequence[np.ndarray]) -> np.ndarray:
    """[bars, 16, 9] of 0 and 1."""
    bars = np.concatenate([_bars(part) for part in parts])
    return (bars[:, :, None] >> np.arange(len(CLASSES))) & 1


def melody_statistics(parts: Sequence[np.ndarray]) -> dict[str, float]:
    """Means over all bars of melodies (arrays of MelodyEvents, whole bars).

    Returns:
        "notes_per_bar", "rest_share" (of the steps), "silent_bars", "repeated_bars", "different_bars", "range" (mean
        semitones between lowest and highest of a part), "steps_and_repeats" (share of intervals of at most 2
        semitones), "leaps" (share of more than 7), "on_beat" (share of notes that begin on a quarter), "in_key" (share
        of notes in the best major key of the part), "mean_length" (of notes, in steps).
    """
    notes = rests = bars = on_beat = in_key = 0
    ranges, intervals, lengths = [], [], []
    for part in parts:
        bars += len(part) // STEPS_PER_BAR
        sounding, begun = False, 0
        pitches = part[part >= 0].astype(int)
        for step, event in enumerate(part.tolist()):
            if event != -2 and sounding:
                lengths.append(step - begun)
            if event != -2:
                sounding, begun = event >= 0, step
            rests += not sounding
        on_beat += int((np.flatnonzero(part >= 0) % 4 == 0).sum())
        notes += len(pitches)
        if len(pitches):
            ranges.append(np.ptp(pitches))
            intervals.append(np.abs(np.diff(pitches)))
            in_key += _in_key(pitches)
    steps = np.concatenate(intervals) if intervals else np.zeros(0)
    return {
        "notes_per_bar": notes / bars,
        "rest_share": rests / (bars * STEPS_PER_BAR),
        **_repetition(parts),
        "range": float(np.mean(ranges)) if ranges else 0.0,
        "steps_and_repeats": float((steps <= 2).mean()) if len(steps) else 0.0,
        "leaps": float((steps > 7).mean()) if len(steps) else 0.0,
        "on_beat": on_beat / max(1, notes),
        "in_key": in_key / max(1, notes),
        "mean_length": float(np.mean(lengths)) if lengths else 0.0,
    }


def _bars(part: np.ndarray) -> np.ndarray:
    return part[: len(part) // STEPS_PER_BAR * STEPS_PER_BAR].reshape(-1, STEPS_PER_BAR).astype(int)


def _repetition(parts: Sequence[np.ndarray]) -> dict[str, float]:
    silent = repeated = different = bars = pairs = 0
    for part in parts:
        rows = _bars(part)
        bars += len(rows)
        pairs += max(0, len(rows) - 1)
        is_silent = np.all(rows <= 0, axis=1)
        silent += int(is_silent.sum())
        repeated += int((np.all(rows[1:] == rows[:-1], axis=1) & ~is_silent[1:]).sum())
        different += len({row.tobytes() for row in rows})
    return {"silent_bars": silent / bars, "repeated_bars": repeated / max(1, pairs), "different_bars": different / bars}
