"""The one generation loop of all event-sequence RNNs: sampling, beam search, many continuations in one batch.

    found = generate(network, encoding.stream(conditions), primer, 32, Sampling(temperature=0.9), rng)
    new_events = found[0].stream.events[len(primer):]

`network` is anything with `.stack` (`reset(batch)`, `step(inputs [B, in], rows) -> [B, out]`, `take(indices)`) and
`.head` (`contract.Head`). The stream is fresh; the primer's events are pushed here. Events that a stream forces
(`EventStream.forced`) are asked for once after the primer and once after each sampled event, and are fed and scored,
not sampled; they do not count as wanted ones. Where it is not known beforehand how many events are needed, `wanted` is
a function of the stream that says how many more; 0 ends.

Beam search is Magenta's (its `beam_search.py`): all sequences start as copies of one, the first iteration takes what
does not divide by `steps_per_iteration`, each later one keeps the `beam_size` likeliest (of equals the first) and goes
on from `branch_factor` copies of each, in the order a, b, a, b. The score is the log-likelihood after the temperature
of all that came after the primer, forced events included.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from engine.networks.contract import Event, EventStream, Head, Random, Sampling
from engine.networks.sampling import check_sampling
from engine.networks.threads import close_threads, one_thread
from engine.progress import part, tell

_TELL_EVERY = 64
"""Events between two words on how far it is."""

Wanted = int | Callable[[EventStream], int]
"""How many events are to be sampled; or a function of the stream that says how many more, in constant time."""


class RecurrentStack(Protocol):
    """What `engine.networks.rnn.stack.Stack` is to the loop."""

    @property
    def large(self) -> bool:
        """Its weights do not fit into the caches, so that a second thread that reads them is worth its while."""
        ...

    def reset(self, batch: int = 1) -> None:
        """Zero states for so many sequences."""
        ...

    def take(self, indices: Sequence[int]) -> None:
        """Go on with copies of these sequences, in this order."""
        ...

    def step(self, inputs: np.ndarray, rows: Sequence[int] | None = None) -> np.ndarray:
        """Feed inputs [B, input_size] to all sequences or those in `rows`: outputs [B, output_size]."""
        ...


class Steppable(Protocol):
    """A network that the loop can run."""

    @property
    def stack(self) -> RecurrentStack:
        """Its recurrent part, with the output layer."""
        ...

    @property
    def head(self) -> Head:
        """What its outputs mean."""
        ...


class Continuation(NamedTuple):
    """A sequence that was continued.

    Attributes:
        stream: whose `events` begin with the primer.
        log_likelihood: in nats, after the temperature, of what came after the primer.
        learnt: the same at temperature 1, of one of several; None of one that was made alone.
    """

    stream: EventStream
    log_likelihood: float
    learnt: float | None = None


def generate(
    network: Steppable,
    stream: EventStream,
    primer: Sequence[Event],
    wanted: Wanted,
    sampling: Sampling,
    rng: Random,
    count: int = 1,
) -> list[Continuation]:
    """Continue a primer.

    The same weights, primer and generator give the same events in every process on one kind of machine: products run
    on one thread, or on two that share the columns of a large matrix, so that sums are always taken in one order.

    Args:
        network: whose stack is used, from zero states.
        stream: a fresh one.
        primer: events in the network's range; may be empty, then the stream's `start` is fed.
        wanted: how many events; see `Wanted`.
        sampling: how to choose. With several continuations there is no beam search: its beam is left out.
        rng: source of chance; draws are made event by event, in each for one sequence after the other.
        count: how many continuations, independent of each other; the primer is run once.

    Returns:
        `count` continuations.

    Raises:
        ValueError: settings of the sampling mean nothing.
    """
    check_sampling(sampling)
    alone = count == 1 and sampling.beam_size * sampling.branch_factor == 1
    with close_threads() if alone and network.stack.large else one_thread():
        whole = len(primer) + (wanted if isinstance(wanted, int) else wanted(stream)) + 1
        with part(0, len(primer), whole):
            sequences = _Sequences(network, stream, primer, sampling, rng)
        with part(len(primer), whole, whole):
            if count > 1:
                return _independent(sequences, wanted, count)
            if not alone:
                _beam_search(sequences, wanted)
            elif isinstance(wanted, int):
                sequences.advance(wanted)
            else:
                while (more := wanted(stream)) > 0:
                    sequences.advance(1)
                    made = len(stream.events) - len(primer)
                    tell(made / (made + more))
    return [sequences.continuation(0)]


class _Sequences:
    """Sequences that go on side by side; one, until `keep` makes more of it.

    Attributes:
        streams: one for each.
        scores: [B] log-likelihoods of what came after the primer.
        learnt: the same at temperature 1; [B] where they are asked for, else None.
    """

    def __init__(
        self, network: Steppable, stream: EventStream, primer: Sequence[Event], sampling: Sampling, rng: Random
    ) -> None:
        self.stack, self.head, self.sampling, self.rng = network.stack, network.head, sampling, rng
        self.streams, self.scores = [stream], np.zeros(1)
        self.learnt: np.ndarray | None = None
        self.stack.reset()
        inputs = None
        for number, event in enumerate(primer):
            if inputs is not None:
                self.stack.step(inputs[None])
            inputs = stream.push(event)
            if number % _TELL_EVERY == _TELL_EVERY - 1:
                tell(number / len(primer))
        self._next = (stream.start() if inputs is None else inputs)[None].copy()

    def advance(self, steps: int) -> None:
        """Sample so many events for each sequence."""
        for number in range(steps):
            if number % _TELL_EVERY == _TELL_EVERY - 1:
                tell(number / steps)
            outputs = self._forced(self.stack.step(self._next))
            if self.streams[0].restricts:
                rows = zip(self.streams, outputs, strict=True)
                outputs = np.stack([stream.possible(row, self.sampling.temperature) for stream, row in rows])
            labels, scores = self.head.sample(outputs, self.sampling, self.rng)
            self.scores += scores
            if self.learnt is not None:
                plain = self.sampling.temperature == 1.0
                self.learnt += scores if plain else self.head.log_probabilities(outputs, labels)
            for row, (stream, label) in enumerate(zip(self.streams, labels, strict=True)):
                self._next[row] = stream.push(stream.decode(label))

    def _forced(self, outputs: np.ndarray) -> np.ndarray:
        """Feed what has to come next to the sequences where something has to; outputs after it."""
        waiting = [list(stream.forced()) for stream in self.streams]
        while any(waiting):
            rows = [row for row, events in enumerate(waiting) if events]
            for row in rows:
                event, stream = waiting[row].pop(0), self.streams[row]
                label = stream.label(event)
                self.scores[row] += self.head.log_probability(outputs[row], label, self.sampling.temperature)
                if self.learnt is not None:
                    self.learnt[row] += self.head.log_probability(outputs[row], label)
                self._next[row] = stream.push(event)
            if len(rows) == len(waiting):
                outputs = self.stack.step(self._next)
            else:
                outputs = outputs.copy()
                outputs[rows] = self.stack.step(self._next[rows], rows)
        return outputs

    def continuation(self, row: int) -> Continuation:
        """A sequence as it stands."""
        learnt = None if self.learnt is None else float(self.learnt[row])
        return Continuation(self.streams[row], float(self.scores[row]), learnt)

    def best(self, count: int) -> list[int]:
        """Indices of the likeliest sequences, likeliest first; of equals the first."""
        return heapq.nlargest(count, range(len(self.scores)), key=lambda row: self.scores[row])

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these sequences, in this order; those named more than once are copied."""
        self.stack.take(rows)
        originals = set(rows)
        streams = []
        for row in rows:
            streams.append(self.streams[row] if row in originals else self.streams[row].copy())
            originals.discard(row)
        self.streams, self.scores, self._next = streams, self.scores[list(rows)], self._next[list(rows)]
        if self.learnt is not None:
            self.learnt = self.learnt[list(rows)]


