"""Frequency modulation: pairs of a carrier and a modulator (Chowning 1973), each with its own envelopes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from engine.score.time import SAMPLE_RATE
from engine.sound.instruments.voices import Polyphony, Voice, decibels, hertz, spare, velocity_gain
from engine.sound.messages import BLOCK
from engine.sound.settings import FmSettings, Operator
from engine.sound.synth import pyo

_HIGHEST = 16_000.0
"""Hz: what a modulated carrier may reach, by a rule of thumb (Carson's), before the index is held back."""


class FmVoice(Voice):
    """A voice of one to four operators."""

    def __init__(self, settings: FmSettings, drift: float) -> None:
        super().__init__()
        self._settings = settings
        self._drift = drift
        self._frequency = pyo.Sig(440.0)
        self._indices: list[tuple[Operator, Any]] = []
        made: list[Any] = [self._frequency]
        mixed: Any = 0
        # A chord stays below 1, so that a drive behind it saturates as little as it is told to.
        share = 0.3 / sum(decibels(one.level) for one in settings.operators)
        for one in settings.operators:
            carrier = pyo.Sig(self._frequency, mul=one.harmonic)
            falling = self.envelope(0.001, one.index_decay, math.sqrt(one.index_sustain), one.index_decay)
            index = pyo.Sig(falling, mul=falling)
            self._indices.append((one, falling))
            shape = one.envelope
            level = pyo.Sig(self.cut.signal, mul=math.sqrt(share * decibels(one.level)))
            loud = self.envelope(shape.attack, shape.decay, math.sqrt(shape.sustain), shape.release, mul=level)
            tone = pyo.FM(carrier, one.ratio, index, mul=loud)
            summed = pyo.Sig(tone, mul=loud, add=mixed)
            made += [carrier, falling, index, level, loud, tone, summed]
            mixed = summed
        self.output = mixed
        self.adopt(*made)

    def begin(self, offset: int, pitch: int, velocity: int) -> float:
        """Tune the carriers and set the strength of the modulation."""
        settings = self._settings
        frequency = hertz(pitch + self._drift)
        self._frequency.setValue(frequency)
        gain = velocity_gain(velocity, settings.velocity)
        bright = velocity_gain(velocity, settings.index_velocity) * 2.0 ** (-settings.index_track * (pitch - 60) / 12.0)
        for one, falling in self._indices:
            carrier = frequency * one.harmonic
            modulator = carrier * one.ratio
            room = max(0.0, (_HIGHEST - carrier) / modulator - 1.0)
            index = min(one.index * bright, room)
            # Squared, the envelope is `gain` high at its peak: it follows the gate.
            falling.setMul(math.sqrt(index / gain))
        return math.sqrt(gain)

    @property
    def tail(self) -> int:
        """The longest release."""
        return int(max(one.envelope.release for one in self._settings.operators) * SAMPLE_RATE) + BLOCK

    @property
    def life(self) -> int:
        """To the end of the longest decay, where nothing is sustained."""
        if any(one.envelope.sustain > 0.0 for one in self._settings.operators):
            return super().life
        longest = max(one.envelope.attack + one.envelope.decay for one in self._settings.operators)
        return int(longest * SAMPLE_RATE) + BLOCK


def build(settings: FmSettings, folder: Path, seed: int) -> Polyphony:
    """The instrument; it needs no files of `folder`."""
    del folder
    rng = np.random.default_rng(seed)
    count = settings.voices + spare(settings)
    voices = [FmVoice(settings, float(rng.uniform(-0.01, 0.01))) for _ in range(count)]
    # A modulator at the carrier's own frequency leaves a mean that is not 0.
    return Polyphony(voices, settings, offset=True)
