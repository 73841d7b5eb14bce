# pyright: strict
"""The pitch of one note.

The normalised square difference of McLeod and Wyvill (*A smarter way to find pitch*, ICMC 2005), summed over the
loudest second and a half, chooses the period; the lowest strong partial, in a long spectrum, says with it how the note
is tuned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.sound.instruments.samples import resampled

_RATE = 16_000
"""Hz, at which a note is analysed."""

_LOWEST, _HIGHEST = 25.0, 5000.0
"""Hz: pitches beyond are not looked for. A0 is 27.5 Hz, C8 4186 Hz."""

_WINDOW, _HOP, _HEARD = 0.1, 0.03, 1.5
"""Seconds: of a frame, between frames, and of the loudest stretch that is analysed."""

_FINE = 4
"""Places in a frame at which periods are looked for."""

_NEARLY_BEST = 0.9
"""The shortest period counts whose clarity is at least this share of the greatest."""

_SUPPORTED = 0.8
"""A period near the expected pitch counts instead if its clarity is at least this share of the greatest."""

_PARTIALS = 4
_STRETCH = 0.8
"""Semitones to either side of a multiple of the pitch within which a partial is looked for."""

_STRONG = 0.01
"""A partial is strong that has this share of the power of the strongest of the first ones."""

_AUDIBLE = 1e-4
"""A partial is audible that has this share of the power of the strongest."""

_AGREE = 0.4
"""Semitones within which period and partial say the same."""

UNCLEAR = 0.6
"""Below this clarity a sound has no pitch that one could tune by: noise, drums, clusters."""

Mono = np.ndarray[tuple[int], np.dtype[np.float32]]
"""A sound of one channel: array [frames] of float32."""


@dataclass(frozen=True, slots=True)
class HeardPitch:
    """What the tracker heard.

    Attributes:
        pitch: MIDI pitch, with fractions.
        clarity: 0 (noise) .. 1 (strictly periodic).
    """

    pitch: float
    clarity: float

    @property
    def clear(self) -> bool:
        """Whether the sound has a pitch by which it can be tuned."""
        return self.clarity >= UNCLEAR


def track_pitch(sound: Mono, rate: int, near: float | None = None) -> HeardPitch | None:
    """The pitch of a sound that holds one note.

    Args:
        sound: array [frames]; finite numbers.
        rate: in Hz.
        near: MIDI pitch that it is said to have: a period within a semitone and a half of it is preferred if the sound
            has it, too.

    Returns:
        None if nothing in it repeats: silence, or fewer than two periods.
    """
    heard = _loudest(_prepared(sound, rate))
    if len(heard) < 2 * _RATE // int(_HIGHEST) or not heard.any():
        return None
    clarity = _clarity(heard)
    periods = _key_maxima(clarity)
    if not periods:
        return None
    spectrum = _Spectrum(heard)
    period, found = _chosen(periods, near, spectrum)
    hertz = spectrum.tuned(_RATE / period)
    return HeardPitch(69.0 + 12.0 * math.log2(hertz / 440.0), min(1.0, max(0.0, found)))


def _prepared(sound: Mono, rate: int) -> np.ndarray:
    """[frames] of float64 at the rate of analysis, without offset."""
    even = np.asarray(sound, np.float64)
    even = even - even.mean() if len(even) else even
    return resampled(even, rate, _RATE)


def _loudest(sound: np.ndarray) -> np.ndarray:
    """The stretch with the greatest energy, but for the first 30 ms, in which a struck note is still noise."""
    length = int(_HEARD * _RATE)
    attack = int(_HOP * _RATE)
    if len(sound) > 4 * attack:
        sound = sound[attack:]
    if len(sound) <= length:
        return sound
    energy = np.concatenate([[0.0], np.cumsum(sound**2)])
    return sound[(start := int((energy[length:] - energy[:-length]).argmax())) : start + length]


def _clarity(sound: np.ndarray) -> np.ndarray:
    """How alike the sound is to itself some time later, -1..1: array [quarters of a frame of the longest period + 1].

    Quarters, because the period of a high note has few frames.
    """
    longest = int(_RATE / _LOWEST)
    window = int(_WINDOW * _RATE)
    size = window + longest
    padded = np.pad(sound, (0, max(0, size - len(sound))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[:: int(_HOP * _RATE)]
    width = 1 << (size + window - 1).bit_length()
    spectra = np.conj(np.fft.rfft(frames[:, :window], width)) * np.fft.rfft(frames, width)
    alike = _FINE * np.fft.irfft(spectra.sum(axis=0), _FINE * width)[: _FINE * longest + 1]
    power = np.concatenate([np.zeros((len(frames), 1)), np.cumsum(frames**2, axis=1)], axis=1).sum(axis=0)
    both = power[window] + power[window : window + longest + 1] - power[: longest + 1]
    periods = np.arange(len(alike), dtype=np.float64) / _FINE
    return 2.0 * alike / np.maximum(_between(periods, both), 1e-20)


def _between(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values at places between them, by straight lines."""
    return np.interp(places, np.arange(len(values)), values)


