"""Melodies, one note at a time.

Source: the encodings of Magenta's Melody RNN; the features of lookback_rnn and attention_rnn are described in Waite,
"Generating long-term structure in songs and stories" (magenta.tensorflow.org, 2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from engine.networks.encodings.bases import Stream
from engine.networks.encodings.counters import STEPS_PER_BAR, bars_back, counted, counter_table
from engine.networks.encodings.grid import on_grid
from engine.score.phrase import NOTE
from engine.score.time import STEPS_PER_BEAT

NO_EVENT = -2
"""Melody event: nothing new happens, a held note is held on, a rest goes on."""
NOTE_OFF = -1
"""Melody event: the held note ends."""

_MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
KEYS_OF_PITCH_CLASS = np.array(
    [[float((pitch - key) % 12 in _MAJOR_SCALE) for key in range(12)] for pitch in range(12)], np.float32
)
"""[12, 12]: row = pitch class, column = major key, 1 where the key has the pitch class."""


def from_notes(notes: np.ndarray, length: float, steps_per_beat: int = STEPS_PER_BEAT) -> list[int]:
    """One event per step: a MIDI pitch where a note begins, `NOTE_OFF` where it ends and none follows, else `NO_EVENT`.

    Of notes that begin together the highest counts; a note ends where the next one begins.

    Args:
        notes: array of `NOTE`.
        length: in beats; a note that goes on beyond has no end in the events.
        steps_per_beat: steps of the grid; see `on_grid`.
    """
    steps = round(length * steps_per_beat)
    tops: dict[int, tuple[int, int]] = {}
    for pitch, start, end in zip(notes["pitch"].tolist(), *on_grid(notes, steps_per_beat), strict=True):
        if 0 <= start < steps and (start not in tops or pitch > tops[start][0]):
            tops[int(start)] = (pitch, int(end))
    events = [NO_EVENT] * steps
    starts = sorted(tops)
    for start, following in zip(starts, [*starts[1:], steps][: len(starts)], strict=True):
        pitch, end = tops[start]
        events[start] = pitch
        if end < following:
            events[end] = NOTE_OFF
    return events


def to_notes(events: Sequence[int], steps_per_beat: int = STEPS_PER_BEAT) -> np.ndarray:
    """Notes one after another, array of `NOTE`, velocity 80; one that is held to the end ends there."""
    rows: list[tuple[int, int, int]] = []
    sounding: tuple[int, int] | None = None
    for step, event in enumerate([*events, NOTE_OFF]):
        if event == NO_EVENT:
            continue
        if sounding is not None:
            rows.append((sounding[0], step, sounding[1]))
        sounding = (step, event) if event >= 0 else None
    notes = np.zeros(len(rows), NOTE)
    for place, (start, end, pitch) in enumerate(rows):
        notes[place] = (start / steps_per_beat, end / steps_per_beat, pitch, 80)
    return notes


class MelodyEncoding:
    """What the encodings of melodies share: their events, and the range and key that a melody is brought into.

    Events are Magenta's MelodyEvents: `NO_EVENT`, `NOTE_OFF`, or a MIDI pitch in [min_note, max_note).

    Args:
        min_note: lowest MIDI pitch.
        max_note: highest MIDI pitch, exclusive.
        transpose_to_key: major key (0 = C) that `squash` moves a melody to; None leaves the key alone.
    """

    default_event = NO_EVENT

    def __init__(self, min_note: int, max_note: int, transpose_to_key: int | None) -> None:
        self.min_note, self.max_note = min_note, max_note
        self.transpose_to_key = transpose_to_key
        self.note_range = max_note - min_note

    def validate(self, events: Sequence[int]) -> None:
        """Raise ValueError unless every event is -2, -1 or a MIDI pitch 0..127."""
        for event in events:
            if not NO_EVENT <= event <= 127:
                raise ValueError(f"{event} is not a melody event: -2 (no event), -1 (note off) or a MIDI pitch 0..127")

    def squash(self, events: Sequence[int]) -> tuple[list[int], int]:
        """Transpose to the network's key and nearest octave, if it has a key; notes outside the range move by octaves.

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

    def from_notes(self, notes: np.ndarray, length: float, steps_per_beat: int) -> list[int]:
        """See `from_notes`."""
        return from_notes(notes, length, steps_per_beat)

    def to_notes(self, events: Sequence[int], steps_per_beat: int) -> np.ndarray:
        """See `to_notes`."""
        return to_notes(events, steps_per_beat)


