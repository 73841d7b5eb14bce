"""Performances note by note: each event is a whole note, drawn from six softmaxes.

Source: the note encoding of Magenta's Performance RNN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.networks.encodings.bases import KeylessEncoding, Stream
from engine.networks.encodings.grid import on_grid
from engine.networks.encodings.performance.performance import (
    VELOCITY_BINS,
    bin_of,
    in_beats,
    steps_per_beat,
    velocity_of,
)
from engine.score.phrase import in_order

NoteEvent = tuple[int, int, int, int]
"""Steps of 10 ms since the note before (0..1000), MIDI pitch, velocity bin 0..31, duration in steps (1..1000)."""

MAX_SHIFT = 1000
MAX_DURATION = 1000
_SHIFT_MINOR, _DURATION_MINOR = 77, 40
CLASSES = (13, _SHIFT_MINOR, 128, VELOCITY_BINS, 25, _DURATION_MINOR)
"""Of the softmaxes: shift in coarse and fine, pitch, velocity bin, duration in coarse and fine."""
_OFFSETS = tuple(np.cumsum((0, *CLASSES[:-1])).tolist())


class NotePerformanceEncoding(KeylessEncoding):
    """Whole notes as six one-hots side by side, 315 inputs."""

    input_size = sum(CLASSES)
    default_event: NoteEvent = (0, 60, 0, 1)

    def stream(self, conditions: None = None) -> NotePerformanceStream:
        """A new, empty stream."""
        return NotePerformanceStream(self)

    def validate(self, events: Sequence[NoteEvent]) -> None:
        """Raise ValueError unless every event is a `NoteEvent`."""
        for event in events:
            shift, pitch, loudness, duration = event
            if not (
                0 <= shift <= MAX_SHIFT
                and 0 <= pitch < 128
                and 0 <= loudness < VELOCITY_BINS
                and 1 <= duration <= MAX_DURATION
            ):
                raise ValueError(
                    f"{event} is not a note of a performance: shift 0..{MAX_SHIFT} in steps of 10 ms, pitch 0..127, "
                    f"velocity bin 0..{VELOCITY_BINS - 1}, duration 1..{MAX_DURATION}"
                )


class NotePerformanceStream(Stream):
    """See `NotePerformanceEncoding`."""

    def __init__(self, encoding: NotePerformanceEncoding) -> None:
        self.encoding = encoding
        self.events: list[NoteEvent] = []
        self.num_steps = 0
        """When the last note begins, in steps of 10 ms."""

    def start(self) -> np.ndarray:
        """The input of the default note."""
        return self._input(self.encoding.default_event)

    def push(self, event: NoteEvent) -> np.ndarray:
        """Append a note; its input vector."""
        self.events.append(event)
        self.num_steps += event[0]
        return self._input(event)

    def _input(self, event: NoteEvent) -> np.ndarray:
        vector = np.zeros(self.encoding.input_size, np.float32)
        for offset, place in zip(_OFFSETS, self.label(event), strict=True):
            vector[offset + place] = 1.0
        return vector

    def label(self, event: NoteEvent) -> tuple[int, ...]:
        """A class for each softmax."""
        shift, pitch, loudness, duration = event
        return (*divmod(shift, _SHIFT_MINOR), pitch, loudness, *divmod(duration - 1, _DURATION_MINOR))

    def decode(self, label: tuple[int, ...]) -> NoteEvent:
        """The note of six classes."""
        coarse, fine, pitch, loudness, long, short = label
        return coarse * _SHIFT_MINOR + fine, pitch, loudness, long * _DURATION_MINOR + short + 1


def from_notes(notes: np.ndarray, qpm: float) -> list[NoteEvent]:
    """The events of notes; gaps and notes longer than 10 s are shortened to that, which Magenta refuses.

    Args:
        notes: array [n] of `NOTE`, in beats.
        qpm: quarter notes per minute.
    """
    notes = in_order(notes)
    starts, ends = on_grid(notes, steps_per_beat(qpm))
    gaps = np.minimum(np.diff(starts, prepend=0), MAX_SHIFT).tolist()
    durations = np.minimum(ends - starts, MAX_DURATION).tolist()
    bins = map(bin_of, notes["velocity"].tolist())
    return list(zip(gaps, notes["pitch"].tolist(), bins, durations, strict=True))


def to_notes(events: Sequence[NoteEvent], qpm: float) -> np.ndarray:
    """The notes that events mean: array of `NOTE`, in beats, sorted by (start, pitch)."""
    starts = np.cumsum([event[0] for event in events], dtype=int).tolist()
    return in_beats(
        [
            (start, start + duration, pitch, velocity_of(loudness))
            for start, (_, pitch, loudness, duration) in zip(starts, events, strict=True)
        ],
        qpm,
    )
