# pyright: strict
"""Notes of one place of the latent space over the keys: what an instrument is made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from engine import progress
from engine.errors import PerpetuumError
from engine.score.harmony.keys import pitch_name
from engine.timbres.neural.layout import (
    BAND_MIDDLES,
    FLOOR,
    HIGHEST,
    LOWEST,
    PARTIALS,
    RATE,
    SECONDS,
    Array,
    Doubles,
    Envelopes,
    hertz_of,
)
from engine.timbres.neural.network import TimbreNetwork
from engine.timbres.neural.synthesis import render
from engine.timbres.samples.instrument import FEWEST, About, MadeInstrument, Manner, make_sampler
from engine.timbres.samples.notes import Judgement, RawNote

LOUD, SOFT = 100, 50
"""MIDI velocities of the two levels of an instrument."""

BRIGHTNESS = 4.0
"""Decibels by which each octave above the pitch falls behind when a key is struck half as hard.

The sound font has nothing to learn here: its layers differ by 0.0 dB in the median. Of acoustic instruments recordings
at several levels show some decibels an octave.
"""

_QUIETER = 6.0
"""Decibels by which a note at half the velocity is softer; the sampler adds its own."""

_PEAK = 0.5


def at_velocity(note: Envelopes, pitch: float, velocity: int) -> Envelopes:
    """A note struck harder or softer than with `LOUD`: level and brightness move, by a rule."""
    halvings = math.log2(LOUD / max(velocity, 1))
    octaves = np.log2(np.arange(1, PARTIALS + 1))
    above = np.maximum(np.log2(BAND_MIDDLES / hertz_of(pitch)), 0.0)
    partials = note.partials - halvings * (_QUIETER + BRIGHTNESS * octaves)
    noise = note.noise - halvings * (_QUIETER + BRIGHTNESS * above)
    # What was silent stays silent when a key is struck harder.
    return replace(
        note,
        partials=np.where(note.partials > FLOOR, np.maximum(partials, FLOOR), FLOOR).astype(np.float32),
        noise=np.where(note.noise > FLOOR, np.maximum(noise, FLOOR), FLOOR).astype(np.float32),
    )


def play(
    network: TimbreNetwork, place: Doubles, pitch: int, velocity: int = LOUD, seconds: float = SECONDS, seed: int = 0
) -> Array:
    """A note [frames] at 48 kHz, not yet levelled.

    Args:
        network: that makes it.
        place: [PLACE].
        pitch: MIDI.
        velocity: of the key.
        seconds: of the note.
        seed: of its phases and its restlessness.
    """
    envelopes = network.decode(place[None], [pitch])[0]
    return render(at_velocity(envelopes, pitch, velocity), pitch, seconds, seed)


def bank_pitches(lowest: int = 36, highest: int = HIGHEST, every: int = 3) -> list[int]:
    """The pitches of a bank.

    Raises:
        PerpetuumError: the network does not know them, or there are none.
    """
    if not LOWEST <= lowest <= highest <= HIGHEST:
        raise PerpetuumError(
            f"no notes from pitch {lowest} to {highest}",
            f"the network knows {LOWEST} ({pitch_name(LOWEST)}) to {HIGHEST} ({pitch_name(HIGHEST)})",
        )
    return list(range(lowest, highest + 1, every))


def raw_notes(
    network: TimbreNetwork, place: Doubles, pitches: Sequence[int], velocities: Sequence[int] = (LOUD, SOFT)
) -> Iterator[RawNote]:
    """Notes of a bank, one after the other, as they are needed; tells its progress."""
    for number, pitch in enumerate(pitches):
        for layer, velocity in enumerate(velocities):
            progress.tell((number + layer / len(velocities)) / len(pitches))
            wave = play(network, place, pitch, velocity, seed=pitch)
            peak = float(np.abs(wave).max(initial=0.0))
            level = _PEAK / max(peak, 1e-9) * 10.0 ** (-_QUIETER * math.log2(LOUD / velocity) / 20.0)
            name = pitch_name(pitch) if len(velocities) == 1 else f"{pitch_name(pitch)} at velocity {velocity}"
            # Levels are decided later on; what is silent stays so, to be judged.
            yield RawNote(wave * np.float32(level if peak > 1e-5 else 1.0), RATE, pitch, name=name)


def neural_instrument(
    notes: Iterable[RawNote], about: About, manner: Manner | None = None
) -> tuple[MadeInstrument, list[Judgement]]:
    """An instrument of notes, judged as any other, and what became of each note.

    Raises:
        PerpetuumError: too few of them are good.
    """
    return make_sampler(notes, about, manner or Manner(longest=SECONDS), FEWEST)
