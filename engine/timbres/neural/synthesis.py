# pyright: strict
"""Sound of envelopes: oscillators in blocks, as products of matrices, and noise that is shaped in its spectrum.

A note of 3 s costs some hundredths of a second of one core: within a block of 256 frames partials do not change their
frequency and their level moves on a straight line, so that a note is two products of [blocks, partials] and
[partials, 256].
"""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.timbres.neural.layout import (
    BAND_EDGES,
    FLOOR,
    FLUTTER_OF,
    MOMENTS,
    PARTIALS,
    RATE,
    SECONDS,
    TOP,
    Array,
    Doubles,
    Envelopes,
    partial_hertz,
)

_BLOCK = 256
_SPECTRUM = 1024
"""Frames of a spectrum of the noise; four times as many as between two of them."""

_FLUTTER_HERTZ = 4.0
"""Mean rate of the wandering of partials: what ensembles and reeds have between their beats and their breath."""

_VIBRATO_HERTZ = 5.2
_VIBRATO_BEGINS, _VIBRATO_FULL = 0.25, 0.9
"""Seconds at which a player's vibrato sets in and is whole."""

FADE = 0.005
"""Seconds of fade at a note's very end, so that nothing clicks there."""


def render(envelopes: Envelopes, pitch: float, seconds: float = SECONDS, seed: int = 0) -> Array:
    """The note [frames] at 48 kHz, at the level of its envelopes: a full-scale sine has 0 dB.

    Args:
        envelopes: of the note; beyond their last moment they stand still.
        pitch: MIDI, with fractions.
        seconds: of the note.
        seed: of phases, wandering and noise.
    """
    chance = np.random.default_rng(seed)
    frames = max(1, round(seconds * RATE))
    blocks = -(-frames // _BLOCK)
    tone = _tone(envelopes, pitch, blocks, chance)
    if envelopes.vibrato > 0.5:
        tone = _bent(tone, envelopes.vibrato)
    sound = tone[:frames] + _noise(envelopes.noise, blocks)[:frames]
    fade = min(frames, int(FADE * RATE))
    sound[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return sound.astype(np.float32)


def amplitudes(levels: Array, blocks: int) -> Doubles:
    """[blocks + 1, columns]: envelopes at the edges of blocks, as factors; decibels go on straight lines."""
    moments = np.arange(blocks + 1) * (_BLOCK / RATE)
    places = np.clip(np.searchsorted(MOMENTS, moments, side="right") - 1, 0, len(MOMENTS) - 2)
    share = np.clip((moments - MOMENTS[places]) / (MOMENTS[places + 1] - MOMENTS[places]), 0.0, 1.0)[:, None]
    between = levels[places] * (1.0 - share) + levels[places + 1] * share
    return np.where(between > FLOOR + 0.5, 10.0 ** (between / 20.0), 0.0)


def _tone(envelopes: Envelopes, pitch: float, blocks: int, chance: np.random.Generator) -> Array:
    hertz = partial_hertz(pitch, envelopes.stretch)
    phases = chance.random(PARTIALS)
    wandering = _wandering(envelopes.flutter, blocks, chance)
    audible = hertz < TOP
    level = amplitudes(envelopes.partials, blocks)[:, audible] * wandering[:, audible]
    turns = np.outer(np.arange(blocks), hertz[audible] * _BLOCK / RATE) + phases[audible]
    starts = np.exp(2j * np.pi * (turns % 1.0))
    within = np.exp(2j * np.pi * np.outer(hertz[audible], np.arange(_BLOCK) / RATE))
    even, rising = level[:-1] * starts, np.diff(level, axis=0) * starts
    ramp = (np.arange(_BLOCK) / _BLOCK)[None, :]
    pieces = [np.real(even), -np.imag(even), np.real(rising), -np.imag(rising)]
    parts = np.concatenate(pieces, axis=1).astype(np.float32)
    real, imaginary = np.real(within), np.imag(within)
    waves = np.concatenate([real, imaginary, real * ramp, imaginary * ramp]).astype(np.float32)
    return (parts @ waves).ravel()


def _wandering(flutter: Array, blocks: int, chance: np.random.Generator) -> Doubles:
    """[blocks + 1, PARTIALS] factors around 1: each partial's level goes its own slow way."""
    rate = RATE / _BLOCK
    knots = int(np.ceil((blocks + 1) / rate * 2 * _FLUTTER_HERTZ)) + 2
    drawn = chance.standard_normal((knots, PARTIALS))
    places = np.arange(blocks + 1) / rate * 2 * _FLUTTER_HERTZ
    whole = places.astype(np.int64)
    share = (0.5 - 0.5 * np.cos(np.pi * (places - whole)))[:, None]
    way = drawn[whole] * (1.0 - share) + drawn[whole + 1] * share
    begins = np.minimum(np.arange(blocks + 1) / rate / 0.2, 1.0)[:, None]
    return 10.0 ** (np.clip(way, -2.5, 2.5) * begins * flutter[FLUTTER_OF][None, :] / 20.0)


def _bent(tone: Array, cents: float) -> Array:
    """A tone whose pitch swings, by reading it at moments that swing (cubic interpolation)."""
    time = np.arange(len(tone)) / RATE
    depth = np.clip((time - _VIBRATO_BEGINS) / (_VIBRATO_FULL - _VIBRATO_BEGINS), 0.0, 1.0)
    swing = (2.0 ** (cents / 1200.0) - 1.0) / (2 * np.pi * _VIBRATO_HERTZ) * RATE
    places = np.arange(len(tone)) + depth * swing * np.sin(2 * np.pi * _VIBRATO_HERTZ * time)
    whole = np.clip(places.astype(np.int64), 1, max(1, len(tone) - 3))
    x = (places - whole).astype(np.float32)
    a, b, c, d = (tone[np.minimum(whole + step, len(tone) - 1)] for step in (-1, 0, 1, 2))
    return b + 0.5 * x * (c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a)))