def repeated(events: Sequence[int], event: int, lookbacks: Sequence[int], default_event: int) -> int | None:
    """Which of the lookbacks the next event repeats, if any: the farthest that matches.

    A default event before the farthest lookback counts as its repetition, since silence is what went before the start.
    """
    if lookbacks and event == default_event and len(events) < lookbacks[-1]:
        return len(lookbacks) - 1
    for i in reversed(range(len(lookbacks))):
        if len(events) >= lookbacks[i] and events[-lookbacks[i]] == event:
            return i
    return None


class OneHotMelodyEncoding(MelodyEncoding):
    """basic_rnn and mono_rnn: the event alone, one-hot. Classes: no event, note off, then the pitches.

    With lookbacks (lookback_rnn) the input is, in order: the event; for each lookback the event that stands so many
    steps before the one to come; the bits of position + 1 as +-1; for each lookback, does the event repeat the one so
    many steps ago. Further classes, "same as `lookbacks[i]` steps ago", come before the others.

    Args:
        min_note, max_note, transpose_to_key: see `MelodyEncoding`.
        lookbacks: distances in steps, ascending.
        counter_bits: length of the counter, 0 for none.
        steps_per_bar: what the counter counts, see `counted`.
    """

    def __init__(
        self,
        min_note: int = 48,
        max_note: int = 84,
        transpose_to_key: int | None = 0,
        lookbacks: tuple[int, ...] = (),
        counter_bits: int = 0,
        steps_per_bar: int = 16,
    ) -> None:
        super().__init__(min_note, max_note, transpose_to_key)
        self.lookbacks, self.steps_per_bar = lookbacks, steps_per_bar
        self.counters = counter_table(counter_bits)
        self.num_events = self.note_range + 2
        self.num_classes = self.num_events + len(lookbacks)
        self.input_size = self.num_events * (1 + len(lookbacks)) + counter_bits + len(lookbacks)

    def stream(self, conditions: None = None) -> OneHotMelodyStream:
        """A new, empty stream; there are no conditions."""
        return OneHotMelodyStream(self)

    def index(self, event: int) -> int:
        """Place of an event among the one-hot ones."""
        return event - self.min_note + 2 if event >= 0 else event - NO_EVENT


class LookbackMelodyEncoding(OneHotMelodyEncoding):
    """lookback_rnn: looks back one bar and two. See `OneHotMelodyEncoding`; 121 inputs and 40 classes by default.

    Args:
        min_note, max_note: see `MelodyEncoding`.
        steps_per_bar: what is looked back and counted by, see `bars_back` and `counted`.
    """

    def __init__(self, min_note: int = 48, max_note: int = 84, steps_per_bar: int = 16) -> None:
        super().__init__(min_note, max_note, 0, bars_back(steps_per_bar), 5, steps_per_bar)


class OneHotMelodyStream(Stream):
    """See `OneHotMelodyEncoding`."""

    def __init__(self, encoding: OneHotMelodyEncoding) -> None:
        self.encoding = encoding
        self.events = []

    def start(self) -> np.ndarray:
        """A silent step whose counter announces position 0."""
        return self._input(NO_EVENT)

    def push(self, event: int) -> np.ndarray:
        """Append an event; its input vector."""
        self.events.append(event)
        return self._input(event)

    def _input(self, event: int) -> np.ndarray:
        encoding, events = self.encoding, self.events
        vector = np.zeros(encoding.input_size, np.float32)
        vector[encoding.index(event)] = 1.0
        if not encoding.lookbacks:
            return vector
        place = encoding.num_events
        for distance in encoding.lookbacks:
            past = events[-distance] if len(events) >= distance else NO_EVENT
            vector[place + encoding.index(past)] = 1.0
            place += encoding.num_events
        counters = encoding.counters
        vector[place : place + counters.shape[1]] = counters[
            counted(len(events), encoding.steps_per_bar) % len(counters)
        ]
        place += counters.shape[1]
        for i, distance in enumerate(encoding.lookbacks):
            vector[place + i] = len(events) > distance and events[-1] == events[-1 - distance]
        return vector

    def label(self, event: int) -> int:
        """Lookbacks first, see `repeated`."""
        encoding = self.encoding
        lookback = repeated(self.events, event, encoding.lookbacks, NO_EVENT)
        return encoding.index(event) if lookback is None else encoding.num_events + lookback

    def decode(self, label: int) -> int:
        """The event; a lookback beyond the beginning means no event."""
        encoding, events = self.encoding, self.events
        if label < 2:
            return NO_EVENT + label
        if label < encoding.num_events:
            return encoding.min_note + label - 2
        distance = encoding.lookbacks[label - encoding.num_events]
        return events[-distance] if len(events) >= distance else NO_EVENT


