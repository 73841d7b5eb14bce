"""Event encodings: how musical events become the inputs and labels of an event-sequence RNN, and come back.

An encoding is stateless and describes sizes; `EventEncoding.stream()` starts an `EventStream`, which follows one
sequence event by event, in constant time per step. Training and generation run through the same streams.

Source: the encodings of Magenta's Drums RNN and Melody RNN (`drum_kit`, `attention_rnn`); the attention_rnn's features
are described in Waite, "Generating long-term structure in songs and stories" (magenta.tensorflow.org, 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from engine.score.drums import CLASSES

NO_EVENT = -2
"""Melody event: nothing new happens, a held note is held on, a rest goes on."""
NOTE_OFF = -1
"""Melody event: the held note ends."""

STEPS_PER_BAR = 16
_MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
KEYS_OF_PITCH_CLASS = np.array(
    [[float((pitch - key) % 12 in _MAJOR_SCALE) for key in range(12)] for pitch in range(12)], np.float32
)
"""[12, 12]: row = pitch class, column = major key, 1 where the key has the pitch class."""


class EventStream(Protocol):
    """One sequence while it is being encoded."""

    events: list[int]

    def start(self) -> np.ndarray:
        """Input vector [input_size] for "nothing yet": what stands before the first event of an empty sequence."""
        ...

    def push(self, event: int) -> np.ndarray:
        """Append an event; its input vector [input_size], float32."""
        ...

    def label(self, event: int) -> int:
        """Class that stands for `event` as the next one."""
        ...

    def decode(self, class_index: int) -> int:
        """The event that a class means as the next one."""
        ...


class EventEncoding(Protocol):
    """Sizes of an encoding, the start of a stream, and the frame that a primer is brought into."""

    input_size: int
    num_classes: int
    default_event: int

    def stream(self) -> EventStream:
        """A new, empty stream."""
        ...

    def validate(self, events: Sequence[int]) -> None:
        """Check that these are events of this encoding before `squash`.

        Raises:
            ValueError: one of them is not.
        """
        ...

    def squash(self, events: Sequence[int]) -> tuple[list[int], int]:
        """Bring events into the network's range and key: (events, transposition in semitones)."""
        ...

    def restore(self, events: Sequence[int], transposition: int) -> list[int]:
        """Undo the transposition of `squash` on new events."""
        ...


def _counter_table(bits: int) -> np.ndarray:
    """[2**bits, bits] of +-1: the binary digits of n, lowest first."""
    n = np.arange(2**bits)[:, None]
    return np.where((n >> np.arange(bits)) & 1, 1.0, -1.0).astype(np.float32)


class DrumKitEncoding:
    """Drums as bit masks of nine classes: 512 classes, one-hot, with a binary counter of the position.

    An event is an int 0..511; bit k says that drum class k of `engine.score.drums.CLASSES` is struck at this 16th.
    The input at position p is the one-hot event followed by the bits of p + 1, the position of the event to come.

    Args:
        counter_bits: length of the counter; 6 bits tell the place within four bars of 16 steps.
    """

    default_event = 0

    def __init__(self, counter_bits: int = 6) -> None:
        self.num_classes = 2 ** len(CLASSES)
        self.input_size = self.num_classes + counter_bits
        self.counters = _counter_table(counter_bits)

    def stream(self) -> DrumKitStream:
        """A new, empty stream."""
        return DrumKitStream(self)

    def validate(self, events: Sequence[int]) -> None:
        """Raise ValueError unless every event is a mask 0..511."""
        for event in events:
            if not 0 <= event < self.num_classes:
                raise ValueError(f"{event} is not a drum event: a bit mask 0..{self.num_classes - 1} of nine classes")

    def squash(self, events: Sequence[int]) -> tuple[list[int], int]:
        """Drums have no key: the events as they are, and 0."""
        return [int(event) for event in events], 0

    def restore(self, events: Sequence[int], transposition: int) -> list[int]:
        """The events as they are."""
        return list(events)


