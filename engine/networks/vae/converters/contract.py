# pyright: strict
"""What a converter is: music to the tensors of a variational autoencoder, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.networks.encodings.grid import nearest_step, on_grid
from engine.score.phrase import NOTE, ChordSpan
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT

STEPS_PER_BAR = 16
"""Sixteenths of the bars that these networks were trained on, all in 4/4."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some bars of music as tensors.

    Attributes:
        inputs: what the encoder hears, [T, input_size] float32.
        targets: what the decoder is to say, [T, output_size] float32.
        controls: what both are told besides, [T, control_size] float32; None where the network takes none.
        start: beat of the piece at which it begins.
    """

    inputs: np.ndarray
    targets: np.ndarray
    controls: np.ndarray | None = None
    start: float = 0.0

    @property
    def length(self) -> int:
        """T, in sixteenths."""
        return len(self.inputs)


class Converter(Protocol):
    """Brings music into the form of one kind of network, and what the network says back into music.

    Attributes:
        steps: sixteenths of a whole example (32 for two bars).
        input_size, output_size, control_size: numbers per step; control_size is 0 where there are no controls.
    """

    steps: int
    input_size: int
    output_size: int
    control_size: int

    def to_tensors(self, piece: Piece) -> list[Slice]:
        """All examples that a piece holds, as Magenta cuts them for training; equal ones once, in the piece's order.

        Empty where the piece has none, and where its bars have not sixteen sixteenths.
        """
        ...

    def window(self, piece: Piece, start: float = 0.0, steps: int | None = None) -> Slice:
        """The music from a beat on, whatever it is: silence, too.

        Args:
            piece: in any meter.
            start: beat at which the window begins; notes that began before are not heard.
            steps: sixteenths of the window, `self.steps` without.
        """
        ...

    def controls(self, steps: int, chords: Sequence[ChordSpan] = ()) -> np.ndarray | None:
        """Controls [steps, control_size] for decoding: over chords, where the network follows chords; None for a
        network without controls, or whose controls come with the music (`Slice.controls`)."""
        ...

    def to_tracks(self, outputs: np.ndarray) -> tuple[Track, ...]:
        """The music that outputs [T, output_size] of a decoder mean, in beats from its start."""
        ...


def step_of(beats: np.ndarray) -> np.ndarray:
    """The nearest sixteenths [n] of positions in beats, halves upwards."""
    return nearest_step(np.asarray(beats, float) * STEPS_PER_BEAT)


def quantised(notes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First sixteenths and ends [n] of notes; every note lasts one at least."""
    return on_grid(notes, STEPS_PER_BEAT)


def one_hot(classes: Sequence[int] | np.ndarray, depth: int) -> np.ndarray:
    """[T, depth] float32."""
    vectors = np.zeros((len(classes), depth), np.float32)
    vectors[np.arange(len(classes)), np.asarray(classes, int)] = 1.0
    return vectors


def melodic(piece: Piece) -> list[Track]:
    """The tracks that are no drums."""
    return [track for track in piece.tracks if not track.is_drum]


def drum_notes(piece: Piece) -> np.ndarray:
    """The notes of all drum tracks, by start; array of `NOTE`."""
    found = [np.zeros(0, NOTE), *(track.notes for track in piece.tracks if track.is_drum)]
    notes = np.concatenate(found)
    return notes[np.argsort(notes["start"], kind="stable")]


def whole_windows(length: int, size: int, hop: int) -> range:
    """First sixteenths of all windows of a size that lie within a length."""
    return range(0, length - size + 1, hop)
