# pyright: strict
"""Notes of a network put together to music: envelopes, velocities, one clip.

Source: `generate_util.py` of Magenta's GANSynth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from engine.timbres.gansynth.spectra.mel import Array, Doubles

_ATTACK, _RELEASE = 0.010, 0.3
"""Seconds."""
_LONGEST = 3.0
"""Seconds of a note at most, its release not counted: what networks learnt lasts as long."""
_TAIL = 3.0
"""Seconds behind the last note's end, then down to a whole second."""


@dataclass(frozen=True)
class TimedNotes:
    """Notes in seconds, by their start.

    Attributes:
        pitches: MIDI.
        velocities: 1..127.
        starts, ends: seconds.
        remarks: sentences about what was left out.
    """

    pitches: np.ndarray[tuple[int], np.dtype[np.int64]]
    velocities: Doubles
    starts: Doubles
    ends: Doubles
    remarks: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Where the last note ends."""
        return float(self.ends.max()) if len(self.ends) else 0.0


def envelope(seconds: float, sample_rate: int = 16000) -> Doubles:
    """Loudness of a note that is held for so long, sample by sample: attack, sustain, and a release behind its end.

    The release overwrites what is left of the attack of a very short note.
    """
    attack, release = int(sample_rate * _ATTACK), int(sample_rate * _RELEASE)
    held = int(sample_rate * min(seconds, _LONGEST))
    made = np.ones(held + release)
    made[:attack] = np.linspace(0.0, 1.0, attack)
    made[held:] = np.linspace(1.0, 0.0, release)
    return made


@dataclass
class Clip:
    """Music that grows note by note.

    Attributes:
        silent: how many notes had no sound.
        upside_down: how many notes never rose above zero, and were made as loud as the others by how deep they go.
    """

    seconds: float
    sample_rate: int = 16000
    silent: int = 0
    upside_down: int = 0
    _mixed: Doubles = field(init=False)

    def __post_init__(self) -> None:
        self._mixed = np.zeros(int(self.seconds + _TAIL) * self.sample_rate)

    def add(self, wave: Array, start: float, end: float, velocity: float) -> None:
        """Let a note sound.

        Args:
            wave: of the note.
            start, end: seconds; `end` at most the clip's `seconds`.
            velocity: 1..127; a note's highest sample is this share of 127.
        """
        shape = envelope(end - start, self.sample_rate)[: len(wave)]
        note = wave[: len(shape)] * shape
        peak = float(note.max(initial=0.0))
        if peak <= 0.0:
            peak = float(np.abs(note).max(initial=0.0))
            if peak <= 0.0:
                self.silent += 1
                return
            self.upside_down += 1
        begin = int(start * self.sample_rate)
        self._mixed[begin : begin + len(note)] += note / peak * (velocity / 127.0)

    def finished(self) -> Array:
        """The clip, its highest sample at half of full scale, none beyond full scale."""
        peak = max(float(self._mixed.max(initial=0.0)), -float(self._mixed.min(initial=0.0)) / 2)
        return (self._mixed / (2.0 * peak) if peak > 0.0 else self._mixed).astype(np.float32)


def combined(waves: Iterable[Array], notes: TimedNotes, sample_rate: int = 16000) -> Clip:
    """A clip of notes and their waves, which may come as they are made."""
    clip = Clip(notes.seconds, sample_rate)
    for wave, start, end, velocity in zip(
        waves, notes.starts.tolist(), notes.ends.tolist(), notes.velocities.tolist(), strict=True
    ):
        clip.add(wave, start, end, velocity)
    return clip
