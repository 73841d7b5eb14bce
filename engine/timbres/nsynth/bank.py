# pyright: strict
"""Notes over the keys, each a mix of the same recordings: what an instrument is made of.

An encoding says what a sound is like and at which pitch, so that two of one pitch are what can be mixed. Each recording
is brought to the pitch of the key first, as a sampler does it, and is heard by the encoder there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.progress import part
from engine.sound.instruments.samples import resampled
from engine.timbres.nsynth.encoder import WaveEncoder
from engine.timbres.nsynth.encodings import mix
from engine.timbres.nsynth.layout import HOP, RATE

Array = NDArray[np.float32]

FARTHEST = 36.0
"""Semitones that a recording is transposed by at most: three octaves away it is another sound."""


@dataclass(frozen=True, slots=True)
class SourceNote:
    """A note that was recorded.

    Attributes:
        sound: [frames], one channel.
        rate: in Hz.
        pitch: MIDI pitch, with fractions.
    """

    sound: Array
    rate: int
    pitch: float


def at_pitch(recording: SourceNote, pitch: int, samples: int) -> Array:
    """A recording at another pitch: [samples] at 16 kHz, its beginning, or all of it and silence."""
    semitones = pitch - recording.pitch
    wave = resampled(recording.sound, recording.rate, RATE / 2.0 ** (semitones / 12.0))[:samples]
    return np.pad(wave, (0, samples - len(wave))).astype(np.float32)


def keys_within(recordings: Sequence[SourceNote], lowest: int, highest: int, every: int) -> list[int]:
    """MIDI pitches from the lowest on that no recording is too far from."""
    return [
        key
        for key in range(lowest, highest + 1, every)
        if all(abs(key - recording.pitch) <= FARTHEST for recording in recordings)
    ]


def mixes(
    encoder: WaveEncoder,
    recordings: Sequence[SourceNote],
    weights: Sequence[float],
    keys: Sequence[int],
    seconds: float,
) -> dict[int, Array]:
    """The mixed encoding [frames, 16] of each key. Tells how far it is (`engine.progress`).

    Args:
        encoder: that hears.
        recordings: that are mixed.
        weights: of each.
        keys: MIDI pitches.
        seconds: of each note.
    """
    samples = max(1, round(seconds * RATE / HOP)) * HOP
    made: dict[int, Array] = {}
    for number, key in enumerate(keys):
        with part(number, number + 1, len(keys)):
            heard = [encoder.encode(at_pitch(recording, key, samples)) for recording in recordings]
        made[key] = mix(heard, weights)
    return made
