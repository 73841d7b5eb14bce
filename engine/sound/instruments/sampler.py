"""Recorded notes, read from one long table per side at the rate that gives the wanted pitch.

The reading position of each voice is written by numpy for every block, so a note starts at its very frame, and
nothing has to be switched or allocated while playing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import PerpetuumError
from engine.score.time import SAMPLE_RATE
from engine.sound.instruments.samples import read_sample
from engine.sound.instruments.voices import Polyphony, Voice, decibels, spare, velocity_gain
from engine.sound.messages import BLOCK
from engine.sound.settings import SamplerSettings
from engine.sound.synth import BlockBus, pyo

_MARGIN = 64
"""Frames of silence between two recordings in the table: more than interpolation looks around."""


@dataclass(frozen=True, slots=True)
class _Zone:
    """A recording in the table, in frames of the table.

    Attributes:
        start: its first frame.
        end: the frame after its last one.
        pitch: MIDI pitch that it has, with fractions.
        low: lowest velocity.
        high: highest velocity.
        gain: linear.
        loop: first frame and frame after the last one of its loop, or None.
    """

    start: int
    end: int
    pitch: float
    low: int
    high: int
    gain: float
    loop: tuple[float, float] | None


class Recordings:
    """All recordings of an instrument in two tables.

    Raises:
        PerpetuumError: a file cannot be read.
    """

    def __init__(self, settings: SamplerSettings, folder: Path) -> None:
        sounds = [read_sample(folder / sample.file) for sample in settings.samples]
        self.size = sum(len(sound) + 2 * _MARGIN for sound in sounds)
        self.tables = [pyo.DataTable(self.size) for _ in (0, 1)]
        views = [np.asarray(table.getBuffer()) for table in self.tables]
        self.zones: list[_Zone] = []
        place = _MARGIN
        for sample, sound in zip(settings.samples, sounds, strict=True):
            for side, view in enumerate(views):
                view[place : place + len(sound)] = sound[:, side]
            loop = None
            if sample.loop:
                first, last = (min(place + at * SAMPLE_RATE, place + len(sound) - 4.0) for at in sample.loop)
                if last <= first:
                    raise PerpetuumError(f"the loop of {sample.file} lies behind its end")
                loop = (first, last)
            pitch = sample.pitch + sample.tune / 100.0
            end = place + len(sound)
            self.zones.append(_Zone(place, end, pitch, sample.low, sample.high, decibels(sample.gain), loop))
            place = end + 2 * _MARGIN

    def zone(self, pitch: int, velocity: int) -> _Zone:
        """The recording nearest to a pitch, among those of the velocity; rather a higher one, played lower."""
        layer = [zone for zone in self.zones if zone.low <= velocity <= zone.high]
        return min(layer, key=lambda zone: (abs(zone.pitch - pitch - 0.25), zone.start))


class SamplerVoice(Voice):
    """One voice: a reading position, two readers."""

    needs_blocks = True

    def __init__(self, settings: SamplerSettings, recordings: Recordings) -> None:
        super().__init__()
        self._settings = settings
        self._recordings = recordings
        self._index = BlockBus()
        self._steps = np.arange(BLOCK, dtype=np.float64)
        self._scratch = np.zeros(BLOCK)
        self._zone = recordings.zones[0]
        self._position = 0.0
        self._rate = 1.0
        shape = settings.envelope
        loud = self.envelope(shape.attack, shape.decay, shape.sustain**0.5, shape.release, mul=self.cut.signal)
        made: list[Any] = [self._index.signal, loud]
        outs = []
        self._filters = []
        for table in recordings.tables:
            reader: Any = pyo.Pointer2(table, self._index.signal, interp=4, autosmooth=False)
            made.append(reader)
            if settings.brightness:
                reader = pyo.Tone(reader, 10000.0)
                self._filters.append(reader)
                made.append(reader)
            once = pyo.Sig(reader, mul=loud)
            out = pyo.Sig(once, mul=loud)
            made += [once, out]
            outs.append(out)
        self.output = (outs[0], outs[1])
        self.adopt(*made)

    def begin(self, offset: int, pitch: int, velocity: int) -> float:
        """Choose a recording and set the reading position to its start."""
        self._zone = zone = self._recordings.zone(pitch, velocity)
        self._rate = 2.0 ** ((pitch - zone.pitch) / 12.0)
        self._position = zone.start - offset * self._rate
        if self._settings.brightness:
            soft = 1.0 - (velocity - 1) / 126.0
            cutoff = 18000.0 * (self._settings.brightness / 18000.0) ** soft
            for one in self._filters:
                one.setFreq(float(cutoff))
        return (velocity_gain(velocity, self._settings.velocity) * zone.gain) ** 0.5

    def each_block(self) -> None:
        """Write the reading positions of the coming block."""
        zone, index = self._zone, self._scratch
        np.multiply(self._steps, self._rate, out=index)
        index += self._position
        self._position += BLOCK * self._rate
        if zone.loop and self._position >= zone.loop[1]:
            first, last = zone.loop
            np.copyto(index, first + np.mod(index - first, last - first), where=index >= last)
            if self._position - first > 64.0 * (last - first):
                self._position = first + (self._position - first) % (last - first)
        # Before its start and after its end lies silence.
        np.clip(index, zone.start - 2, zone.end + 2, out=index)
        np.divide(index, self._recordings.size, out=self._index.table)

    @property
    def tail(self) -> int:
        """The release."""
        return int(self._settings.envelope.release * SAMPLE_RATE) + BLOCK

    @property
    def life(self) -> int:
        """To the end of the recording, unless it loops."""
        if self._zone.loop:
            return super().life
        return int((self._zone.end - self._zone.start) / self._rate) + BLOCK


def build(settings: SamplerSettings, folder: Path, seed: int) -> Polyphony:
    """The instrument."""
    del seed
    recordings = Recordings(settings, folder)
    voices = [SamplerVoice(settings, recordings) for _ in range(settings.voices + spare(settings))]
    return Polyphony(voices, settings, image=settings.stereo)
