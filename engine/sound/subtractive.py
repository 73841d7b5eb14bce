"""Subtractive synthesis: oscillators, a low-pass filter, envelopes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK
from engine.sound.settings import Filter, Oscillator, SubtractiveSettings
from engine.sound.synth import lfo, pyo, run, wavetable
from engine.sound.voices import Polyphony, Voice, decibels, hertz, spare, velocity_gain

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


class SubtractiveVoice(Voice):
    """A voice of oscillators, filter and two envelopes."""

    def __init__(
        self,
        settings: SubtractiveSettings,
        tables: dict[str, Wavetables],
        vibrato: Any,
        drift: float,
        breath: Any = None,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._drift = drift
        self._frequency = pyo.Sig(440.0) if vibrato is None else pyo.Sig(440.0, mul=vibrato)
        self._oscillators: list[tuple[Any, Oscillator, Wavetables | None]] = []
        made: list[Any] = [self._frequency]
        mixed: Any = 0
        # Together they stay near 1, however many there are.
        share = 1.0 / sum(decibels(one.level) for one in settings.oscillators)
        for one in settings.oscillators:
            level = decibels(one.level) * share
            source: Any = self._frequency
            if one.wave == "saws":
                if one.tune:
                    source = pyo.Sig(source, mul=2.0 ** (one.tune / 12))
                    made.append(source)
                # pyo's scale follows the sixth power, up to 192 cents between the middle and the outermost saw.
                spread = min((abs(one.detune) / 192.0) ** (1.0 / 6.2), 1.0)
                oscillator = pyo.SuperSaw(source, detune=spread, bal=0.7, mul=2.2 * level, add=mixed)
                self._oscillators.append((oscillator, one, None))
            else:
                factor = 2.0 ** ((one.tune + one.detune / 100) / 12)
                if factor != 1.0:
                    source = pyo.Sig(source, mul=factor)
                    made.append(source)
                oscillator = pyo.Osc(tables[one.wave].at(60), source, interp=2, mul=0.5 * level, add=mixed)
                self._oscillators.append((oscillator, one, tables[one.wave]))
            made.append(oscillator)
            mixed = oscillator
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
        self._frequency.setValue(hertz(pitch + self._drift))
        for oscillator, one, tables in self._oscillators:
            if tables:
                oscillator.setTable(tables.at(pitch + one.tune))
        gain = velocity_gain(velocity, settings.velocity)
        if settings.filter:
            self._open(settings.filter, pitch, velocity, gain)
        return math.sqrt(gain)

    def scatter(self, frequency: float) -> None:
        """Let the oscillators run apart: they all start at phase 0, and would sound as one at first."""
        self._frequency.setValue(frequency)
        self.play()

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
    tables = {one.wave: Wavetables(one.wave) for one in settings.oscillators if one.wave != "saws"}
    vibrato = None
    if settings.vibrato:
        swing = 2.0 ** (settings.vibrato.depth / 1200.0) - 1.0
        vibrato = lfo(settings.vibrato.rate, mul=swing, add=1.0)
    # All voices share one noise: a chord is breathed together.
    breath = pyo.ButHP(pyo.Noise(), float(settings.breath.low)) if settings.breath else None
    count = settings.voices + spare(settings)
    # Voices differ by a cent or two, as players do.
    drifts = [float(rng.uniform(-0.02, 0.02)) for _ in range(count)]
    voices = [SubtractiveVoice(settings, tables, vibrato, drift, breath) for drift in drifts]
    for voice in voices:
        voice.scatter(float(rng.uniform(3000.0, 6000.0)))
    run(40)
    for voice in voices:
        voice.stop()
    return Polyphony(voices, settings)
