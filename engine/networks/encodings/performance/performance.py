"""Performances: notes as they are played, in steps of 10 ms, with dynamics.

Source: Oore, Simon, Dieleman, Eck & Simonyan, "This time with feeling: learning expressive musical performance" (2018),
section 3; the circular inputs and the controls are those of Magenta's Performance RNN.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Self

import numpy as np

from engine.networks.encodings.bases import KeylessEncoding, Stream
from engine.networks.encodings.grid import on_grid
from engine.networks.encodings.performance.controls import Controls, ControlSource, PerformanceControl
from engine.score.phrase import NOTE, in_order

STEPS_PER_SECOND = 100
NOTE_ON, NOTE_OFF, TIME_SHIFT, VELOCITY = 0, 128, 256, 356
"""First class of each kind of event: 128 pitches, 128 pitches, shifts by 1..100 steps, 32 velocity bins."""
MAX_SHIFT = 100
VELOCITY_BINS = 32
MAX_NOTE_STEPS = 500
"""Longest note that is believed, 5 s: the networks often forget to end a note."""
DEFAULT_VELOCITY = 100
_BIN = 4
"""Velocities in a bin."""


class PerformanceEncoding(KeylessEncoding):
    """Performances as events; an event is its class.

    Inputs: the controls for the event to come, if the network has any, then the event, one-hot or on circles.

    Args:
        dynamics: there are events of velocity.
        circular: the event is put as points on circles (pitch, pitch class, time, velocity) instead of one-hot.
        controls: what the network can be asked for.
        optional: the controls can be switched off.
    """

    default_event = TIME_SHIFT + MAX_SHIFT - 1

    def __init__(
        self,
        dynamics: bool = True,
        circular: bool = False,
        controls: tuple[PerformanceControl, ...] = (),
        optional: bool = False,
    ) -> None:
        self.dynamics = dynamics
        self.num_classes = VELOCITY + VELOCITY_BINS if dynamics else VELOCITY
        self.controls = controls
        self.optional = optional
        self.control_size = optional + sum(control.size for control in controls)
        self.circles = _circles()[: self.num_classes] if circular else None
        self.input_size = self.control_size + (self.num_classes if self.circles is None else self.circles.shape[1])

    def stream(self, conditions: ControlSource | None = None) -> PerformanceStream:
        """A new, empty stream.

        Args:
            conditions: the controls over the music; None for what each control takes without being asked, or for all
                of them switched off where they are optional.
        """
        if conditions is None and self.controls:
            conditions = Controls.of(self.controls, self.optional)
        return PerformanceStream(self, conditions)

    def sounding_stream(self, controls: ControlSource | None) -> SoundingStream:
        """A new, empty stream that knows which notes sound."""
        return SoundingStream(self, controls)

    def validate(self, events: Sequence[int]) -> None:
        """Raise ValueError unless every event is a class of this encoding."""
        for event in events:
            if not 0 <= event < self.num_classes:
                raise ValueError(f"{event} is not an event of a performance: a class 0..{self.num_classes - 1}")


class PerformanceStream(Stream):
    """See `PerformanceEncoding`."""

    def __init__(self, encoding: PerformanceEncoding, controls: ControlSource | None) -> None:
        self.encoding = encoding
        self.events: list[int] = []
        self.num_steps = 0
        """Time passed, in steps of 10 ms."""
        self._controls = controls

    def start(self) -> np.ndarray:
        """The longest silence."""
        return self._input(self.encoding.default_event)

    def push(self, event: int) -> np.ndarray:
        """Append a class; its input vector, with the controls at the time that it leads to."""
        self.events.append(event)
        self.num_steps += shift_of(event)
        return self._input(event)

    def _input(self, event: int) -> np.ndarray:
        encoding = self.encoding
        vector = np.zeros(encoding.input_size, np.float32)
        size = encoding.control_size
        if self._controls is not None:
            vector[:size] = self._controls.at(len(self.events), self.num_steps)
        if encoding.circles is None:
            vector[size + event] = 1.0
        else:
            vector[size:] = encoding.circles[event]
        return vector


class SoundingStream(PerformanceStream):
    """The same, for playing: it knows which notes sound, and keeps to it, as all performances do that a network learnt
    from. A note ends that sounds, and what is struck while it sounds ends first.

    A network is not sure what sounds: without this a quarter of the ends that it draws mean notes that are silent, and
    a fifth of its strokes keys that are down. Each of these leaves a note that nobody ends, and a past such as the
    network has never heard, in which it errs more (docs/models.md).
    """

    restricts = True

    def __init__(self, encoding: PerformanceEncoding, controls: ControlSource | None) -> None:
        super().__init__(encoding, controls)
        self._sounding = np.zeros(128, bool)
        self._struck: int | None = None

    def push(self, event: int) -> np.ndarray:
        """See `PerformanceStream.push`."""
        if event < TIME_SHIFT:
            self._sounding[event % NOTE_OFF] = event < NOTE_OFF
        if event == self._struck:
            self._struck = None
        return super().push(event)

    def decode(self, label: int) -> int:
        """The label itself; for a stroke of a key that is down, its end, which the stroke follows."""
        if label < NOTE_OFF and self._sounding[label]:
            self._struck = label
            return NOTE_OFF + label
        return label

    def forced(self) -> Sequence[int]:
        """The stroke of a key that was down."""
        return () if self._struck is None else (self._struck,)

    def possible(self, outputs: np.ndarray, temperature: float) -> np.ndarray:
        """Outputs in which only notes end that sound: as likely all together as any end was."""
        ends = outputs[NOTE_OFF:TIME_SHIFT].astype(np.float64) / temperature
        highest = ends.max()
        shares = np.exp(ends - highest)
        real = shares[self._sounding].sum()
        found = outputs.astype(np.float64)
        found[NOTE_OFF:TIME_SHIFT] = -np.inf
        if real > 0.0:
            all_together = np.log(shares.sum() / real)
            found[NOTE_OFF:TIME_SHIFT][self._sounding] = temperature * (ends[self._sounding] + all_together)
        return found

    def copy(self) -> Self:
        """See `Stream.copy`."""
        other = super().copy()
        other._sounding = self._sounding.copy()
        return other


def _circles() -> np.ndarray:
    """[388, 16]: per kind of event a 1 and (cosine, sine) pairs: pitch on a circle of twelve octaves and pitch class,
    for notes on and off; shift on a circle of 100; velocity on a circle of 32."""

    def points(n: int, period: int) -> np.ndarray:
        angles = 2 * np.pi * np.arange(n) / period
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    pitches = np.concatenate([np.ones((128, 1)), points(128, 144), points(12, 12)[np.arange(128) % 12]], axis=1)
    table = np.zeros((VELOCITY + VELOCITY_BINS, 16), np.float32)
    table[NOTE_ON:NOTE_OFF, 0:5] = pitches
    table[NOTE_OFF:TIME_SHIFT, 5:10] = pitches
    table[TIME_SHIFT:VELOCITY, 10] = table[VELOCITY:, 13] = 1.0
    table[TIME_SHIFT:VELOCITY, 11:13] = points(MAX_SHIFT, MAX_SHIFT)
    table[VELOCITY:, 14:16] = points(VELOCITY_BINS, VELOCITY_BINS)
    return table


def shift_of(event: int) -> int:
    """Steps of 10 ms that an event lasts: 0 for all but time shifts."""
    return event - TIME_SHIFT + 1 if TIME_SHIFT <= event < VELOCITY else 0


def steps_of(events: Sequence[int]) -> int:
    """Steps of 10 ms that events last."""
    return sum(map(shift_of, events))


def bin_of(velocity: int) -> int:
    """Velocity bin 0..31 of a MIDI velocity 1..127."""
    return (velocity - 1) // _BIN


def velocity_of(bin_index: int) -> int:
    """Lowest MIDI velocity of a bin."""
    return 1 + bin_index * _BIN


def steps_per_beat(qpm: float) -> float:
    """Steps of 10 ms in a beat."""
    return STEPS_PER_SECOND * 60.0 / qpm


def from_notes(notes: np.ndarray, qpm: float, dynamics: bool = True) -> list[int]:
    """The events of notes.

    Within a step they come by the order of the notes, begins before ends of one note. A velocity comes before the
    note where it changes.

    Args:
        notes: array [n] of `NOTE`, in beats.
        qpm: quarter notes per minute.
        dynamics: with events of velocity.
    """
    notes = in_order(notes)
    starts, ends = on_grid(notes, steps_per_beat(qpm))
    happenings = sorted(
        [(int(step), place, False) for place, step in enumerate(starts)]
        + [(int(step), place, True) for place, step in enumerate(ends)]
    )
    pitches, velocities = notes["pitch"].tolist(), notes["velocity"].tolist()
    events: list[int] = []
    now, loudness = 0, None
    for step, place, ends_here in happenings:
        if step > now:
            events += shifts(step - now)
            now = step
        if dynamics and not ends_here and bin_of(velocities[place]) != loudness:
            loudness = bin_of(velocities[place])
            events.append(VELOCITY + loudness)
        events.append((NOTE_OFF if ends_here else NOTE_ON) + pitches[place])
    return events


def shifts(steps: int) -> list[int]:
    """Time shifts that last so many steps together, the longest first; none for 0."""
    longest, rest = divmod(steps, MAX_SHIFT)
    return [TIME_SHIFT + MAX_SHIFT - 1] * longest + ([TIME_SHIFT + rest - 1] if rest else [])


def fit(events: Sequence[int], num_steps: int) -> list[int]:
    """Events that last so long: cut, or with silence after them.

    A last time shift that is not the longest grows first, as Magenta's do. When cutting, what lies at the end of the
    time goes too, such as the ends of notes there: `to_notes` ends them.
    """
    events = list(events)
    missing = num_steps - steps_of(events)
    if missing > 0:
        if events and 0 < shift_of(events[-1]) < MAX_SHIFT:
            grown = min(missing, MAX_SHIFT - shift_of(events[-1]))
            events[-1] += grown
            missing -= grown
        return events + shifts(missing)
    while missing < 0:
        last = shift_of(events.pop())
        missing += last
        if missing > 0:
            events.append(TIME_SHIFT + missing - 1)
    return events


def to_notes(events: Sequence[int], qpm: float, max_steps: int = MAX_NOTE_STEPS) -> np.ndarray:
    """The notes that events mean.

    What makes no sense is passed over: the end of a note that does not sound, and notes without length. A pitch may
    sound more than once at a time; then the oldest ends first. Notes that never end last until the end of the events.

    Args:
        events: of a sequence.
        qpm: quarter notes per minute.
        max_steps: notes are cut to so many steps of 10 ms.

    Returns:
        Array of `NOTE`, in beats, sorted by (start, pitch).
    """
    notes: list[tuple[int, int, int, int]] = []
    sounding: dict[int, list[tuple[int, int]]] = defaultdict(list)
    now, velocity = 0, DEFAULT_VELOCITY

    def end(pitch: int, start: int, loudness: int) -> None:
        if now > start:
            notes.append((start, min(now, start + max_steps), pitch, loudness))

    for event in events:
        if event < NOTE_OFF:
            sounding[event].append((now, velocity))
        elif event < TIME_SHIFT:
            if sounding[event - NOTE_OFF]:
                end(event - NOTE_OFF, *sounding[event - NOTE_OFF].pop(0))
        elif event < VELOCITY:
            now += shift_of(event)
        else:
            velocity = velocity_of(event - VELOCITY)
    for pitch, unended in sounding.items():
        for start, loudness in unended:
            end(pitch, start, loudness)
    return in_beats(notes, qpm)


def in_beats(notes: Sequence[tuple[int, int, int, int]], qpm: float) -> np.ndarray:
    """Array of `NOTE` of (start, end, pitch, velocity) in steps of 10 ms, sorted by (start, pitch)."""
    made = np.array(notes, NOTE) if notes else np.zeros(0, NOTE)
    made["start"] /= steps_per_beat(qpm)
    made["end"] /= steps_per_beat(qpm)
    return in_order(made)