class DrumKitStream:
    """See `DrumKitEncoding`; a class of this encoding *is* the event."""

    def __init__(self, encoding: DrumKitEncoding) -> None:
        self.encoding = encoding
        self.events: list[int] = []

    def _input(self, event: int) -> np.ndarray:
        counters = self.encoding.counters
        vector = np.zeros(self.encoding.input_size, np.float32)
        vector[event] = 1.0
        vector[self.encoding.num_classes :] = counters[len(self.events) % len(counters)]
        return vector

    def start(self) -> np.ndarray:
        """A silent step whose counter announces position 0."""
        return self._input(self.encoding.default_event)

    def push(self, event: int) -> np.ndarray:
        """Append a bit mask; its input vector."""
        self.events.append(event)
        return self._input(event)

    def label(self, event: int) -> int:
        """The mask itself."""
        return event

    def decode(self, class_index: int) -> int:
        """The mask itself."""
        return class_index


class KeyMelodyEncoding:
    """Melodies with estimates of their key: 74 inputs and 40 classes at the default sizes.

    Events are Magenta's MelodyEvents: `NO_EVENT`, `NOTE_OFF`, or a MIDI pitch in [min_note, max_note).
    Inputs, in order: sounding pitch (one-hot), a note sounds, silence, attack, last interval up or down (+-1, 0 before
    the second note), does the event repeat the one `lookbacks` steps ago, the bits of position + 1 as +-1, the next
    event starts a bar, major keys that hold most notes so far (all that tie), the same for the last three different
    pitches.
    Classes: the pitches, no event, note off, then "same as `lookbacks[i]` steps ago", which comes before the others.

    Args:
        min_note: lowest MIDI pitch.
        max_note: highest MIDI pitch, exclusive.
        lookbacks: distances in steps, ascending.
        counter_bits: length of the counter.
        transpose_to_key: major key (0 = C) that `squash` moves a melody to; None leaves the key and range alone.
    """

    default_event = NO_EVENT

    def __init__(
        self,
        min_note: int = 48,
        max_note: int = 84,
        lookbacks: tuple[int, ...] = (16, 32),
        counter_bits: int = 7,
        transpose_to_key: int | None = 0,
    ) -> None:
        self.min_note, self.max_note = min_note, max_note
        self.lookbacks = lookbacks
        self.transpose_to_key = transpose_to_key
        self.note_range = max_note - min_note
        self.counters = _counter_table(counter_bits)
        self.num_classes = self.note_range + 2 + len(lookbacks)
        self.input_size = self.note_range + 4 + len(lookbacks) + counter_bits + 1 + 24

    def stream(self) -> KeyMelodyStream:
        """A new, empty stream."""
        return KeyMelodyStream(self)

    def validate(self, events: Sequence[int]) -> None:
        """Raise ValueError unless every event is -2, -1 or a MIDI pitch 0..127."""
        for event in events:
            if not NO_EVENT <= event <= 127:
                raise ValueError(f"{event} is not a melody event: -2 (no event), -1 (note off) or a MIDI pitch 0..127")

    def squash(self, events: Sequence[int]) -> tuple[list[int], int]:
        """Transpose to the network's key and nearest octave; notes still outside the range move by octaves.

        Returns:
            The events, and the transposition in semitones (0 for a melody without notes).
        """
        pitches = np.array([event for event in events if event >= 0])
        if not len(pitches):
            return [int(event) for event in events], 0
        shift = 0
        if self.transpose_to_key is not None:
            histogram = np.bincount(pitches % 12, minlength=12) @ KEYS_OF_PITCH_CLASS
            to_key = self.transpose_to_key - int(histogram.argmax())
            centre = (int(pitches.min()) + int(pitches.max())) / 2
            octaves = round(((self.min_note + self.max_note - 1) / 2 - (centre + to_key)) / 12)
            shift = to_key + 12 * octaves
        return [self.into_range(event + shift) if event >= 0 else int(event) for event in events], shift

    def into_range(self, pitch: int) -> int:
        """A pitch (a transposed one may be below 0) moved by octaves into [min_note, max_note)."""
        if pitch < self.min_note:
            return self.min_note + (pitch - self.min_note) % 12
        if pitch >= self.max_note:
            return self.max_note - 12 + (pitch - self.max_note) % 12
        return int(pitch)

    def restore(self, events: Sequence[int], transposition: int) -> list[int]:
        """Transpose new events back; what would leave MIDI's range moves by octaves."""
        restored = []
        for event in events:
            if event >= 0:
                event -= transposition
                event = event % 12 if event < 0 else event if event < 128 else 116 + (event - 128) % 12
            restored.append(event)
        return restored


