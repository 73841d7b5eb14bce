"""Several voices on a grid of steps, as a list of what happens within each step.

Source: the encoding of Magenta's Polyphony RNN, after Liang, "BachBot" (Cambridge, 2016), section 4.2.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from engine.networks.encodings.bases import KeylessEncoding, Stream
from engine.networks.encodings.grid import on_grid
from engine.score.phrase import NOTE, in_order
from engine.score.time import STEPS_PER_BEAT

START, END, STEP_END = 0, 1, 2
NEW, CONTINUED = 3, 131
"""A note begins, or goes on from the step before: this plus its MIDI pitch."""
NUM_CLASSES = 259
VELOCITY = 100
"""Of every note, for the encoding has no dynamics."""


class PolyphonyEncoding(KeylessEncoding):
    """Polyphony as one-hot events; an event is its class.

    Events are `START`, then for every step the notes that sound in it from the highest down (`NEW` or `CONTINUED` plus
    the pitch) and `STEP_END`, and `END`. A sounding note that is not continued ends.
    """

    input_size = NUM_CLASSES
    num_classes = NUM_CLASSES
    default_event = STEP_END

    def stream(self, conditions: Sequence[Sequence[int]] | None = None) -> PolyphonyStream:
        """A new, empty stream.

        Args:
            conditions: for each step from the first on, events that are sung at its beginning; see `by_step`.
        """
        return PolyphonyStream(self, conditions or ())

    def validate(self, events: Sequence[int]) -> None:
        """Raise ValueError unless every event is a class 0..258."""
        for event in events:
            if not 0 <= event < NUM_CLASSES:
                raise ValueError(f"{event} is not an event of polyphony: a class 0..{NUM_CLASSES - 1}")


class PolyphonyStream(Stream):
    """See `PolyphonyEncoding`."""

    def __init__(self, encoding: PolyphonyEncoding, injected: Sequence[Sequence[int]]) -> None:
        self.encoding = encoding
        self.events: list[int] = []
        self.num_steps = 0
        """Finished steps."""
        self._injected = injected

    def start(self) -> np.ndarray:
        """The input of `START`, with which every sequence begins."""
        return _one_hot(START)

    def push(self, event: int) -> np.ndarray:
        """Append a class; its input vector."""
        self.events.append(event)
        self.num_steps += event == STEP_END
        return _one_hot(event)

    def forced(self) -> Sequence[int]:
        """At the beginning of a step: the events that are injected there."""
        at_step_start = self.events and (self.events[-1] == STEP_END or self.events == [START])
        if not at_step_start or self.num_steps >= len(self._injected):
            return ()
        return self._injected[self.num_steps]


def _one_hot(event: int) -> np.ndarray:
    vector = np.zeros(NUM_CLASSES, np.float32)
    vector[event] = 1.0
    return vector


def from_notes(notes: np.ndarray, num_steps: int) -> list[int]:
    """The events of notes, from `START` to the last `STEP_END`, without `END`.

    Args:
        notes: array [n] of `NOTE`, in beats.
        num_steps: sixteenths; notes that begin later are left out, those that ring on are cut.
    """
    steps: list[list[tuple[int, int]]] = [[] for _ in range(num_steps)]
    starts, ends = on_grid(notes, STEPS_PER_BEAT)
    for pitch, start, end in zip(notes["pitch"].tolist(), starts.tolist(), ends.tolist(), strict=True):
        for step in range(start, min(end, num_steps)):
            steps[step].append((-pitch, NEW if step == start else CONTINUED))
    events = [START]
    for sounding in steps:
        # From the highest down; of equal pitches those that go on come before a new one.
        events += [kind - pitch for pitch, kind in sorted(sounding, key=lambda note: (note[0], -note[1]))]
        events.append(STEP_END)
    return events


def by_step(events: Iterable[int]) -> list[list[int]]:
    """The notes of each finished step, as events."""
    steps: list[list[int]] = [[]]
    for event in events:
        if event == STEP_END:
            steps.append([])
        elif event >= NEW:
            steps[-1].append(event)
    return steps[:-1]


def to_notes(events: Iterable[int], num_steps: int, held: Sequence[int] = ()) -> np.ndarray:
    """The notes that events mean.

    What makes no sense is passed over: `START` and `END` in the middle, and a pitch that is continued and does not
    sound. A pitch may sound more than once at a time; then the oldest ends first.

    Args:
        events: of a sequence, or of a part of one.
        num_steps: where the music ends and with it every note; later events are not heard.
        held: pitches that sound before the first event. Where they are continued, a new note begins.

    Returns:
        Array of `NOTE`, in beats from the first step, sorted by (start, pitch).
    """
    notes: list[tuple[int, int, int]] = []
    begun: dict[int, list[int]] = defaultdict(list)
    for pitch in held:
        begun[pitch].append(0)
    ending = Counter(held)
    step = 0
    for event in events:
        if step == num_steps:
            break
        if event >= CONTINUED:
            if ending[event - CONTINUED]:
                ending[event - CONTINUED] -= 1
        elif event >= NEW:
            begun[event - NEW].append(step)
        elif event == STEP_END:
            for pitch, times in ending.items():
                notes += [(start, step, pitch) for start in begun[pitch][:times]]
                del begun[pitch][:times]
            step += 1
            ending = Counter({pitch: len(starts) for pitch, starts in begun.items()})
    notes += [(start, step, pitch) for pitch, starts in begun.items() for start in starts]
    made = np.array(
        [(start / STEPS_PER_BEAT, end / STEPS_PER_BEAT, pitch, VELOCITY) for start, end, pitch in notes if end > start],
        NOTE,
    )
    return in_order(made)
