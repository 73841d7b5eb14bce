"""Subtractive synthesis: oscillators, a low-pass filter, envelopes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.score.time import SAMPLE_RATE
from engine.sound.instruments.voices import Polyphony, Voice, decibels, hertz, spare, velocity_gain
from engine.sound.messages import BLOCK
from engine.sound.settings import Filter, SubtractiveSettings
from engine.sound.synth import lfo, pyo, wavetable

_TABLE = 2048
_MIDDLE_C = 60


def _partials(wave: str, count: int) -> np.ndarray:
    """Amplitudes of the sine partials 1..count of a wave; those of a saw have peak 1."""
    k = np.arange(1, count + 1)
    odd = k % 2 == 1
    match wave:
        case "saw":
            return 2 / np.pi / k
        case "square":
            return np.where(odd, 4 / np.pi / k, 0.0) * 0.7
        case "triangle":
            return np.where(odd, 8 / np.pi**2 / k**2, 0.0) * np.where(k % 4 == 3, -1.0, 1.0)
        case "hollow":
            return np.where(odd & (k <= 9), 0.9 / k**1.5, 0.0)
    return np.where(k == 1, 1.0, 0.0)


class Wavetables:
    """Band-limited tables of a wave, one for each octave, so that no partial lies above 20 kHz."""

    def __init__(self, wave: str) -> None:
        self._tables = []
        for octave in range(11):
            top = hertz(12 * octave + 12)
            count = max(1, min(_TABLE // 4, int(20000 / top)))
            spectrum = np.zeros(_TABLE // 2 + 1, complex)
            # The last partials fade out: a sharp end would ring.
            fade = np.cos(np.linspace(0, np.pi / 2, count + 1)[:-1]) ** 0.5 if count > 3 else np.ones(count)
            spectrum[1 : count + 1] = -0.5j * _TABLE * _partials(wave, count) * fade
            self._tables.append(wavetable(np.fft.irfft(spectrum)))

    def at(self, pitch: float) -> Any:
        """The table for a MIDI pitch."""
        return self._tables[min(max(int(pitch // 12), 0), 10)]


@dataclass(frozen=True, slots=True)
class SharedVibrato:
    """A vibrato that all voices share, and where it stands.

    Attributes:
        rate: Hz.
        swing: how far the frequency goes up, as a share of it.
        signal: what a frequency is multiplied with.
    """

    rate: float
    swing: float
    signal: Any

    def frames(self, frame: int) -> float:
        """How many frames a wave that follows it has gone through from frame 0 to another, if it did so evenly."""
        turn = 2 * math.pi * self.rate / SAMPLE_RATE
        return frame + self.swing / turn * (1.0 - math.cos(turn * frame))


class _Wave:
    """One wave of a voice. Its phase follows the frames of the performance, as if it had always sounded.

    So a process that takes a note up in its middle makes the same sound as the one that began it, and two notes beat as
    they would in any other process.

    Args:
        tables: its forms.
        ratio: of its frequency to the note's.
        phase: at frame 0, 0..1.
        gain: linear.
        vibrato: None without.
        mixed: what it is added to.
    """

    def __init__(
        self, tables: Wavetables, ratio: float, phase: float, gain: float, vibrato: SharedVibrato | None, mixed: Any
    ) -> None:
        self._tables = tables
        self._ratio = ratio
        self._phase = phase
        self._vibrato = vibrato
        self._moved = pyo.Sig(440.0, mul=vibrato.signal) if vibrato is not None else None
        source = self._moved if self._moved is not None else 440.0
        self.signal = pyo.Osc(tables.at(60), source, interp=2, mul=gain, add=mixed)
        self.objects = [one for one in (self._moved, self.signal) if one is not None]

    def tune(self, frequency: float, frame: int) -> None:
        """Sound at a frequency in Hz from a frame on, the first of the coming block."""
        own = frequency * self._ratio
        if self._moved is not None:
            self._moved.setValue(own)
        else:
            self.signal.setFreq(own)
        self.signal.setTable(self._tables.at(69.0 + 12.0 * math.log2(own / 440.0)))
        passed = frame if self._vibrato is None else self._vibrato.frames(frame)
        self.signal.reset()
        self.signal.setPhase((self._phase + own * passed / SAMPLE_RATE) % 1.0)


_SAWS = (-1.0, -0.57, -0.18, 0.0, 0.18, 0.57, 1.0)
"""Where seven detuned saws lie between the outermost ones (Szabo, "How to Emulate the Super Saw", KTH 2010)."""


@dataclass(frozen=True, slots=True)
class _Setting:
    """What a wave of a voice is set to: waveform, tuning in semitones, phase at frame 0, linear gain."""

    form: str
    tune: float
    phase: float
    gain: float


def _waves(settings: SubtractiveSettings, rng: np.random.Generator) -> list[_Setting]:
    # Together they stay near 1, however many there are.
    share = 1.0 / sum(decibels(one.level) for one in settings.oscillators)
    waves: list[_Setting] = []
    for one in settings.oscillators:
        level, detune = decibels(one.level) * share, one.detune / 100
        if one.wave == "saws":
            # Scattered, because saws that begin together sound as one at first.
            phases = rng.uniform(0.0, 1.0, len(_SAWS)).tolist()
            waves += [
                _Setting("saw", one.tune + place * detune, scattered, 0.257 * level)
                for place, scattered in zip(_SAWS, phases, strict=True)
            ]
        else:
            waves.append(_Setting(one.wave, one.tune + detune, 0.0, 0.5 * level))
    return waves


class SubtractiveVoice(Voice):
    """A voice of oscillators, filter and two envelopes."""

    def __init__(
        self,
        settings: SubtractiveSettings,
        waves: Sequence[_Setting],
        tables: dict[str, Wavetables],
        drifts: Sequence[float],
        vibrato: SharedVibrato | None,
        breath: Any = None,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._drifts = drifts
        self._waves: list[_Wave] = []
        made: list[Any] = []
        mixed: Any = 0
        for one in waves:
            wave = _Wave(tables[one.form], 2.0 ** (one.tune / 12), one.phase, one.gain, vibrato, mixed)
            self._waves.append(wave)
            made += wave.objects
            mixed = wave.signal
        self._filter_envelope = None
        if settings.filter:
            mixed = self._filter(settings.filter, mixed, made)
        if settings.breath and breath is not None:
            mixed = pyo.Sig(breath, mul=decibels(settings.breath.level), add=mixed)
            made.append(mixed)
        shape = settings.envelope
        # Linear segments squared: they start and end softly and fall nearly as an exponential does.
        loud = self.envelope(shape.attack, shape.decay, math.sqrt(shape.sustain), shape.release, mul=self.cut.signal)
        once = pyo.Sig(mixed, mul=loud)
        self.output = pyo.Sig(once, mul=loud)
        self.adopt(*made, loud, once, self.output)

    def _filter(self, settings: Filter, mixed: Any, made: list[Any]) -> Any:
        cutoff: Any = 1000.0
        if settings.envelope:
            opened = self.envelope(settings.attack, settings.decay, math.sqrt(settings.sustain), settings.release)
            cutoff = pyo.Sig(opened, mul=opened)
            self._filter_envelope = cutoff
            made += [opened, cutoff]
        if settings.slope == "24 dB":
            # Two state-variable filters in a row; pyo's are stable up to its own limit of 8 kHz for any q from 0.71 on,
            # and at type 0 a quarter as loud as their input.
            self._low_pass = pyo.SVF(mixed, cutoff, 0.71 + 2.5 * settings.resonance, type=0, mul=4.0)
        else:
            self._low_pass = pyo.Biquad(mixed, cutoff, 0.6 + 6.0 * settings.resonance**2, type=0)
        made.append(self._low_pass)
        return self._low_pass

    def begin(self, offset: int, pitch: int, velocity: int) -> float:
        """Tune the oscillators and set the filter."""
        settings = self._settings
        frequency = hertz(pitch + self._drifts[min(max(pitch, 0), 127)])
        for wave in self._waves:
            wave.tune(frequency, self.began - offset)
        gain = velocity_gain(velocity, settings.velocity)
        if settings.filter:
            self._open(settings.filter, pitch, velocity, gain)
        return math.sqrt(gain)

    def _open(self, settings: Filter, pitch: int, velocity: int, gain: float) -> None:
        brighter = velocity_gain(velocity, settings.velocity) * 2.0 ** (settings.track * (pitch - _MIDDLE_C) / 12.0)
        base = min(max(settings.cutoff * brighter, 30.0), 16000.0)
        if self._filter_envelope is None:
            self._low_pass.setFreq(base)
            return
        # The envelope follows the gate, hence is `gain` high at its peak, once squared.
        height = min((settings.envelope or 0.0) * brighter, 18000.0 - base)
        self._envelopes[0][0].setMul(math.sqrt(height / gain))
        self._filter_envelope.setAdd(base)

    @property
    def tail(self) -> int:
        """The release of the loudness."""
        return int(self._settings.envelope.release * SAMPLE_RATE) + BLOCK


def build(settings: SubtractiveSettings, folder: Path, seed: int) -> Polyphony:
    """The instrument; it needs no files of `folder`."""
    del folder
    rng = np.random.default_rng(seed)
    waves = _waves(settings, rng)
    tables = {one.form: Wavetables(one.form) for one in waves}
    # Keys differ by a cent or two, as voices of an old synthesizer do; keys and not voices, because which voice plays a
    # note depends on what came before.
    drifts = rng.uniform(-0.02, 0.02, 128).tolist()
    vibrato = None
    if settings.vibrato:
        swing, rate = 2.0 ** (settings.vibrato.depth / 1200.0) - 1.0, float(settings.vibrato.rate)
        vibrato = SharedVibrato(rate, swing, lfo(rate, mul=swing, add=1.0))
    # All voices share one noise: a chord is breathed together.
    breath = pyo.ButHP(pyo.Noise(), float(settings.breath.low)) if settings.breath else None
    count = settings.voices + spare(settings)
    voices = [SubtractiveVoice(settings, waves, tables, drifts, vibrato, breath) for _ in range(count)]
    return Polyphony(voices, settings)
