# pyright: strict
"""Where a note begins and ends in a recording, and its cutting."""

from __future__ import annotations

import numpy as np

from engine.score.time import SAMPLE_RATE
from engine.timbres.samples.loudness import Sound

_STEP = SAMPLE_RATE // 500
"""Frames of a level: 2 ms."""

_BEGINS, _ENDS = 40.0, 54.0
"""Decibels under its loudest moment at which a note begins and ends."""

_OVER_FLOOR = 9.0
"""Decibels that both lie above the noise of the room, where a recording has some before or after the note."""

_EARLY = SAMPLE_RATE // 1000
_FADE_IN, _FADE_OUT = SAMPLE_RATE // 2000, SAMPLE_RATE // 50


def levels(sound: Sound, step: int = _STEP) -> np.ndarray:
    """Mean square of each stretch of `step` frames, the louder side's: array [stretches] of float64."""
    whole = np.pad(sound.astype(np.float64), ((0, -len(sound) % step), (0, 0)))
    return np.square(whole).reshape(-1, step, sound.shape[1]).mean(axis=1).max(axis=1)


def trimmed(sound: Sound, longest: float) -> Sound:
    """A note without the silence around it, faded at its edges.

    Args:
        sound: array [frames, 1 or 2] at 48 kHz.
        longest: seconds of what is kept; what is longer fades out over its last quarter.
    """
    power = levels(sound)
    top = float(power.max(initial=0.0))
    if top <= 0.0:
        return sound
    floor = _floor(power) * 10.0 ** (_OVER_FLOOR / 10.0)
    begins, ends = (min(max(top * 10.0 ** (-under / 10.0), floor), 0.1 * top) for under in (_BEGINS, _ENDS))
    loud = np.flatnonzero(power >= begins)
    first = max(0, int(loud[0]) * _STEP - _EARLY)
    last = min(len(sound), (int(np.flatnonzero(power >= ends)[-1]) + 1) * _STEP + _FADE_OUT)
    kept = sound[first:last].copy()
    most = int(longest * SAMPLE_RATE)
    fade = min(_FADE_OUT, len(kept) // 4)
    if len(kept) > most:
        kept, fade = kept[:most], most // 4
    # A recording that begins at full level is cut in the middle of a note; one that begins in silence needs no fade.
    rise = min(_FADE_IN, len(kept) // 8)
    if rise:
        kept[:rise] *= np.linspace(0.0, 1.0, rise, endpoint=False, dtype=np.float32)[:, None]
    if fade:
        kept[-fade:] *= (0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, fade, dtype=np.float32)))[:, None]
    return kept


def _floor(power: np.ndarray) -> float:
    """Mean square of the noise around a note: of the quietest 50 ms; 0 where the sound is no louder than that."""
    stretch = 25
    if len(power) < 4 * stretch:
        return 0.0
    total = np.concatenate([[0.0], np.cumsum(power)])
    quietest = float(((total[stretch:] - total[:-stretch]) / stretch).min())
    return quietest if quietest < 1e-4 * float(power.max()) else 0.0
