"""Melodies over chords.

Source: the encodings of Magenta's Improv RNN and its chord encodings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from engine.networks.encodings.melody import (
    KeyMelodyEncoding,
    KeyMelodyStream,
    OneHotMelodyEncoding,
    OneHotMelodyStream,
)
from engine.score.harmony.chords import TRIADS, Chord

TRIAD_CHORDS_SIZE = 1 + 12 * len(TRIADS)
CHORD_PITCHES_SIZE = 1 + 3 * 12


@cache
def triad_chord(chord: Chord | None) -> np.ndarray:
    """[49] one-hot, read-only: no chord, then the twelve roots with each of `TRIADS`.

    Chords without one of those triads (which Magenta refuses) count as minor if they have a minor third, else as major.
    """
    vector = np.zeros(TRIAD_CHORDS_SIZE, np.float32)
    if chord is None:
        vector[0] = 1.0
    else:
        minor = (chord.root + 3) % 12 in chord.pitch_classes and (chord.root + 4) % 12 not in chord.pitch_classes
        triad = chord.triad if chord.triad in TRIADS else "minor" if minor else "major"
        vector[1 + 12 * TRIADS.index(triad) + chord.root] = 1.0
    vector.setflags(write=False)
    return vector


@cache
def chord_pitches(chord: Chord | None) -> np.ndarray:
    """[37], read-only: no chord; root, one-hot; pitch classes; bass, one-hot."""
    vector = np.zeros(CHORD_PITCHES_SIZE, np.float32)
    if chord is None:
        vector[0] = 1.0
    else:
        vector[[1 + chord.root, *(13 + pitch for pitch in chord.pitch_classes), 25 + chord.lowest]] = 1.0
    vector.setflags(write=False)
    return vector


class ImprovEncoding:
    """A melody encoding whose inputs begin with the chord under the event to come.

    Args:
        melody: encoding of the melody.
        chord: vector of a chord, or of none.
    """

    default_event = OneHotMelodyEncoding.default_event

    def __init__(
        self, melody: OneHotMelodyEncoding | KeyMelodyEncoding, chord: Callable[[Chord | None], np.ndarray]
    ) -> None:
        self.melody, self.chord = melody, chord
        self.num_classes = melody.num_classes
        self.input_size = len(chord(None)) + melody.input_size
        self.validate, self.squash, self.restore = melody.validate, melody.squash, melody.restore
        self.from_notes, self.to_notes = melody.from_notes, melody.to_notes

    def stream(self, conditions: Sequence[Chord | None] | None = None) -> ImprovStream:
        """A new, empty stream.

        Args:
            conditions: the chord under each step from the first on, in the melody's key; after its end the last chord
                holds on. None for no chords at all.
        """
        return ImprovStream(self, self.melody.stream(), tuple(conditions or (None,)))


class ImprovStream:
    """See `ImprovEncoding`."""

    def __init__(
        self,
        encoding: ImprovEncoding,
        melody: OneHotMelodyStream | KeyMelodyStream,
        chords: tuple[Chord | None, ...],
    ) -> None:
        self.encoding, self._melody, self._chords = encoding, melody, chords
        self.events = melody.events
        self.label, self.decode, self.forced = melody.label, melody.decode, melody.forced
        self.restricts, self.possible = melody.restricts, melody.possible

    def _with_chord(self, inputs: np.ndarray) -> np.ndarray:
        chord = self._chords[min(len(self.events), len(self._chords) - 1)]
        return np.concatenate([self.encoding.chord(chord), inputs])

    def start(self) -> np.ndarray:
        """The first chord, over the melody's start."""
        return self._with_chord(self._melody.start())

    def push(self, event: int) -> np.ndarray:
        """Append an event; its input vector, after the chord under the next one."""
        return self._with_chord(self._melody.push(event))

    def copy(self) -> ImprovStream:
        """The same sequence, to be continued in another way."""
        return ImprovStream(self.encoding, self._melody.copy(), self._chords)
