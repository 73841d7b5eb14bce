# pyright: strict
"""Envelopes of a note that sounds, at a known pitch: what the network learns from, and how it hears a recording.

Partials are heterodyned: the complex level of each one is the product of the sound with a windowed oscillator of its
frequency, for all frames at once. A window has four periods, so that a Hann window's main lobe leaves the neighbours
out. Noise is what lies between partials in windows of eight periods. Where a window reaches back before the note's
beginning its level is divided by that part of the window which the note fills: attacks stay sharp.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.errors import PerpetuumError
from engine.timbres.neural.layout import (
    BAND_EDGES,
    BAND_MIDDLES,
    BANDS,
    FLOOR,
    FLUTTER_BANDS,
    FLUTTER_OF,
    MOMENTS,
    PARTIALS,
    RATE,
    SECONDS,
    TOP,
    Array,
    Doubles,
    Envelopes,
    hertz_of,
    partial_hertz,
)
from engine.timbres.neural.synthesis import render

_HOP = 240
"""Frames between two looks at the partials: 5 ms."""

_FARTHEST = 60.0
"""Cents up to which a note may be off; beyond it is taken to be in tune."""

_STIFFEST = 0.002
_ATTACK = 0.1
"""Seconds of the attack, in which what partials and noise do not account for becomes noise, too."""

_ATTACK_WINDOW = 512


@dataclass(frozen=True, slots=True)
class Analysis:
    """A note taken apart.

    Attributes:
        envelopes: of it.
        level: by which its loudest moment was above that of the envelopes, dB.
        cents: by which it is off its pitch.
    """

    envelopes: Envelopes
    level: float
    cents: float


def analyse(sound: Array, pitch: int, attack: bool = True) -> Analysis:
    """Take a note apart.

    Args:
        sound: [frames] at 48 kHz, from the note's beginning on; three seconds of it are heard.
        pitch: MIDI pitch that it has.
        attack: account for the attack by a second look.

    Raises:
        PerpetuumError: it is silent, or holds what is no number.
    """
    length = round(SECONDS * RATE)
    heard = np.zeros(length, np.float32)
    given = np.asarray(sound[:length], np.float32)
    heard[: len(given)] = given
    if not np.isfinite(heard).all():
        raise PerpetuumError("the note has samples that are not numbers")
    if not float(np.abs(heard).max()) > 1e-6:
        raise PerpetuumError("the note is silent")
    cents, stretch = _tuning(heard, pitch)
    true_pitch = pitch + cents / 100.0
    hertz = partial_hertz(true_pitch, stretch)
    levels = _levels(heard, hertz, hertz_of(true_pitch))
    vibrato = _vibrato(heard, hertz, hertz_of(true_pitch))
    power = np.abs(levels) ** 2
    partials = _at_moments(power)
    partials[:, hertz >= TOP] = 0.0
    noise = _noise(heard, hertz)
    # As loud as a full-scale sine is 0 dB; the loudest moment of the whole note is made so.
    top = float((partials.sum(axis=1) + noise.sum(axis=1)).max())
    level = 10.0 * np.log10(max(top, 1e-20))
    made = Envelopes(_decibels(partials / top), _decibels(noise / top), _flutter(power, partials), stretch, vibrato)
    if attack:
        made = _with_attack(made, heard / np.float32(np.sqrt(top)), true_pitch)
    return Analysis(made, float(level), cents)


def _decibels(power: Doubles) -> Array:
    return np.maximum(10.0 * np.log10(np.maximum(power, 1e-20)), FLOOR).astype(np.float32)


def _window(periods: float, hertz: float, shortest: int, longest: int) -> int:
    """Frames of a window, even."""
    return 2 * (int(np.clip(periods * RATE / hertz, shortest, longest)) // 2)


def _frames(sound: Array, width: int, hop: int) -> Array:
    """[looks, width], the middle of each a hop after the one before, the first at the note's beginning."""
    padded = np.pad(sound, (width // 2, width // 2))
    return np.lib.stride_tricks.sliding_window_view(padded, width)[::hop]


def _filled(width: int, looks: int, hop: int, length: int) -> tuple[Doubles, Doubles]:
    """The window, and the sum of it that lies within the note, for each look."""
    window = np.hanning(width + 1)[:-1]
    sums = np.concatenate([[0.0], np.cumsum(window)])
    middles = np.arange(looks) * hop
    first = np.clip(width // 2 - middles, 0, width)
    last = np.clip(width // 2 + length - middles, 0, width)
    return window, np.maximum(sums[last] - sums[first], 0.05 * sums[-1])


def _levels(sound: Array, hertz: Doubles, pitch_hertz: float, hop: int = _HOP, periods: float = 4.0) -> np.ndarray:
    """[looks, partials] complex amplitudes."""
    width = _window(periods, pitch_hertz, 512, 8192)
    frames = _frames(sound, width, hop)
    window, filled = _filled(width, len(frames), hop, len(sound))
    time = (np.arange(width) - width // 2) / RATE
    angles = 2 * np.pi * np.outer(time, hertz)
    both = np.concatenate([np.cos(angles), -np.sin(angles)], axis=1) * window[:, None]
    found = frames @ both.astype(np.float32)
    count = len(hertz)
    return 2.0 * (found[:, :count] + 1j * found[:, count:]) / filled[:, None]


def _tuning(sound: Array, pitch: int) -> tuple[float, float]:
    """(cents that a note is off, its stretch), by how fast the phases of its partials turn."""
    base = hertz_of(pitch)
    cents, stretch = 0.0, 0.0
    for reach in (4, 10, 24):
        hertz = partial_hertz(pitch + cents / 100.0, stretch)[:reach]
        hertz = hertz[hertz < TOP]
        found = _levels(sound, hertz, base, hop=_HOP, periods=8.0)[12:]
        turning = (found[1:] * np.conj(found[:-1])).sum(axis=0) * np.exp(-2j * np.pi * hertz * _HOP / RATE)
        measured = hertz + np.angle(turning) / (2 * np.pi) * RATE / _HOP
        strength = (np.abs(found) ** 2).sum(axis=0)
        trusted = np.abs(turning) / np.maximum(strength, 1e-20)
        numbers = np.arange(1, len(hertz) + 1)
        # Peaks count by their level, not by their power: else the loudest partial alone decides.
        weight = np.sqrt(strength) * (trusted > 0.7) * (np.abs(measured - hertz) < 0.2 * base)
        weight = weight * (strength > 1e-5 * strength.max(initial=0.0))
        if not weight.any():
            break
        squares = (measured / numbers) ** 2
        middle = float(np.average(squares, weights=weight))
        slope = 0.0
        if (weight > 0).sum() >= 4 and reach > 4:
            x = numbers**2 - np.average(numbers**2, weights=weight)
            slope = float((weight * x * (squares - middle)).sum() / max((weight * x**2).sum(), 1e-12))
        first = middle - slope * float(np.average(numbers**2, weights=weight)) if slope > 0 else middle
        if first <= 0:
            break
        now = 1200.0 * np.log2(np.sqrt(first) / base)
        if abs(now) > _FARTHEST:
            return 0.0, 0.0
        cents, stretch = float(now), float(np.clip(slope / first, 0.0, _STIFFEST))
    return cents, stretch


def _at_moments(power: Doubles) -> Doubles:
    """[moments, columns]: the mean power around each moment, halfway to its neighbours."""
    edges = np.concatenate([[0.0], (MOMENTS[1:] + MOMENTS[:-1]) / 2.0, [SECONDS]])
    hop = _HOP / RATE
    sums = np.concatenate([np.zeros((1, power.shape[1])), np.cumsum(power, axis=0)])
    # A look stands for the 5 ms around it.
    first = np.round(edges[:-1] / hop + 0.001).astype(int)
    last = np.maximum(np.round(edges[1:] / hop).astype(int), first + 1)
    last = np.minimum(last, len(power))
    first = np.minimum(first, last - 1)
    return (sums[last] - sums[first]) / (last - first)[:, None]


def _noise(sound: Array, hertz: Doubles) -> Doubles:
    """[moments, BANDS]: power of what lies between the partials."""
    base = float(hertz[0])
    width = _window(8.0, base, 1024, 16384)
    size = 1 << (width - 1).bit_length()
    frames = _frames(sound, width, 2 * _HOP)
    window, filled = _filled(width, len(frames), 2 * _HOP, len(sound))
    spectrum = np.fft.rfft(frames * window.astype(np.float32), size, axis=1)
    # Power of a band: the mean density in it times its width; windowed noise has the window's energy.
    energy = filled * float((window**2).sum() / window.sum())
    density = 2.0 * (np.abs(spectrum) ** 2) / (energy[:, None] * RATE)
    bins = np.fft.rfftfreq(size, 1.0 / RATE)
    near = np.clip(np.searchsorted(hertz, bins), 1, PARTIALS - 1)
    away = np.minimum(np.abs(bins - hertz[near]), np.abs(bins - hertz[near - 1]))
    free = (away > 0.3 * base) | (bins < 0.7 * base) | (bins > hertz[-1] + 0.3 * base)
    found = np.full((len(frames), BANDS), np.nan)
    for band in range(BANDS):
        inside = free & (bins >= BAND_EDGES[band]) & (bins < BAND_EDGES[band + 1])
        if inside.any():
            found[:, band] = density[:, inside].mean(axis=1)
    known = ~np.isnan(found[0])
    logs = np.log(np.maximum(found[:, known], 1e-24))
    places = np.log(BAND_MIDDLES)
    rows: list[Doubles] = [np.asarray(np.interp(places, places[known], row), np.float64) for row in logs]
    power = 2.0 * np.exp(np.stack(rows)) * np.diff(BAND_EDGES)
    looks = (len(sound) // _HOP) + 1
    doubled = np.repeat(power, 2, axis=0)[:looks]
    return _at_moments(doubled)


def _flutter(power: Doubles, partials: Doubles) -> Array:
    """[FLUTTER_BANDS], dB: how far levels stray from their envelopes, within 0.3 to 2.5 s."""
    moments = np.arange(len(power)) * (_HOP / RATE)
    heard = (moments > 0.3) & (moments < 2.5)
    # Against a smooth way through it: that of a third of a second.
    logs = 10.0 * np.log10(np.maximum(power[heard], 1e-12 * max(float(power.max()), 1e-20)))
    width = 67
    kernel = np.hanning(width + 2)[1:-1]
    kernel /= kernel.sum()
    strength = partials.mean(axis=0)
    made = np.zeros(FLUTTER_BANDS, np.float32)
    smooth = np.apply_along_axis(lambda column: np.convolve(column, kernel, "valid"), 0, logs)
    stray = (logs[width // 2 : width // 2 + len(smooth)] - smooth).std(axis=0)
    for group in range(FLUTTER_BANDS):
        inside = (group == FLUTTER_OF) & (strength > 1e-5 * strength.max())
        if inside.any():
            made[group] = np.average(stray[inside], weights=np.sqrt(strength[inside]))
        elif group:
            made[group] = made[group - 1]
    return np.clip(made, 0.0, 6.0)


def _vibrato(sound: Array, hertz: Doubles, base: float) -> float:
    """Cents to either side by which the pitch swings 3 to 8 times a second; 0 where it does not."""
    found = _levels(sound, hertz[:6], base)
    strength = (np.abs(found) ** 2).sum(axis=0)
    best = int(strength.argmax())
    steps = np.angle(found[1:, best] * np.conj(found[:-1, best]) * np.exp(-2j * np.pi * hertz[best] * _HOP / RATE))
    cents = 1200.0 / np.log(2) * (steps / (2 * np.pi) * RATE / _HOP) / hertz[best]
    loud = np.abs(found[1:, best]) > 0.05 * np.abs(found[:, best]).max()
    middle = np.where(loud, np.clip(cents, -100, 100), 0.0)[100:560]
    window = np.hanning(len(middle))
    spectrum = np.abs(np.fft.rfft((middle - middle.mean()) * window, 4096)) / window.sum() * 2
    rates = np.fft.rfftfreq(4096, _HOP / RATE)
    swing = spectrum[(rates > 3.5) & (rates < 8.0)].max()
    return float(swing) if swing > 2.0 else 0.0


def _with_attack(made: Envelopes, heard: Array, pitch: float) -> Envelopes:
    """Noise that makes the attack as loud in each band as it is: hammers, plectra, breath."""
    own = render(made, pitch, _ATTACK + 0.05)
    wanted, have = (_attack_power(sound) for sound in (heard, own))
    lacking = np.maximum(wanted - 1.4 * have, 0.0)
    count = len(lacking)
    noise = 10.0 ** (made.noise.astype(np.float64) / 10.0)
    noise[:count] += lacking
    return replace(made, noise=_decibels(noise))


def _attack_power(sound: Array) -> Doubles:
    """[moments of the attack, BANDS]: power in each band, in short windows."""
    moments = MOMENTS[MOMENTS < _ATTACK]
    half = _ATTACK_WINDOW // 2
    padded = np.pad(sound[: int((_ATTACK + 0.05) * RATE)], (half, half))
    frames = np.stack([padded[round(moment * RATE) :][:_ATTACK_WINDOW] for moment in moments])
    window = np.hanning(_ATTACK_WINDOW + 1)[:-1]
    sums = np.concatenate([[0.0], np.cumsum(window**2)])
    first = np.clip(half - np.round(moments * RATE).astype(int), 0, half)
    energy = sums[-1] - sums[first]
    spectrum = np.abs(np.fft.rfft(frames * window, 4096, axis=1)) ** 2 / energy[:, None]
    bins = np.fft.rfftfreq(4096, 1.0 / RATE)
    sums = np.concatenate([np.zeros((len(moments), 1)), np.cumsum(spectrum, axis=1)], axis=1)
    places = np.searchsorted(bins, BAND_EDGES)
    # A full-scale sine, whose power is a half, has 1; narrow bands share the bins of a wide window.
    return 4.0 * (sums[:, places[1:]] - sums[:, places[:-1]]) / 4096.0