class KeyMelodyStream:
    """See `KeyMelodyEncoding`."""

    def __init__(self, encoding: KeyMelodyEncoding) -> None:
        self.encoding = encoding
        self.events: list[int] = []
        self._sounding: int | None = None
        self._attack = False
        self._direction = 0.0
        self._recent: list[int] = []
        """The last three different pitches, latest last."""
        self._key_counts = np.zeros(12, np.float32)

    def start(self) -> np.ndarray:
        """A silent step whose counter announces position 0, the start of a bar."""
        return self._input()

    def push(self, event: int) -> np.ndarray:
        """Append an event; its input vector."""
        self.events.append(event)
        if event >= 0:
            self._attack = True
            self._sounding = event
            if self._recent and event != self._recent[-1]:
                self._direction = 1.0 if event > self._recent[-1] else -1.0
            if event in self._recent:
                self._recent.remove(event)
            self._recent = [*self._recent[-2:], event]
            self._key_counts += KEYS_OF_PITCH_CLASS[event % 12]
        elif event == NOTE_OFF:
            self._sounding = None
        else:
            self._attack = False
        return self._input()

    def _input(self) -> np.ndarray:
        encoding, events = self.encoding, self.events
        vector = np.zeros(encoding.input_size, np.float32)
        position = encoding.note_range
        if self._sounding:  # pitch 0 counts as silence, as in Magenta
            vector[self._sounding - encoding.min_note] = 1.0
            vector[position] = 1.0
        else:
            vector[position + 1] = 1.0
        vector[position + 2] = self._attack
        vector[position + 3] = self._direction
        position += 4
        for distance in encoding.lookbacks:
            vector[position] = len(events) > distance and events[-1] == events[-1 - distance]
            position += 1
        counters = encoding.counters
        vector[position : position + counters.shape[1]] = counters[len(events) % len(counters)]
        position += counters.shape[1]
        vector[position] = len(events) % STEPS_PER_BAR == 0
        position += 1
        vector[position : position + 12] = self._key_counts == self._key_counts.max()
        recent_keys = KEYS_OF_PITCH_CLASS[[pitch % 12 for pitch in self._recent]].sum(axis=0)
        vector[position + 12 :] = recent_keys == recent_keys.max()
        return vector

    def label(self, event: int) -> int:
        """Lookbacks first: a default event early on is the farthest one, else the farthest that matches."""
        encoding, events = self.encoding, self.events
        lookbacks = encoding.lookbacks
        if lookbacks and event == encoding.default_event and len(events) < lookbacks[-1]:
            return encoding.num_classes - 1
        for i in reversed(range(len(lookbacks))):
            if len(events) >= lookbacks[i] and events[-lookbacks[i]] == event:
                return encoding.note_range + 2 + i
        if event == NO_EVENT:
            return encoding.note_range
        if event == NOTE_OFF:
            return encoding.note_range + 1
        return event - encoding.min_note

    def decode(self, class_index: int) -> int:
        """The event; a lookback beyond the beginning means no event."""
        encoding, events = self.encoding, self.events
        special = class_index - encoding.note_range
        if special < 0:
            return encoding.min_note + class_index
        if special < 2:
            return (NO_EVENT, NOTE_OFF)[special]
        distance = encoding.lookbacks[special - 2]
        return events[-distance] if len(events) >= distance else encoding.default_event


def encode(encoding: EventEncoding, events: Sequence[int], from_start: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """A whole sequence as network inputs and labels.

    Args:
        encoding: the encoding.
        events: T events, in the network's range.
        from_start: put the "nothing yet" input in front, so that row t predicts label t; else row t has seen event t,
            and predicts label t + 1.

    Returns:
        Inputs [T (+ 1), input_size] float32 and labels [T] int32 (label t is the class of event t after events 0..t-1).
    """
    stream = encoding.stream()
    inputs = [stream.start()] if from_start else []
    labels = []
    for event in events:
        labels.append(stream.label(event))
        inputs.append(stream.push(event))
    shape = (len(inputs), encoding.input_size)
    return np.stack(inputs) if inputs else np.zeros(shape, np.float32), np.array(labels, np.int32)
