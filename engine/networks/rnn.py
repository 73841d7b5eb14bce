"""An event-sequence RNN ready to play: encoding, stack of LSTMs, one generation loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal

import numpy as np

from engine.networks.configs import RnnConfig
from engine.networks.layout import layers_of, weight_shapes
from engine.networks.sampling import choose, probabilities
from engine.networks.stack import NumpyStack, Stack, fold

Backend = Literal["numpy", "tensorflow"]


@cache
def _thread_pools():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _on_one_thread():
    """Context in which matrix products run on one thread: they are small, and their sums keep one order."""
    return _thread_pools().limit(limits=1, user_api="blas")


class EventSequenceRnn:
    """A network that continues event sequences. Not for use from two threads at once.

    Args:
        config: what kind of network it is.
        weights: by Magenta's names; layer sizes are read off their shapes.
        backend: what computes the steps, "numpy" or "tensorflow"; see `engine.networks.stack`.

    Raises:
        ValueError: weights are missing or of another shape.
    """

    def __init__(self, config: RnnConfig, weights: Mapping[str, np.ndarray], backend: Backend = "numpy") -> None:
        self.config = config
        self.encoding = config.make_encoding()
        self.steps_per_quarter = config.steps_per_quarter
        self.layers = check_shapes(config, {name: tuple(value.shape) for name, value in weights.items()})
        folded = fold(weights, self.layers, config.attention_length)
        if backend == "tensorflow":
            from engine.networks.tensorflow_stack import TensorFlowStack

            self._stack: Stack = TensorFlowStack(folded)
        else:
            self._stack = NumpyStack(folded)

    def generate(
        self, primer: Sequence[int], num_steps: int, temperature: float, rng: np.random.Generator
    ) -> list[int]:
        """Continue a primer.

        The same weights, primer and generator give the same events in every process on one kind of machine: the
        products run on one thread, so that sums are always taken in one order.

        Args:
            primer: events before the new ones, from a bar line on; may be empty.
            num_steps: how many new events, one per step of the grid.
            temperature: > 0; 1 is as learnt, less is safer, more is wilder.
            rng: source of chance; one uniform number is drawn per new event.

        Returns:
            The new events alone, in the primer's key and octave.

        Raises:
            ValueError: an event is none of this encoding, or the temperature is not positive.
        """
        encoding = self.encoding
        encoding.validate(primer)
        events, transposition = encoding.squash(primer)
        if num_steps <= 0:
            return []
        stream = encoding.stream()
        generated: list[int] = []
        with _on_one_thread():
            self._stack.reset()
            if events:
                for event in events:
                    logits = self._stack.step(stream.push(event))
            else:
                logits = self._stack.step(stream.start())
            while True:
                generated.append(stream.decode(choose(logits, temperature, rng.random())))
                if len(generated) == num_steps:
                    return encoding.restore(generated, transposition)
                logits = self._stack.step(stream.push(generated[-1]))

    def log_likelihood(self, events: Sequence[int], temperature: float = 1.0) -> float:
        """Log-probability in nats of each event's class after the events before it, summed; the first event is given.

        Args:
            events: a sequence of this encoding.
            temperature: as in `generate`.

        Raises:
            ValueError: an event is none of this encoding.
        """
        encoding = self.encoding
        encoding.validate(events)
        stream = encoding.stream()
        total = 0.0
        with _on_one_thread():
            self._stack.reset()
            logits = None
            for event in encoding.squash(events)[0]:
                if logits is not None:
                    total += float(np.log(probabilities(logits, temperature)[stream.label(event)]))
                logits = self._stack.step(stream.push(event))
        return total

    def run(self, inputs: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Feed inputs [T, input_size] from zero states: logits [T, num_classes], and the final `Stack.state`."""
        with _on_one_thread():
            self._stack.reset()
            logits = np.stack([self._stack.step(row) for row in inputs])
        return logits, self._stack.state()


def check_shapes(config: RnnConfig, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """Check that weights are those of a config; their units per layer.

    Raises:
        ValueError: saying what is missing or misshapen.
    """
    layers = layers_of(shapes)
    encoding = config.make_encoding()
    expected = weight_shapes(encoding.input_size, encoding.num_classes, layers, config.attention_length)
    for name, shape in expected.items():
        if name not in shapes:
            raise ValueError(f"weight {name} is missing")
        if tuple(shapes[name]) != shape:
            raise ValueError(f"weight {name} is {list(shapes[name])}, but {config.name} needs {list(shape)}")
    return layers
