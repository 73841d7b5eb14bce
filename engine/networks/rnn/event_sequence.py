"""An event-sequence RNN ready to play: encoding, stack of LSTMs, head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np

from engine.networks.contract import (
    DEFAULT_SAMPLING,
    NO_CONDITIONS,
    Conditions,
    Event,
    EventEncoding,
    Extension,
    Passage,
    Random,
    Sampling,
)
from engine.networks.rnn.configs import RnnConfig
from engine.networks.rnn.generation import Continuation, generate
from engine.networks.rnn.stack import Stack
from engine.networks.sampling import check_sampling
from engine.networks.threads import one_thread
from engine.score.harmony.chords import Chord
from engine.score.phrase import ChordSpan


class GridEncoding(EventEncoding, Protocol):
    """An encoding on a grid of steps, which knows notes."""

    def from_notes(self, notes: np.ndarray, length: float, steps_per_beat: int) -> list[Event]:
        """The events of an array of `NOTE` that lasts so many beats."""
        ...

    def to_notes(self, events: Sequence[Event], steps_per_beat: int) -> np.ndarray:
        """The notes of events: array of `NOTE`."""
        ...


class EventSequenceRnn:
    """A network that continues event sequences. Not for use from two threads at once.

    Args:
        config: what kind of network it is.
        weights: by Magenta's names; layer sizes and the kind of attention are read off their names and shapes.

    Attributes:
        encoding: of its events, for bars of sixteen 16ths.
        head: what its outputs mean.
        stack: its recurrent part with the output layer.
        sizes: as the card says them; `layers` the LSTM units among them.

    Raises:
        ValueError: weights are missing or of another shape.
    """

    def __init__(self, config: RnnConfig, weights: Mapping[str, np.ndarray]) -> None:
        self.config = config
        self.encoding = config.make_encoding()
        self.head = config.make_head(self.encoding, weights)
        layout = config.layout({name: tuple(value.shape) for name, value in weights.items()})
        self.layers = layout.layers
        self.sizes = layout.sizes()
        self.steps_per_quarter = config.steps_per_quarter
        with one_thread():
            self.stack = Stack(weights, layout)

    def generate(
        self,
        primer: Sequence[Event],
        num_steps: int,
        temperature: float,
        rng: Random,
        conditions: Any = None,
        sampling: Sampling | None = None,
        steps_per_bar: int = 16,
    ) -> list[Event]:
        """Continue a primer; see `engine.networks.rnn.generation.generate`.

        Args:
            primer: events before the new ones, from a bar line on; may be empty.
            num_steps: how many new events; on a grid one per step.
            temperature: > 0; 1 is as learnt, less is safer, more is wilder.
            rng: source of chance.
            conditions: what `encoding.stream` takes, from the primer's first event on.
            sampling: all settings of choosing, in the place of `temperature`.
            steps_per_bar: sixteenths in a bar.

        Returns:
            The new events alone, in the primer's key and octave.

        Raises:
            ValueError: an event is none of this encoding, or a setting means nothing.
        """
        sampling = sampling or Sampling(temperature=temperature)
        return self.candidates(primer, num_steps, 1, sampling, rng, conditions, steps_per_bar)[0]

    def candidates(
        self,
        primer: Sequence[Event],
        num_steps: int,
        count: int,
        sampling: Sampling,
        rng: Random,
        conditions: Any = None,
        steps_per_bar: int = 16,
    ) -> list[list[Event]]:
        """So many continuations of one primer, made in one batch; otherwise as `generate`."""
        events, transposition, found = self.continuations(
            primer, num_steps, count, sampling, rng, conditions, steps_per_bar
        )
        return [self.encoding.restore(made.stream.events[len(events) :], transposition) for made in found]

    def continuations(
        self,
        primer: Sequence[Event],
        num_steps: int,
        count: int,
        sampling: Sampling,
        rng: Random,
        conditions: Any = None,
        steps_per_bar: int = 16,
    ) -> tuple[list[Event], int, list[Continuation]]:
        """As `candidates`, in the network's range and key: the primer, its transposition, and what it led to."""
        encoding = self.encoding_in(steps_per_bar)
        encoding.validate(primer)
        check_sampling(sampling)
        events, transposition = encoding.squash(primer)
        found = generate(self, encoding.stream(conditions), events, max(0, num_steps), sampling, rng, count)
        return events, transposition, found

    def encoding_in(self, steps_per_bar: int) -> EventEncoding:
        """The encoding for bars of so many sixteenths.

        Raises:
            ValueError: the config does not allow such bars.
        """
        if reason := self.config.allows(steps_per_bar):
            raise ValueError(reason)
        return self.encoding if steps_per_bar == 16 else self.config.make_encoding(steps_per_bar)

    def log_likelihood(self, events: Sequence[Event], temperature: float = 1.0, conditions: Any = None) -> float:
        """Log-probability in nats of each event's label after the events before it, summed; the first event is given.

        Args:
            events: a sequence of this encoding.
            temperature: as in `generate`.
            conditions: what `encoding.stream` takes.

        Raises:
            ValueError: an event is none of this encoding, or the temperature is not positive.
        """
        check_sampling(Sampling(temperature=temperature))
        self.encoding.validate(events)
        stream = self.encoding.stream(conditions)
        total, inputs = 0.0, None
        with one_thread():
            self.stack.reset()
            for event in self.encoding.squash(events)[0]:
                if inputs is not None:
                    outputs = self.stack.step(inputs[None])[0]
                    total += self.head.log_probability(outputs, stream.label(event), temperature)
                inputs = stream.push(event)
        return total

    def run(self, inputs: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Feed inputs [T, input_size] from zero states: outputs [T, output_size], and the final `Stack.state`."""
        with one_thread():
            self.stack.reset()
            outputs = np.stack([self.stack.step(row[None])[0].copy() for row in np.asarray(inputs, np.float32)])
        return outputs, self.stack.state()

    def extend(
        self,
        passage: Passage,
        beats: float,
        conditions: Conditions = NO_CONDITIONS,
        sampling: Sampling = DEFAULT_SAMPLING,
        rng: Random | None = None,
        count: int = 1,
    ) -> list[Extension]:
        """New music that goes on after a passage.

        On a grid of steps, which this is for, a melody that is held at the passage's end is not held on.

        Args:
            passage: what was heard before; may be empty.
            beats: how much music is wanted.
            conditions: what the music is asked to be like; those count that the config names.
            sampling: how to choose.
            rng: source of chance; by default one that differs from call to call.
            count: how many ways to go on are made, in one batch.

        Raises:
            ValueError: the config does not allow the passage's bars, or a setting means nothing.
        """
        # What is played on a grid is known by its notes; other encodings have networks of their own.
        encoding = cast("GridEncoding", self.encoding_in(passage.steps_per_bar))
        per_beat = self.steps_per_quarter
        primer = encoding.from_notes(passage.notes, passage.length, per_beat)
        steps = round(beats * per_beat)
        given = None
        if "chords" in self.config.conditions:
            given = chords_on_grid(conditions.chords, len(primer) + steps + 1, per_beat)
        events, transposition, found = self.continuations(
            primer, steps, count, sampling, rng or np.random.default_rng(), given, passage.steps_per_bar
        )
        extensions: list[Extension] = []
        for made in found:
            new = encoding.restore(made.stream.events[len(events) :], transposition)
            extensions.append(Extension(encoding.to_notes(new, per_beat), made.log_likelihood, made.learnt))
        return extensions


def chords_on_grid(spans: Sequence[ChordSpan], steps: int, steps_per_beat: int) -> list[Chord | None]:
    """The chord at each step, None where there is none."""
    chords: list[Chord | None] = [None] * steps
    for span in spans:
        start, end = (int(np.ceil(beat * steps_per_beat - 1e-6)) for beat in (span.start, span.end))
        for step in range(max(0, start), min(steps, end)):
            chords[step] = span.chord
    return chords
