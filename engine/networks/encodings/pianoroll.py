"""A piano roll: which of the piano's 88 keys are down at each step.

Source: the encoding of Magenta's Pianoroll RNN-NADE, after Boulanger-Lewandowski, Bengio & Vincent, "Modeling temporal
dependencies in high-dimensional sequences" (2012).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.networks.encodings.bases import KeylessEncoding, Stream
from engine.networks.encodings.grid import on_grid
from engine.score.phrase import NOTE, in_order
from engine.score.time import STEPS_PER_BEAT

LOWEST, KEYS = 21, 88
"""MIDI pitch of the lowest key, and how many there are."""
VELOCITY = 100
"""Of every note, for the encoding has no dynamics."""


class PianorollEncoding(KeylessEncoding):
    """Frames of a piano roll as ints: bit k says that the key of MIDI pitch 21 + k is down. Inputs are the 88 bits."""

    input_size = KEYS
    default_event = 0

    def stream(self, conditions: None = None) -> PianorollStream:
        """A new, empty stream."""
        return PianorollStream(self)

    def validate(self, events: Sequence[int]) -> None:
        """Raise ValueError unless every event is a mask of 88 bits."""
        for event in events:
            if not 0 <= event < 2**KEYS:
                raise ValueError(f"{event} is not a frame of a piano roll: a bit mask of {KEYS} keys")


class PianorollStream(Stream):
    """See `PianorollEncoding`."""

    def __init__(self, encoding: PianorollEncoding) -> None:
        self.encoding = encoding
        self.events: list[int] = []

    def start(self) -> np.ndarray:
        """Silence, which Magenta's training puts in front, too."""
        return frame_of(0)

    def push(self, event: int) -> np.ndarray:
        """Append a frame; its bits."""
        self.events.append(event)
        return frame_of(event)


def frame_of(mask: int) -> np.ndarray:
    """The bits [88] of a mask, lowest key first, as 0.0 and 1.0 in float32."""
    packed = np.frombuffer(mask.to_bytes(KEYS // 8, "little"), np.uint8)
    return np.unpackbits(packed, bitorder="little").astype(np.float32)


def mask_of(frame: np.ndarray) -> int:
    """The mask of bits [88]."""
    return int.from_bytes(np.packbits(frame.astype(bool), bitorder="little").tobytes(), "little")


def from_notes(notes: np.ndarray, num_steps: int) -> list[int]:
    """The frames of notes. Where a note is repeated, the key is up for the step before.

    Args:
        notes: array [n] of `NOTE`, in beats; what no piano can play is left out.
        num_steps: sixteenths.
    """
    roll = np.zeros((num_steps, KEYS), bool)
    notes = notes[np.argsort(notes["start"], kind="stable")]
    for pitch, start, end in zip(notes["pitch"].tolist(), *on_grid(notes, STEPS_PER_BEAT), strict=True):
        if LOWEST <= pitch < LOWEST + KEYS and start < num_steps:
            if start:
                roll[start - 1, pitch - LOWEST] = False
            roll[start:end, pitch - LOWEST] = True
    return [mask_of(frame) for frame in roll]


def to_notes(events: Sequence[int]) -> np.ndarray:
    """The notes that frames mean: array of `NOTE`, in beats from the first frame, sorted by (start, pitch).

    A key that is down in the first frame begins a note there, one that is down in the last ends with it.
    """
    roll = np.zeros((len(events) + 2, KEYS), np.int8)
    for step, mask in enumerate(events):
        roll[step + 1] = frame_of(mask)
    changes = np.diff(roll, axis=0).T
    keys, starts = np.nonzero(changes == 1)
    ends = np.nonzero(changes == -1)[1]
    notes = np.zeros(len(starts), NOTE)
    notes["start"], notes["end"] = starts / STEPS_PER_BEAT, ends / STEPS_PER_BEAT
    notes["pitch"], notes["velocity"] = keys + LOWEST, VELOCITY
    return in_order(notes)