@cache
def _white(blocks: int) -> np.ndarray[tuple[int, int], np.dtype[np.complex64]]:
    """Spectra [blocks + 3, bins] of white noise of power 1, the same for all notes."""
    drawn = np.random.default_rng(1).standard_normal((blocks + 6) * _BLOCK).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(drawn, _SPECTRUM)[::_BLOCK][: blocks + 3]
    window = np.hanning(_SPECTRUM + 1)[:-1].astype(np.float32)
    return np.fft.rfft(frames * window, axis=1).astype(np.complex64)


def _noise(levels: Array, blocks: int) -> Array:
    """Noise [blocks * 256] whose power in each band follows its envelope."""
    hertz = np.fft.rfftfreq(_SPECTRUM, 1.0 / RATE)
    band = np.clip(np.searchsorted(BAND_EDGES, hertz, side="right") - 1, 0, len(BAND_EDGES) - 2)
    # Bands narrower than a bin share one; each gets the power of its own width.
    density = 1.0 / np.sqrt(np.maximum(np.diff(BAND_EDGES), 1e-9) / (RATE / 2.0))
    shape = (amplitudes(levels, blocks) * (density / np.sqrt(2.0))).astype(np.float32)
    filters = np.concatenate([shape[:1], shape[:1], shape])[:, band]
    filters[:, (hertz < BAND_EDGES[0]) | (hertz > TOP)] = 0.0
    pieces = np.fft.irfft(_white(blocks) * filters, axis=1).astype(np.float32)
    pieces *= np.hanning(_SPECTRUM + 1)[:-1].astype(np.float32) / 1.5
    sound = np.zeros((blocks + 6) * _BLOCK, np.float32)
    for quarter in range(4):
        part = pieces[quarter::4].ravel()
        sound[quarter * _BLOCK : quarter * _BLOCK + len(part)] += part
    # Two spectra reach back before the note; the middle of the third is its beginning.
    return sound[4 * _BLOCK : (blocks + 4) * _BLOCK]
