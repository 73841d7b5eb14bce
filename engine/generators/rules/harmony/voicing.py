"""Voice leading: from one chord to the next with little motion."""

from __future__ import annotations

import functools
import itertools

import numpy as np

from engine.score.harmony.chords import Chord
from engine.units import PitchRange

_CLOSE_BELOW = 48
"""Under C3 intervals smaller than a fourth sound muddy."""


@functools.cache
def _ladders(voices: int) -> np.ndarray:
    """Offsets of the voices above the lowest one in rungs of chord tones, [n, voices]: next to each other or wider."""
    steps = np.array(list(itertools.product((1, 2, 3), repeat=voices - 1)), int).reshape(-1, voices - 1)
    return np.concatenate([np.zeros((len(steps), 1), int), np.cumsum(steps, axis=1)], axis=1)


def candidates(chord: Chord, voices: int, span: PitchRange) -> np.ndarray:
    """All voicings of a chord within a range as ascending pitches [n, voices]; fewer voices where they do not fit."""
    classes = set(chord.pitch_classes)
    rungs = np.array([pitch for pitch in range(span.low, span.high + 1) if pitch % 12 in classes])
    voices = min(voices, len(rungs))
    if voices < 2:
        return rungs.reshape(-1, 1)
    ladders = _ladders(voices)
    places = (np.arange(len(rungs))[:, None, None] + ladders[None]).reshape(-1, voices)
    return rungs[places[places[:, -1] < len(rungs)]]


def lead(previous: np.ndarray | None, chord: Chord, voices: int, span: PitchRange, rooted: bool = False) -> np.ndarray:
    """The voicing of a chord that follows another one best, ascending pitches [voices].

    Counted are the motion of all voices (large leaps more), missing and doubled tones, mud in the depth, gaps, octaves
    and fifths in parallel, and the distance from the middle of the range, so that a long walk does not drift off.

    Args:
        previous: pitches of the voicing before, ascending; None for a first one.
        chord: the chord to play.
        voices: wanted number of voices.
        span: lowest and highest pitch.
        rooted: the root is to lie lowest, with fewer voices where the range has no place for all of them above it.
    """
    options = candidates(chord, voices, span)
    for fewer in range(voices, 1, -1) if rooted else ():
        above = candidates(chord, fewer, span)
        if (low := above[:, 0] % 12 == chord.root).any():
            options = above[low]
            break
    count = options.shape[1]
    middle = (span.low + span.high) / 2
    tones = chord.pitch_classes
    present = np.stack([(options % 12 == tone).any(axis=1) for tone in tones], axis=1)
    # What makes the chord what it is: its root, its third or suspension, its colour; the fifth is the least missed.
    worth = np.array([3.0 if interval in (7, 6, 8) else 8.0 for interval in _intervals(chord)])
    worth[0] = 6.0
    cost = ((~present) * worth).sum(axis=1)
    gaps = np.diff(options, axis=1)
    if count > 1:
        cost = cost + 2.0 * ((gaps < 4) & (options[:, :-1] < _CLOSE_BELOW)).sum(axis=1)
        cost = cost + 1.5 * (gaps == 1).sum(axis=1) + 0.8 * np.maximum(gaps[:, 1:] - 9, 0).sum(axis=1)
        cost = cost + 0.4 * np.maximum(gaps[:, 0] - 16, 0)
        cost = cost + 2.0 * np.maximum(0, 12 - (options[:, -1] - options[:, 0])) * 0.15
    cost = cost + 0.25 * np.abs(options.mean(axis=1) - middle)
    cost = cost + np.where(options[:, 0] % 12 == chord.root, -1.5, 0.0)
    third = next((tone for tone, interval in zip(tones, _intervals(chord), strict=True) if interval in (3, 4)), None)
    if third is not None:
        cost = cost + 1.5 * np.maximum((options % 12 == third).sum(axis=1) - 1, 0)
    if previous is not None and len(previous):
        before = _matched(np.sort(np.asarray(previous)), count)
        moves = options - before[None]
        size = np.abs(moves)
        cost = cost + 1.0 * size.sum(axis=1) + 2.5 * np.maximum(size - 4, 0).sum(axis=1)
        if count > 1:
            same_way = np.sign(moves[:, :-1]) * np.sign(moves[:, 1:]) > 0
            perfect = np.isin(gaps % 12, (0, 7)) & (gaps == np.diff(before)[None])
            cost = cost + 1.5 * (same_way & perfect).sum(axis=1)
            all_one_way = (np.abs(np.sign(moves).sum(axis=1)) == count) & (size.min(axis=1) > 1)
            cost = cost + 4.0 * all_one_way
    return options[int(np.argmin(cost))]


def _intervals(chord: Chord) -> tuple[int, ...]:
    return tuple((tone - chord.root) % 12 for tone in chord.pitch_classes)


def _matched(previous: np.ndarray, count: int) -> np.ndarray:
    """A voicing with another number of voices, by dropping or repeating inner ones."""
    places = np.rint(np.linspace(0, len(previous) - 1, count)).astype(int)
    return previous[places]