def _key_maxima(clarity: np.ndarray) -> list[tuple[float, float]]:
    """(period in frames, clarity) of the highest point of each stretch above zero, but the first, which is no period.

    Where a slow movement keeps all of it above zero, every maximum counts.
    """
    above = clarity > 0.0
    first = int(np.flatnonzero(~above)[0]) if not above.all() else 0
    edges = np.flatnonzero(np.diff(above[first:].astype(np.int8))) + 1 + first
    if first and len(edges):
        starts, ends = edges[::2], np.append(edges[1::2], len(clarity))[: len(edges[::2])]
        places = [start + int(clarity[start:end].argmax()) for start, end in zip(starts, ends, strict=True)]
    else:
        places = list(np.flatnonzero((clarity[1:-1] > clarity[:-2]) & (clarity[1:-1] >= clarity[2:])) + 1)
    shortest = _FINE * _RATE / _HIGHEST
    peaks = (_peak(clarity, int(place)) for place in places if shortest <= place < len(clarity) - 1)
    return [(place / _FINE, height) for place, height in peaks]


def _peak(values: np.ndarray, place: int) -> tuple[float, float]:
    """Where the parabola through three values has its extremum, and how high it is."""
    before, here, after = (float(value) for value in values[place - 1 : place + 2])
    bend = before - 2.0 * here + after
    shift = 0.5 * (before - after) / bend if bend else 0.0
    shift = min(1.0, max(-1.0, shift))
    return place + shift, here - 0.25 * (before - after) * shift


def _chosen(periods: list[tuple[float, float]], near: float | None, spectrum: _Spectrum) -> tuple[float, float]:
    """The shortest period that is nearly the clearest, or one near an expected pitch that the sound has, too."""
    best = max(clarity for _, clarity in periods)
    first = next(one for one in periods if one[1] >= _NEARLY_BEST * best)
    if near is None:
        return first
    wanted = _RATE / (440.0 * 2.0 ** ((near - 69.0) / 12.0))
    close = [one for one in periods if abs(math.log2(one[0] / wanted)) < 1.5 / 12 and one[1] >= _SUPPORTED * best]
    # Whatever repeats after a while repeats after twice as long; only a partial of its own makes that the pitch.
    close = [one for one in close if one[0] < 1.5 * first[0] or spectrum.has(_RATE / one[0])]
    return max(close, key=lambda one: one[1], default=first)


class _Spectrum:
    """The power spectrum of a sound, and what partials it has.

    Args:
        sound: array [frames] at the rate of analysis.
    """

    def __init__(self, sound: np.ndarray) -> None:
        self._size = 1 << (4 * len(sound) - 1).bit_length()
        self._power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), self._size)) ** 2

    def partial(self, hertz: float) -> tuple[float, float] | None:
        """(frequency in Hz, power) of the partial near a frequency; None where there is but the slope of another."""
        low, high = (round(hertz * 2.0 ** (step / 12.0) * self._size / _RATE) for step in (-_STRETCH, _STRETCH))
        if not 1 <= low < high < len(self._power) - 1:
            return None
        power = self._power[low:high]
        place = int(power.argmax())
        if not 0 < place < len(power) - 1:
            return None
        around = np.where(power >= 0.1 * power[place], power, 0.0)
        middle = float(np.average(np.arange(low, high), weights=around))  # pyright: ignore[reportUnknownArgumentType]
        return middle * _RATE / self._size, float(power[place])

    def has(self, hertz: float) -> bool:
        """Whether there is a partial at a frequency, or at three times it, that can be heard beside the strongest."""
        strongest = max(self._power.tolist())
        found = [self.partial(number * hertz) for number in (1, 3)]
        return any(one is not None and one[1] >= _AUDIBLE * strongest for one in found)

    def tuned(self, hertz: float) -> float:
        """A pitch between the period's and that of the lowest strong partial, in Hz.

        Overtones of strings and bars stretch the period; vibrato and beats move the peak of a partial.
        """
        found = [(number, self.partial(number * hertz)) for number in range(1, _PARTIALS + 1)]
        partials = [(one[0] / number, one[1]) for number, one in found if one is not None]
        strongest = max((power for _, power in partials), default=0.0)
        partial = next((there for there, power in partials if power >= _STRONG * strongest), hertz)
        # Where both differ by much the partial is right: the period is that of an overtone that is no multiple.
        return math.sqrt(partial * hertz) if abs(math.log2(partial / hertz)) < _AGREE / 12.0 else partial
