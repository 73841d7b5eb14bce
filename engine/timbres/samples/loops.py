# pyright: strict
"""Loops in sounds that sustain: two places that are alike, with a crossfade baked in before the second."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.score.time import SAMPLE_RATE
from engine.timbres.samples.loudness import Sound
from engine.timbres.samples.trimming import levels

_STEP = SAMPLE_RATE // 50
"""Frames of a level: 20 ms, a whole period of all but the lowest notes."""

_STEADY = 6.0
"""Decibels around its median within which a sound is steady."""

_FALL = 5.0
"""Decibels a second: a sound that rises or falls faster does not sustain, and rings out."""

_SHORTEST = 0.25
_ATTACK = 0.08
"""Seconds: of a loop, and before the earliest one."""

_FADES = (0.06, 0.25)
"""Seconds of the crossfade: of sounds that repeat, and of choirs and the like, which do not."""

_ALIKE = 0.9
"""Correlation from which the short crossfade is enough."""

_MOST_GAIN = 3.0
"""Decibels by which the end of a loop may differ from its start before it is made equal."""

_BEHIND = 64
"""Frames behind a loop, the same as at its start: the sampler interpolates over its end."""


@dataclass(frozen=True, slots=True)
class Looped:
    """A sound with a loop.

    Attributes:
        sound: array [frames, 1 or 2]; little follows the loop.
        start: first frame of the loop.
        end: frame after its last one.
        correlation: of what was crossfaded, -1..1.
    """

    sound: Sound
    start: int
    end: int
    correlation: float


def find_loop(sound: Sound) -> Looped | None:
    """The best loop of a sound, or None for one that does not sustain.

    Args:
        sound: array [frames, 1 or 2] at 48 kHz, without silence around it.
    """
    steady = _steady(sound)
    if steady is None:
        return None
    best: Looped | None = None
    for seconds in _FADES:
        fade = min(int(seconds * SAMPLE_RATE), (steady[1] - steady[0]) // 4)
        best = _best(sound, steady, fade)
        if best is not None and best.correlation >= _ALIKE:
            break
    return best


def _steady(sound: Sound) -> tuple[int, int] | None:
    """First and last frame between which a sound sustains."""
    power = levels(sound, _STEP)
    if len(power) < 4 or float(power.max()) <= 1e-10:
        return None
    smooth = np.convolve(np.pad(power, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    decibels = 10.0 * np.log10(smooth + 1e-12)
    loud = decibels[decibels > decibels.max() - 20.0]
    inside = np.flatnonzero(decibels >= np.median(loud) - _STEADY)
    first = max(int(inside[0]) * _STEP, int(_ATTACK * SAMPLE_RATE))
    last = min((int(inside[-1]) - 1) * _STEP, len(sound) - _STEP)
    if last - first < 1.3 * _SHORTEST * SAMPLE_RATE:
        return None
    heard = decibels[first // _STEP : last // _STEP]
    rise = float(np.polyfit(np.arange(len(heard)) * _STEP / SAMPLE_RATE, heard, 1)[0])
    return (first, last) if abs(rise) <= _FALL else None


def _best(sound: Sound, steady: tuple[int, int], fade: int) -> Looped | None:
    first, last = steady
    shortest = max(int(_SHORTEST * SAMPLE_RATE), 2 * fade)
    found: list[tuple[float, int, int, float]] = []
    for share in (1.0, 0.9, 0.8, 0.7):
        end = int(first + share * (last - first))
        if end - shortest - fade <= first:
            continue
        alike, decibels = _alike(sound[first : end - shortest], sound[end - fade : end])
        # Longer loops are heard less; what is alike counts more.
        lengths = (end - first - fade - np.arange(len(alike))) / (last - first)
        worth = alike + 0.1 * lengths - 0.01 * np.abs(decibels) - np.where(np.abs(decibels) > _MOST_GAIN, 2.0, 0.0)
        place = int(worth.argmax())
        found.append((float(worth[place]), first + fade + place, end, float(alike[place])))
    if not found or max(found)[0] < 0.0:
        return None
    _, start, end, correlation = max(found)
    return _crossfaded(sound, start, end, fade, correlation)


def _alike(where: Sound, what: Sound) -> tuple[np.ndarray, np.ndarray]:
    """Correlation with each stretch of a sound, and how many decibels louder that is: arrays [places]."""
    length, places = len(what), len(where) - len(what) + 1
    size = 1 << (len(where) + length).bit_length()
    across = np.fft.irfft(np.fft.rfft(where, size, axis=0) * np.conj(np.fft.rfft(what, size, axis=0)), size, axis=0)
    total = np.concatenate([[0.0], np.cumsum(np.square(where.astype(np.float64)).sum(axis=1))])
    there = np.maximum(total[length:] - total[:-length], 1e-12)
    here = max(float(np.square(what.astype(np.float64)).sum()), 1e-12)
    return across[:places].sum(axis=1) / np.sqrt(there * here), 10.0 * np.log10(there / here)


def _crossfaded(sound: Sound, start: int, end: int, fade: int, correlation: float) -> Looped:
    """The end of the loop leads into what is before its start; level and shape go over without a step."""
    made = sound[:end].astype(np.float64)
    before, behind = made[start - fade : start].copy(), made[end - fade :]
    ratio = math.sqrt(max(float(np.square(before).mean()), 1e-20) / max(float(np.square(behind).mean()), 1e-20))
    made[start:] *= np.exp(np.linspace(0.0, math.log(ratio), end - start))[:, None]
    share = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, fade, endpoint=False))
    # What is alike adds up by amplitude, what is not by power.
    scale = 1.0 / np.sqrt(share**2 + (1.0 - share) ** 2 + 2.0 * max(correlation, 0.0) * share * (1.0 - share))
    made[end - fade :] = (made[end - fade :] * (1.0 - share)[:, None] + before * share[:, None]) * scale[:, None]
    whole = np.concatenate([made, made[start : start + _BEHIND]]).astype(np.float32)
    return Looped(whole, start, end, correlation)
