"""Performance RNN: going on after a performance, in seconds instead of beats."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.networks.contract import (
    DEFAULT_SAMPLING,
    NO_CONDITIONS,
    Conditions,
    Event,
    EventStream,
    Extension,
    Passage,
    Random,
    Sampling,
)
from engine.networks.encodings.performance import notes as performance_notes
from engine.networks.encodings.performance import performance
from engine.networks.encodings.performance.controls import DEFAULT_DENSITY, Controls, ControlSource
from engine.networks.encodings.performance.notes import NotePerformanceStream
from engine.networks.encodings.performance.performance import STEPS_PER_SECOND, PerformanceEncoding, PerformanceStream
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.networks.rnn.generation import Continuation, generate

_EVENTS_PER_NOTE = 4
"""How many events a note is taken to need, as Magenta takes it: on, off, shift, velocity."""
_MOST_PER_SECOND = 400
"""A network that makes more events than this in each second does not move on: it is stopped."""


class PerformanceRnn(EventSequenceRnn):
    """A network that plays as a performer does, in steps of 10 ms."""

    def extend(
        self,
        passage: Passage,
        beats: float,
        conditions: Conditions = NO_CONDITIONS,
        sampling: Sampling = DEFAULT_SAMPLING,
        rng: Random | None = None,
        count: int = 1,
    ) -> list[Extension]:
        """New music after a passage, at its tempo, until the time is filled.

        No note is longer than 5 s, or 10 s where the events are whole notes.

        Args:
            passage: what is gone on after; notes that ring on beyond its length end with it.
            beats: length of what is made.
            conditions: notes_per_second and pitch_classes, over the passage and the new music together.
            sampling: how events are chosen.
            rng: source of chance.
            count: how many ways to go on.
        """
        scale = performance.steps_per_beat(passage.qpm)
        before = round(passage.length * scale)
        total = before + round(beats * scale)
        heard = passage.notes[passage.notes["start"] < passage.length]
        heard["end"] = np.minimum(heard["end"], passage.length)
        encoding, controls = self.encoding, None
        if isinstance(encoding, PerformanceEncoding):
            primer = performance.fit(performance.from_notes(heard, passage.qpm, encoding.dynamics), before)
            if encoding.controls:
                controls = Controls.of(encoding.controls, encoding.optional, conditions, total)
        else:
            primer = performance_notes.from_notes(heard, passage.qpm)
        extensions = []
        for made in perform(
            self, primer, total, sampling, rng or np.random.default_rng(), controls, _density(conditions), count=count
        ):
            if isinstance(encoding, PerformanceEncoding):
                notes = performance.to_notes(performance.fit(made.stream.events, total), passage.qpm)
            else:
                notes = performance_notes.to_notes(made.stream.events, passage.qpm)
            extensions.append(Extension(_after(notes, before / scale, beats), made.log_likelihood, made.learnt))
        return extensions


def _after(notes: np.ndarray, begin: float, beats: float) -> np.ndarray:
    """The notes that start in so many beats from one on, in beats from there."""
    new = notes[(notes["start"] > begin - 1e-6) & (notes["start"] < begin + beats - 1e-6)]
    new["start"] = np.maximum(new["start"] - begin, 0.0)
    new["end"] -= begin
    return new


def perform(
    network: EventSequenceRnn,
    primer: Sequence[Event],
    total: int,
    sampling: Sampling,
    rng: Random,
    controls: ControlSource | None = None,
    density: float = DEFAULT_DENSITY,
    count: int = 1,
    fill: bool = True,
) -> list[Continuation]:
    """Performances that begin with a primer.

    Args:
        network, sampling, rng, count: as in `EventSequenceRnn.extend`.
        primer: events; may be empty.
        total: length in steps of 10 ms, primer included.
        controls: over the length; None for a network without.
        density: notes per second that are expected.
        fill: go on until the length is reached, and end such notes alone as sound (`SoundingStream`). Otherwise as many
            events are made as such a density needs, which is what Magenta's command does: the end may stay empty, and
            notes that are struck again are held.
    """
    encoding = network.encoding
    if fill and isinstance(encoding, PerformanceEncoding):
        stream = encoding.sounding_stream(controls)
    else:
        stream = encoding.stream(controls)
    per_note = _EVENTS_PER_NOTE if isinstance(stream, PerformanceStream) else 1
    most = len(primer) + math.ceil(total * _MOST_PER_SECOND / STEPS_PER_SECOND)

    def wanted(stream: EventStream) -> int:
        assert isinstance(stream, PerformanceStream | NotePerformanceStream)
        missing = total - stream.num_steps if len(stream.events) < most else 0
        return math.ceil(per_note * max(1.0, density) * missing / STEPS_PER_SECOND)

    if fill:
        return generate(network, stream, primer, wanted, sampling, rng, count)
    once = encoding.stream(controls)
    for event in primer:
        once.push(event)
    return generate(network, stream, primer, wanted(once), sampling, rng, count)


def _density(conditions: Conditions) -> float:
    """Mean of the notes per second that are asked for."""
    return DEFAULT_DENSITY if conditions.notes_per_second is None else float(np.mean(conditions.notes_per_second))
