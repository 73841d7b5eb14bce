"""A kit of recorded drums. Hits are summed by numpy into one block, which the graph plays: exact to the frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.score.drums import CLASS_OF_PITCH, CLASSES
from engine.score.time import SAMPLE_RATE
from engine.sound.instruments.effects import stereo_chain
from engine.sound.instruments.samples import read_sample, resampled
from engine.sound.instruments.voices import decibels, velocity_gain
from engine.sound.messages import BLOCK
from engine.sound.settings import Drum, DrumKitSettings, DrumSample
from engine.sound.synth import BlockBus

_CHOKE_FRAMES = 480
"""A choked drum fades out in 10 ms."""

_DARK = 1800.0
"""Hz: the darkened version of a drum is low-passed here, 6 dB an octave."""

_VARIATIONS = ((0.0, 0.0, 0.0), (0.35, -0.12, -0.9), (-0.3, 0.12, 0.4))
"""Semitones, darkness and dB by which hits differ at full variation; they take turns."""

_VARIED = 0.7
"""Seconds; a longer recording is not varied: cymbals ring into one another, and memory is dear."""


@dataclass(slots=True, eq=False)
class _Take:
    """One recording, with the drum's gain and pan applied.

    Attributes:
        frames: its length.
        versions: array [2, frames * 2] of float32: interleaved stereo, as it is and low-passed.
        low: lowest velocity.
        high: highest velocity.
        dark: how much of the low-passed version is added to what the velocity asks for.
    """

    frames: int
    versions: np.ndarray
    low: int
    high: int
    dark: float


@dataclass(slots=True, eq=False)
class _Hit:
    """A sounding drum.

    Attributes:
        take: what it plays.
        start: frame of the next block at which it starts; later, minus the frames already played.
        gains: array [2] of float32: of the two versions.
        choke: its choke group.
        fade_from: frame of its recording at which a fade begins; beyond its end for none.
    """

    take: _Take
    start: int
    gains: np.ndarray
    choke: str
    fade_from: int


def _darken(sound: np.ndarray) -> np.ndarray:
    """A one-pole low-pass at `_DARK`, made once, by Fourier transform; [frames, 2]."""
    # A power of two is transformed much faster, and the silence behind keeps the end from leaking into the beginning.
    size = 1 << len(sound).bit_length()
    spectrum = np.fft.rfft(sound.T, n=size)
    hertz = np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE)
    darkened = np.fft.irfft(spectrum / (1.0 + 1j * hertz / _DARK), n=size)[:, : len(sound)]
    return np.ascontiguousarray(darkened.T, np.float32)


def _takes(drum: Drum, one: DrumSample, folder: Path, variation: float) -> list[_Take]:
    """A recording as it is, and varied if it is short."""
    sound = read_sample(folder / one.file, drum.tune)
    if drum.length is not None:
        sound = sound[: max(16, int(drum.length * SAMPLE_RATE))].copy()
    varied = variation > 0.0 and len(sound) <= _VARIED * SAMPLE_RATE
    return [
        _take(drum, one, _tuned(sound, semitones * variation), dark * variation, level * variation)
        for semitones, dark, level in (_VARIATIONS if varied else _VARIATIONS[:1])
    ]


def _tuned(sound: np.ndarray, semitones: float) -> np.ndarray:
    return resampled(sound, SAMPLE_RATE, SAMPLE_RATE / 2.0 ** (semitones / 12.0)) if semitones else sound.copy()


def _take(drum: Drum, one: DrumSample, sound: np.ndarray, dark: float, level: float) -> _Take:
    """A recording [frames, 2] with its end faded, placed between the sides."""
    fade = min(len(sound), SAMPLE_RATE // 50 if drum.length is None else int(drum.length * SAMPLE_RATE * 0.6))
    sound[-fade:] *= (0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, fade, dtype=np.float32)))[:, None]
    turn = (drum.pan + 1.0) * math.pi / 4.0
    sides = np.array([math.cos(turn), math.sin(turn)], np.float32) * math.sqrt(2.0) * decibels(drum.gain + level)
    sound = sound * sides
    return _Take(len(sound), np.stack([sound.ravel(), _darken(sound).ravel()]), one.low, one.high, dark)


class DrumKit:
    """An instrument of recorded drums (see `engine.sound.contract.Instrument`).

    A drum class that the kit lacks is played by its nearest relative, silent only if that is missing too.
    """

    def __init__(self, settings: DrumKitSettings, folder: Path, seed: int) -> None:
        del seed
        self.stolen = 0
        self._settings = settings
        self._takes = {
            name: [take for one in drum.samples for take in _takes(drum, one, folder, settings.variation)]
            for name, drum in settings.drums.items()
        }
        self._turn = dict.fromkeys(self._takes, 0)
        self._hits: list[_Hit] = []
        self._buses = (BlockBus(), BlockBus())
        self._block = np.zeros((BLOCK, 2), np.float32)
        self._flat = self._block.reshape(-1)
        self._silent = True
        left, right = (bus.signal for bus in self._buses)
        self._keep, self.outputs = stereo_chain(left, right, settings.effects, decibels(settings.gain))

    def _drum(self, pitch: int) -> str | None:
        index = CLASS_OF_PITCH.get(pitch)
        if index is None:
            return None
        return next((name for name in _RELATIVES[CLASSES[index]] if name in self._takes), None)

    def note(self, offset: int, pitch: int, velocity: int, off: int) -> None:
        """Strike a drum in the coming block; its end is its own, whatever `off` says."""
        del off
        name = self._drum(pitch)
        if name is None:
            return
        drum = self._settings.drums[name]
        takes = [take for take in self._takes[name] if take.low <= velocity <= take.high] or self._takes[name]
        take = takes[self._turn[name] % len(takes)]
        self._turn[name] += 1
        for hit in self._hits:
            # The same drum struck again rings on under its own new hit, except in a choke group.
            if drum.choke and hit.choke == drum.choke:
                hit.fade_from = min(hit.fade_from, offset - hit.start)
        if len(self._hits) >= self._settings.voices:
            oldest = self._hits[0]
            oldest.fade_from = min(oldest.fade_from, max(0, offset - oldest.start))
            self.stolen += 1
        gain = velocity_gain(velocity, self._settings.velocity)
        # Full brightness at velocity 112 and above; at 1, `tone` of the sound is the dark version.
        dark = self._settings.tone * (1.0 - min(velocity, 112) / 112.0)
        dark = min(max(dark + take.dark, 0.0), 1.0)
        gains = np.array([gain * (1.0 - dark), gain * dark], np.float32)
        self._hits.append(_Hit(take, offset, gains, drum.choke, take.frames))

    def prepare(self, frame: int) -> None:
        """Sum the hits of the block that begins now."""
        del frame
        if not self._hits:
            if not self._silent:
                for bus in self._buses:
                    bus.table.fill(0.0)
                self._silent = True
            return
        block = self._block
        block.fill(0.0)
        self._hits = [hit for hit in self._hits if self._add(hit)]
        self._buses[0].table[:] = block[:, 0]
        self._buses[1].table[:] = block[:, 1]
        self._silent = False

    def _add(self, hit: _Hit) -> bool:
        """Add a hit to the block; False once it is over."""
        first = max(hit.start, 0)
        place = first - hit.start
        end = min(hit.take.frames, hit.fade_from + _CHOKE_FRAMES)
        count = min(BLOCK - first, end - place)
        if count > 0:
            heard = hit.gains @ hit.take.versions[:, 2 * place : 2 * (place + count)]
            if hit.fade_from < place + count:
                position = np.arange(place, place + count) - hit.fade_from
                heard *= np.repeat(np.clip(1.0 - position / _CHOKE_FRAMES, 0.0, 1.0), 2).astype(np.float32)
            self._flat[2 * first : 2 * (first + count)] += heard
        hit.start -= BLOCK
        return hit.start + end > 0

    def sleep(self) -> None:
        """Nothing to stop: a kit without hits costs next to nothing."""


_RELATIVES = {
    "kick": ("kick", "low_tom"),
    "snare": ("snare", "closed_hat"),
    "closed_hat": ("closed_hat", "open_hat", "ride"),
    "open_hat": ("open_hat", "closed_hat", "ride", "crash"),
    "low_tom": ("low_tom", "mid_tom", "high_tom", "kick"),
    "mid_tom": ("mid_tom", "low_tom", "high_tom", "snare"),
    "high_tom": ("high_tom", "mid_tom", "low_tom", "snare"),
    "crash": ("crash", "ride", "open_hat"),
    "ride": ("ride", "closed_hat", "crash", "open_hat"),
}
"""Which drum plays a class, in order of preference."""
