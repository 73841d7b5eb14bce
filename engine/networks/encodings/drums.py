"""Drums as bit masks of drum classes.

Source: the encodings of Magenta's Drums RNN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.networks.encodings.bases import KeylessEncoding, Stream
from engine.networks.encodings.counters import counted, counter_table
from engine.networks.encodings.grid import on_grid
from engine.score.drums import CLASS_OF_PITCH, PITCHES
from engine.score.phrase import NOTE
from engine.score.time import STEPS_PER_BEAT

HAND_CLAP = 39


def from_notes(
    notes: np.ndarray,
    length: float,
    steps_per_beat: int = STEPS_PER_BEAT,
    class_of_pitch: Mapping[int, int] = CLASS_OF_PITCH,
) -> list[int]:
    """One bit mask per step: bit k says that drum class k is struck. Pitches of no class are left out.

    Args:
        notes: array of `NOTE`.
        length: in beats.
        steps_per_beat: steps of the grid; see `on_grid`.
        class_of_pitch: drum class of a MIDI pitch.
    """
    events = [0] * round(length * steps_per_beat)
    for step, pitch in zip(on_grid(notes, steps_per_beat)[0].tolist(), notes["pitch"].tolist(), strict=True):
        drum = class_of_pitch.get(pitch)
        if drum is not None and 0 <= step < len(events):
            events[step] |= 1 << drum
    return events


def to_notes(
    events: Sequence[int], steps_per_beat: int = STEPS_PER_BEAT, pitches: Sequence[int] = PITCHES
) -> np.ndarray:
    """Notes of a step each, array of `NOTE`, velocity 80.

    Args:
        events: bit masks.
        steps_per_beat: steps of the grid.
        pitches: MIDI pitch of each drum class.
    """
    struck = (np.asarray(events, int)[:, None] >> np.arange(len(pitches))) & 1
    steps, drums = np.nonzero(struck)
    notes = np.zeros(len(steps), NOTE)
    notes["start"], notes["end"] = steps / steps_per_beat, (steps + 1) / steps_per_beat
    notes["pitch"], notes["velocity"] = np.array(pitches)[drums], 80
    return notes


class DrumsEncoding(KeylessEncoding):
    """Drums as bit masks of n classes: 2**n classes of events, one-hot, with a binary counter of the position.

    An event is an int; bit k says that drum class k is struck at this step.
    The input at position p is the one-hot event followed by the bits of p + 1, the position of the event to come.

    Args:
        pitches: MIDI pitch that stands for each class.
        class_of_pitch: class of a MIDI pitch.
        counter_bits: length of the counter; 0 for none.
        steps_per_bar: what it counts, see `counted`.
    """

    default_event = 0

    def __init__(
        self, pitches: Sequence[int], class_of_pitch: Mapping[int, int], counter_bits: int, steps_per_bar: int = 16
    ) -> None:
        self.pitches, self.class_of_pitch = tuple(pitches), class_of_pitch
        self.steps_per_bar = steps_per_bar
        self.num_classes = 2 ** len(self.pitches)
        self.input_size = self.num_classes + counter_bits
        self.counters = counter_table(counter_bits)

    def stream(self, conditions: None = None) -> DrumsStream:
        """A new, empty stream; there are no conditions."""
        return DrumsStream(self)

    def validate(self, events: Sequence[int]) -> None:
        """Raise ValueError unless every event is a mask of the classes."""
        for event in events:
            if not 0 <= event < self.num_classes:
                raise ValueError(
                    f"{event} is not a drum event: a bit mask 0..{self.num_classes - 1} of {len(self.pitches)} classes"
                )

    def from_notes(self, notes: np.ndarray, length: float, steps_per_beat: int) -> list[int]:
        """See `from_notes`."""
        return from_notes(notes, length, steps_per_beat, self.class_of_pitch)

    def to_notes(self, events: Sequence[int], steps_per_beat: int) -> np.ndarray:
        """See `to_notes`."""
        return to_notes(events, steps_per_beat, self.pitches)


class DrumKitEncoding(DrumsEncoding):
    """The nine classes of `engine.score.drums.CLASSES`: 512 classes of events.

    Args:
        steps_per_bar: what the counter counts, see `counted`.
        counter_bits: 6 bits tell the place within four bars of 16 steps.
    """

    def __init__(self, steps_per_bar: int = 16, counter_bits: int = 6) -> None:
        super().__init__(PITCHES, CLASS_OF_PITCH, counter_bits, steps_per_bar)


class OneDrumEncoding(DrumsEncoding):
    """One class for all drums: something is struck, or nothing. It is a hand clap that stands for it."""

    def __init__(self) -> None:
        super().__init__((HAND_CLAP,), dict.fromkeys(range(128), 0), 0)


class DrumsStream(Stream):
    """See `DrumsEncoding`; a class of this encoding *is* the event."""

    def __init__(self, encoding: DrumsEncoding) -> None:
        self.encoding = encoding
        self.events: list[int] = []

    def _input(self, event: int) -> np.ndarray:
        encoding, counters = self.encoding, self.encoding.counters
        vector = np.zeros(encoding.input_size, np.float32)
        vector[event] = 1.0
        vector[encoding.num_classes :] = counters[counted(len(self.events), encoding.steps_per_bar) % len(counters)]
        return vector

    def start(self) -> np.ndarray:
        """A silent step whose counter announces position 0."""
        return self._input(self.encoding.default_event)

    def push(self, event: int) -> np.ndarray:
        """Append a bit mask; its input vector."""
        self.events.append(event)
        return self._input(event)