def _beam_search(sequences: _Sequences, wanted: Wanted) -> None:
    """Leaves the best sequence alone; Magenta's rounds: where more is wanted afterwards, another search begins."""
    sampling = sequences.sampling
    more = wanted if isinstance(wanted, int) else wanted(sequences.streams[0])
    while more > 0:
        steps = (more - 1) % sampling.steps_per_iteration + 1
        sequences.keep([0] * (sampling.beam_size * sampling.branch_factor))
        sequences.advance(steps)
        rounds = (more - steps) // sampling.steps_per_iteration
        for number in range(rounds):
            tell(number / rounds)
            sequences.keep(sequences.best(sampling.beam_size) * sampling.branch_factor)
            sequences.advance(sampling.steps_per_iteration)
        sequences.keep(sequences.best(1))
        more = 0 if isinstance(wanted, int) else wanted(sequences.streams[0])


def _independent(sequences: _Sequences, wanted: Wanted, count: int) -> list[Continuation]:
    """Several continuations in one batch, which shrinks as they end."""
    sequences.learnt = np.zeros(1)
    sequences.keep([0] * count)
    if isinstance(wanted, int):
        sequences.advance(wanted)
        return [sequences.continuation(row) for row in range(count)]
    ended: list[Continuation | None] = [None] * count
    places = list(range(count))
    while places:
        going = []
        for row, (place, stream) in enumerate(zip(places, sequences.streams, strict=True)):
            if wanted(stream) > 0:
                going.append(row)
            else:
                ended[place] = sequences.continuation(row)
        if len(going) < len(places):
            sequences.keep(going)
            places = [places[row] for row in going]
        if places:
            sequences.advance(1)
    return [found for found in ended if found is not None]
