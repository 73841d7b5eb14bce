# pyright: strict
"""Notes over the keys, each a mix of the same recordings: what an instrument is made of, and how long it takes.

An encoding says what a sound is like and at which pitch, so that two of one pitch are what can be mixed. Each recording
is brought to the pitch of the key first, as a sampler does it, and is heard by the encoder there.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import PerpetuumError
from engine.progress import part
from engine.score.time import SAMPLE_RATE
from engine.sound.instruments.samples import resampled
from engine.timbres.nsynth.checkpoint import Autoencoder
from engine.timbres.nsynth.encoder import WaveEncoder
from engine.timbres.nsynth.encodings import mix
from engine.timbres.nsynth.layout import HOP, RATE, Shape, WaveNetLayout
from engine.timbres.nsynth.playing import BATCH, EncodedNote, Playing
from engine.timbres.samples.pitch import track_pitch
from engine.timbres.samples.recordings import Root, pitch_in_name, read_sound

Array = NDArray[np.float32]

FARTHEST = 36.0
"""Semitones that a recording is transposed by at most: three octaves away it is another sound."""


_STEP, _NOTE = 4e-3 / 59e6, 1.3e-3 / 59e6
"""Seconds that a step takes for each weight of the decoder, and for each note besides (docs/nsynth.md, its table)."""
_HEARD = 0.66 / 30 / 128**2
"""Seconds of one core for a second of sound that is heard, for each layer and square of the encoder's width."""


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


def source_note(file: Path, said: Root | None = None) -> SourceNote:
    """A recording with its pitch: what is said, or what is heard, or what its name says.

    Raises:
        PerpetuumError: it cannot be read, or nobody says and nothing tells its pitch.
    """
    sound = read_sound(file, fold=True)[0][:, 0]
    pitch = None if said is None else said.pitch + (said.cents or 0.0) / 100.0
    if pitch is None:
        named = pitch_in_name(file.stem)
        heard = track_pitch(sound, SAMPLE_RATE, named)
        pitch = heard.pitch if heard is not None and heard.clear else named
    if pitch is None:
        raise PerpetuumError(
            f"{file}: no pitch is heard in it", "say it in its name, as in gong_D3.wav, or by --root where there is one"
        )
    return SourceNote(np.ascontiguousarray(sound, np.float32), SAMPLE_RATE, float(pitch))


def played_over_keys(
    model: Autoencoder,
    recordings: Sequence[SourceNote],
    weights: Sequence[float],
    keys: Sequence[int],
    seconds: float,
    folder: Path,
) -> dict[int, Array]:
    """Sound [samples] at 16 kHz of each key that no recording is too far from. Tells how far it is (`engine.progress`).

    Whoever is killed in the middle of it, and asks for the same again, goes on from the last minute.

    Args:
        model: that hears and plays.
        recordings: that are mixed.
        weights: of each.
        keys: MIDI pitches.
        seconds: of each note.
        folder: where what is not finished is put aside.

    Raises:
        PerpetuumError: no key is near enough to all of them, or the checkpoint is damaged.
    """
    near = [key for key in keys if all(abs(key - one.pitch) <= FARTHEST for one in recordings)]
    if not near:
        raise PerpetuumError(
            f"no key is within {FARTHEST:g} semitones of all recordings", "choose another range of keys"
        )
    with part(0, 1, 20):
        heard = mixes(model.encoder(), recordings, weights, near, seconds)
    notes = [EncodedNote(encoding, (0, zlib.crc32(encoding.tobytes()))) for encoding in heard.values()]
    waves: dict[int, Array] = {}

    def done(number: int, wave: Array) -> None:
        waves[near[number]] = wave

    decoder, digest = model.decoder(), model.digest()
    try:
        playing = Playing(decoder, digest, notes, done, folder, threads=1)
    except PerpetuumError:  # what was put aside is damaged; nobody is there who could say what to do
        playing = Playing(decoder, digest, notes, done, folder, threads=1, afresh=True)
    with part(1, 20, 20):
        playing.play()
    playing.forget()
    return waves


def seconds_to_make(layout: WaveNetLayout, keys: int, seconds: float, recordings: int) -> float:
    """Seconds that notes take on one core of a desktop, as far as it can be told.

    Args:
        layout: of the network.
        keys: how many notes.
        seconds: of each.
        recordings: that are heard for each.
    """
    weights = sum(_size(shape) for shape in layout.decoder_shapes().values())
    full, rest = divmod(keys, BATCH)
    steps = [full * (_STEP + BATCH * _NOTE), (_STEP + rest * _NOTE) if rest else 0.0]
    hearing = recordings * keys * seconds * _HEARD * layout.encoder_layers * layout.encoder_width**2
    return seconds * RATE * weights * sum(steps) + hearing


def _size(shape: Shape) -> int:
    return math.prod(shape)
