"""A plucked string: a burst of noise into a waveguide (Karplus and Strong 1983; Jaffe and Smith 1983)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.score.time import SAMPLE_RATE
from engine.sound.instruments.voices import Polyphony, Voice, hertz, spare, velocity_gain
from engine.sound.messages import BLOCK
from engine.sound.settings import PluckSettings
from engine.sound.synth import BlockBus, pyo

_BURST = 512
"""Frames of the longest burst."""

_SETTLE_BLOCKS = 10
"""Blocks in which a string comes to rest once it is damped as strongly as possible."""

_DAMPED = 0.002
"""Seconds: the shortest ringing, which empties the string."""


class PluckVoice(Voice):
    """One string."""

    needs_blocks = True
    flush = (_SETTLE_BLOCKS + 2) * BLOCK

    def __init__(self, settings: PluckSettings, noises: np.ndarray) -> None:
        super().__init__()
        self._settings = settings
        self._noises = noises
        self._turn = 0
        self._excitation = BlockBus()
        self._rest: np.ndarray | None = None
        self._fresh = False
        self._damp_in = -1
        self._pitch = 60
        # The burst itself is heard too: the string answers a period later only.
        burst = self._excitation.signal
        self._string = pyo.Waveguide(burst, 220.0, 4.0, minfreq=20, add=burst)
        loud = self.envelope(0.001, 0.01, 1.0, settings.damp, mul=self.cut.signal)
        once = pyo.Sig(self._string, mul=loud)
        self.output = pyo.Sig(once, mul=loud)
        self.adopt(self._excitation.signal, self._string, loud, once, self.output)

    def _ring(self, pitch: int) -> float:
        return self._settings.ring * 2.0 ** (-self._settings.track * (pitch - 60) / 12.0)

    def begin(self, offset: int, pitch: int, velocity: int) -> float:
        """Tune the string and pluck it."""
        self._pitch = pitch
        frequency = hertz(pitch)
        # pyo's loop allows for the delay of its own filter: it is in tune as it is, within a tenth of a cent.
        self._string.setFreq(frequency)
        self._string.setDur(float(max(self._ring(pitch), 0.05)))
        burst = self._burst(SAMPLE_RATE / frequency, velocity)
        table = self._excitation.table
        table[:] = 0.0
        room = BLOCK - offset
        table[offset:] = burst[:room]
        self._rest = burst[room:]
        self._fresh = True
        self._damp_in = -1
        return velocity_gain(velocity, self._settings.velocity) ** 0.5

    def _burst(self, period: float, velocity: int) -> np.ndarray:
        """Noise of one period, darker the softer the pluck, combed by where the string is plucked; [_BURST + BLOCK]."""
        noise = self._noises[self._turn % len(self._noises)]
        self._turn += 1
        spectrum = np.fft.rfft(noise)
        cutoff = 300.0 * 40.0**self._settings.brightness * (velocity / 80.0) ** 0.7
        hertz_of = np.fft.rfftfreq(_BURST, 1.0 / SAMPLE_RATE)
        spectrum /= 1.0 + (hertz_of / cutoff) ** 2
        delay = self._settings.position * period / SAMPLE_RATE
        spectrum *= 1.0 - 0.9 * np.exp(-2j * np.pi * hertz_of * delay)
        burst = np.fft.irfft(spectrum, n=_BURST)
        length = int(min(max(period, 24.0), _BURST))
        burst[:length] *= np.sin(np.linspace(0.0, np.pi, length)) ** 0.5
        burst[length:] = 0.0
        burst *= 0.25 / max(float(np.sqrt((burst[:length] ** 2).mean())), 1e-6)
        return np.concatenate([burst, np.zeros(BLOCK)])

    def each_block(self) -> None:
        """The rest of the burst; and the damping of a released string, once its fade is over."""
        if self._fresh:
            self._fresh = False
        elif self._rest is not None:
            self._excitation.table[:] = self._rest[:BLOCK]
            self._rest = self._rest[BLOCK:] if len(self._rest) >= 2 * BLOCK else None
        else:
            self._excitation.table.fill(0.0)
        if self._damp_in > 0:
            self._damp_in -= 1
            if self._damp_in == 0:
                self._string.setDur(_DAMPED)

    def release(self, offset: int) -> None:
        """The fade begins; the string comes to rest behind it."""
        self._damp_in = int(self._settings.damp * SAMPLE_RATE / BLOCK) + 3

    def hush(self) -> None:
        """Empty the string."""
        super().hush()
        self._rest = None
        self._excitation.table.fill(0.0)
        self._string.setDur(_DAMPED)

    @property
    def tail(self) -> int:
        """The fade, and the rest behind it."""
        return int(self._settings.damp * SAMPLE_RATE) + (_SETTLE_BLOCKS + 4) * BLOCK

    @property
    def life(self) -> int:
        """Until the string has fallen by 100 dB."""
        return int(2.5 * self._ring(self._pitch) * SAMPLE_RATE) + BLOCK


def build(settings: PluckSettings, folder: Path, seed: int) -> Polyphony:
    """The instrument; it needs no files of `folder`."""
    del folder
    noises = np.random.default_rng(seed).uniform(-1.0, 1.0, (8, _BURST))
    voices = [PluckVoice(settings, noises) for _ in range(settings.voices + spare(settings))]
    return Polyphony(voices, settings)
