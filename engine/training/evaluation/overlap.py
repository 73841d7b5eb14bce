"""How alike two sets of samples are: overlapping areas of the distributions of what can be counted in them.

Source: Yang & Lerch, "On the evaluation of generative models in music" (Neural Computing and Applications, 2018),
section 3. They compare distances between pieces; here it is the quantities themselves, whose overlap says directly
how much of the music is as frequent as it should be: 1 for equal distributions, 0 for such that have nothing in common.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.score.phrase import in_order
from engine.score.time import STEPS_PER_BEAT
from engine.training.evaluation.samples import Sample

_BAR = 4.0
_LONGEST = 32
"""Sixteenths; what is longer counts as so long."""
_WIDEST = 24
"""Semitones; intervals that are wider count as so wide."""
_MOST = 64
"""Onsets in a bar or a second."""
_PER_OCTAVE, _SHORTEST = 4, 0.02
"""Bins for each doubling of a duration in seconds, and where the first one begins."""


def overlaps(made: Sequence[Sample], real: Sequence[Sample], kind: str) -> dict[str, float]:
    """Overlapping areas, 0..1, by the name of the quantity.

    Args:
        made, real: samples of one kind of music and of one length.
        kind: of music, a value of `engine.training.datasets.music.kinds.CORPORA`.

    Returns:
        "pitch" (drums: which drum); "interval": semitones from one onset to the next, of the highest notes (not for
        drums); "duration" of notes (drums: time from one onset to the next), in sixteenths, of performances in
        quarters of octaves of time; "density": onsets per bar, of performances per second; "velocity" (performances,
        in 32 bins). Where there is one drum alone, its "pitch" is left out.
    """
    found = {}
    for name, count in FEATURES[kind].items():
        mine, theirs = (np.sum([count(sample) for sample in part], axis=0) for part in (made, real))
        if name != "pitch" or np.count_nonzero(theirs) > 1:
            found[name] = overlapping_area(mine, theirs)
    return found


def overlapping_area(p: np.ndarray, q: np.ndarray) -> float:
    """What two histograms [bins] have in common when each is scaled to a sum of 1; 0 where one is empty."""
    if not p.sum() or not q.sum():
        return 0.0
    return float(np.minimum(p / p.sum(), q / q.sum()).sum())


def _pitches(sample: Sample) -> np.ndarray:
    return np.bincount(sample.notes["pitch"], minlength=128)


def _intervals(sample: Sample) -> np.ndarray:
    notes = in_order(sample.notes)
    # Sorted by start and pitch: the last note of each start is its highest.
    last = np.append(np.diff(notes["start"]) > 1e-6, True)[: len(notes)]
    steps = np.diff(notes["pitch"][last].astype(int)).clip(-_WIDEST, _WIDEST)
    return np.bincount(steps + _WIDEST, minlength=2 * _WIDEST + 1)


def _durations(sample: Sample) -> np.ndarray:
    return _in_sixteenths(sample.notes["end"] - sample.notes["start"])


def _gaps(sample: Sample) -> np.ndarray:
    return _in_sixteenths(np.diff(np.unique(sample.notes["start"])))


def _in_sixteenths(beats: np.ndarray) -> np.ndarray:
    steps = np.rint(beats * STEPS_PER_BEAT).astype(int).clip(0, _LONGEST)
    return np.bincount(steps, minlength=_LONGEST + 1)


def _times(sample: Sample) -> np.ndarray:
    seconds = np.maximum(sample.notes["end"] - sample.notes["start"], _SHORTEST)
    places = np.floor(np.log2(seconds / _SHORTEST) * _PER_OCTAVE).astype(int).clip(0, 10 * _PER_OCTAVE)
    return np.bincount(places, minlength=10 * _PER_OCTAVE + 1)


def _density(unit: float) -> Callable[[Sample], np.ndarray]:
    def count(sample: Sample) -> np.ndarray:
        places = np.floor(sample.notes["start"] / unit + 1e-6).astype(int)
        onsets = np.bincount(places, minlength=round(sample.length / unit)).clip(0, _MOST)
        return np.bincount(onsets, minlength=_MOST + 1)

    return count


def _velocities(sample: Sample) -> np.ndarray:
    return np.bincount(sample.notes["velocity"] // 4, minlength=32)


_ON_A_GRID = {"pitch": _pitches, "interval": _intervals, "duration": _durations, "density": _density(_BAR)}
FEATURES: dict[str, dict[str, Callable[[Sample], np.ndarray]]] = {
    "drums": {"pitch": _pitches, "duration": _gaps, "density": _density(_BAR)},
    "melody": _ON_A_GRID,
    "lead_sheet": _ON_A_GRID,
    "polyphony": _ON_A_GRID,
    "performance": {
        "pitch": _pitches,
        "interval": _intervals,
        "duration": _times,
        "density": _density(1.0),
        "velocity": _velocities,
    },
}
"""Histograms of a sample, by kind of music and name."""
