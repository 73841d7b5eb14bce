"""Extending a passage on a grid of steps: notes to events, events to more events, those to notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from engine.networks.contract import Conditions, Passage, Random, Sampling
from engine.score.chords import Chord
from engine.score.phrase import ChordSpan

if TYPE_CHECKING:
    from engine.networks.rnn.event_sequence import EventSequenceRnn


class Extension(NamedTuple):
    """Music that goes on after a passage.

    Attributes:
        notes: array of `NOTE`, the new ones alone, in beats from the passage's end.
        log_likelihood: in nats, after the temperature, of the events that came after the passage's.
    """

    notes: np.ndarray
    log_likelihood: float


class Extend(Protocol):
    """How a kind of network extends a passage."""

    def __call__(
        self,
        network: Any,
        passage: Passage,
        beats: float,
        conditions: Conditions,
        sampling: Sampling,
        rng: Random,
        count: int,
    ) -> list[Extension]:
        """`count` ways to go on for so many beats; see `EventSequenceRnn.extensions`."""
        ...


def extend_on_grid(
    network: EventSequenceRnn,
    passage: Passage,
    beats: float,
    conditions: Conditions,
    sampling: Sampling,
    rng: Random,
    count: int,
) -> list[Extension]:
    """See `Extend`; for encodings with `from_notes` and `to_notes`.

    A melody that is held at the passage's end is not held on: what is returned are new notes alone.
    """
    encoding: Any = network.encoding_in(passage.steps_per_bar)
    per_beat = network.steps_per_quarter
    primer = encoding.from_notes(passage.notes, passage.length, per_beat)
    steps = round(beats * per_beat)
    given = None
    if "chords" in network.config.conditions:
        given = chords_on_grid(conditions.chords, len(primer) + steps + 1, per_beat)
    events, transposition, found = network.continuations(
        primer, steps, count, sampling, rng, given, passage.steps_per_bar
    )
    extensions = []
    for made in found:
        new = encoding.restore(made.stream.events[len(events) :], transposition)
        extensions.append(Extension(encoding.to_notes(new, per_beat), made.log_likelihood))
    return extensions


def chords_on_grid(spans: Sequence[ChordSpan], steps: int, steps_per_beat: int) -> list[Chord | None]:
    """The chord at each step, None where there is none."""
    chords: list[Chord | None] = [None] * steps
    for span in spans:
        start, end = (int(np.ceil(beat * steps_per_beat - 1e-6)) for beat in (span.start, span.end))
        for step in range(max(0, start), min(steps, end)):
            chords[step] = span.chord
    return chords
