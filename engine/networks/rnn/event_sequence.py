"""An event-sequence RNN ready to play: encoding, stack of LSTMs, head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.networks.contract import NO_CONDITIONS, Conditions, Event, EventEncoding, Passage, Random, Sampling
from engine.networks.rnn.generation import Continuation, generate
from engine.networks.rnn.stack import Stack
from engine.networks.sampling import check_sampling
from engine.networks.threads import one_thread

if TYPE_CHECKING:
    from engine.networks.rnn.configs import RnnConfig
    from engine.networks.rnn.extend import Extension


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
        sampling: Sampling | None = None,
        rng: Random | None = None,
    ) -> np.ndarray:
        """New notes that go on after a passage: array of `NOTE`, in beats from the passage's end.

        Args:
            passage: what was heard before; may be empty.
            beats: how much music is wanted.
            conditions: what the music is asked to be like; those count that the config names.
            sampling: how to choose; `Sampling()` by default.
            rng: source of chance; by default one that differs from call to call.

        Raises:
            ValueError: the config does not allow the passage's bars, or a setting means nothing.
        """
        return self.extensions(passage, beats, conditions, sampling, rng)[0].notes

    def extensions(
        self,
        passage: Passage,
        beats: float,
        conditions: Conditions = NO_CONDITIONS,
        sampling: Sampling | None = None,
        rng: Random | None = None,
        count: int = 1,
    ) -> list[Extension]:
        """As `extend`, `count` times in one batch, each with its log-likelihood."""
        return self.config.extend(
            self, passage, beats, conditions, sampling or Sampling(), rng or np.random.default_rng(), count
        )