class KeyMelodyEncoding(MelodyEncoding):
    """attention_rnn: melodies with estimates of their key; 74 inputs and 40 classes at the default sizes.

    Inputs, in order: sounding pitch (one-hot), a note sounds, silence, attack, last interval up or down (+-1, 0 before
    the second note), does the event repeat the one `lookbacks` steps ago, the bits of position + 1 as +-1, the next
    event starts a bar, major keys that hold most notes so far (all that tie), the same for the last three different
    pitches.
    Classes: the pitches, no event, note off, then "same as `lookbacks[i]` steps ago", which comes before the others.

    Args:
        min_note, max_note, transpose_to_key: see `MelodyEncoding`.
        steps_per_bar: it looks back and counts by bars, see `bars_back` and `counted`.
        counter_bits: length of the counter.
    """

    def __init__(
        self,
        min_note: int = 48,
        max_note: int = 84,
        transpose_to_key: int | None = 0,
        steps_per_bar: int = 16,
        counter_bits: int = 7,
    ) -> None:
        super().__init__(min_note, max_note, transpose_to_key)
        self.steps_per_bar = steps_per_bar
        self.whole_bar = STEPS_PER_BAR if STEPS_PER_BAR % steps_per_bar == 0 else steps_per_bar
        self.lookbacks = bars_back(steps_per_bar)
        self.counters = counter_table(counter_bits)
        self.num_classes = self.note_range + 2 + len(self.lookbacks)
        self.input_size = self.note_range + 4 + len(self.lookbacks) + counter_bits + 1 + 24

    def stream(self, conditions: None = None) -> KeyMelodyStream:
        """A new, empty stream; there are no conditions."""
        return KeyMelodyStream(self)


class KeyMelodyStream(Stream):
    """See `KeyMelodyEncoding`."""

    def __init__(self, encoding: KeyMelodyEncoding) -> None:
        self.encoding = encoding
        self.events = []
        self._sounding: int | None = None
        self._attack = False
        self._direction = 0.0
        self._recent: tuple[int, ...] = ()
        """The last three different pitches, latest last."""
        self._key_counts = np.zeros(12, np.float32)
        self._keys = np.ones(24, np.float32)
        """The inputs about keys, which change with notes alone."""

    def start(self) -> np.ndarray:
        """A silent step whose counter announces position 0, the start of a bar."""
        return self._input()

    def push(self, event: int) -> np.ndarray:
        """Append an event; its input vector."""
        self.events.append(event)
        if event >= 0:
            self._attack = True
            self._sounding = event
            recent = self._recent
            if recent and event != recent[-1]:
                self._direction = 1.0 if event > recent[-1] else -1.0
            self._recent = (*[pitch for pitch in recent if pitch != event][-2:], event)
            # Copies of this stream share these arrays, so new ones take their place.
            self._key_counts = self._key_counts + KEYS_OF_PITCH_CLASS[event % 12]
            self._keys = np.concatenate([_most(self._key_counts), _recent_keys(self._recent)])
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
        vector[position : position + counters.shape[1]] = counters[
            counted(len(events), encoding.steps_per_bar) % len(counters)
        ]
        vector[-25] = len(events) % encoding.whole_bar == 0
        vector[-24:] = self._keys
        return vector

    def label(self, event: int) -> int:
        """Lookbacks first, see `repeated`."""
        encoding = self.encoding
        lookback = repeated(self.events, event, encoding.lookbacks, NO_EVENT)
        if lookback is not None:
            return encoding.note_range + 2 + lookback
        return event - encoding.min_note if event >= 0 else encoding.note_range + event - NO_EVENT

    def decode(self, label: int) -> int:
        """The event; a lookback beyond the beginning means no event."""
        encoding, events = self.encoding, self.events
        special = label - encoding.note_range
        if special < 0:
            return encoding.min_note + label
        if special < 2:
            return NO_EVENT + special
        distance = encoding.lookbacks[special - 2]
        return events[-distance] if len(events) >= distance else NO_EVENT


def _most(counts: np.ndarray) -> np.ndarray:
    return (counts == counts.max()).astype(np.float32)


@lru_cache(maxsize=4096)
def _recent_keys(pitches: tuple[int, ...]) -> np.ndarray:
    return _most(KEYS_OF_PITCH_CLASS[[pitch % 12 for pitch in pitches]].sum(axis=0))
