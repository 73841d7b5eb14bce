"""What music looks like in numbers, to compare what a network makes with what it learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.score.drums import CLASSES
from engine.training.pieces import STEPS_PER_BAR


def drum_statistics(parts: Sequence[np.ndarray]) -> dict[str, float]:
    """Means over all bars of drum parts (arrays of bit masks, whole bars).

    Returns:
        "hits_per_bar", "silent_bars", "repeated_bars" (same as the bar before), "different_bars" (different bars per
        bar, within a part), "kick_on_one", "backbeat" (a snare on beat 2 or 4), and hits per bar of each class.
    """
    bars = np.concatenate([_bars(part) for part in parts])
    bits = (bars[:, :, None] >> np.arange(len(CLASSES))) & 1
    figures = {"hits_per_bar": float(bits.sum() / len(bars)), **_repetition(parts)}
    figures["kick_on_one"] = float(bits[:, 0, 0].mean())
    figures["backbeat"] = float((bits[:, 4, 1] | bits[:, 12, 1]).mean())
    figures |= {name: float(bits[:, :, k].sum() / len(bars)) for k, name in enumerate(CLASSES)}
    return figures


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
            counts = np.bincount(pitches % 12, minlength=12)
            scale = [0, 2, 4, 5, 7, 9, 11]
            in_key += max(sum(counts[(key + s) % 12] for s in scale) for key in range(12))
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
