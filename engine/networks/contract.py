# pyright: strict
"""What every network is to the rest of the house: configs, encodings, streams, heads. numpy only.

An *encoding* says how musical events become the inputs and labels of a recurrent network, and come back. It is
stateless; `EventEncoding.stream()` starts an `EventStream`, which follows one sequence event by event in constant time
per step. Training, log-likelihood, generation and beam search all run through the same streams. A *head* says what the
numbers at the end of the network mean: one softmax, several, or a NADE.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from engine.score.phrase import ChordSpan

Event = Any
"""One musical event of an encoding: hashable; what it is, the encoding says (mostly an int)."""
Label = Any
"""The class, or classes, that stand for an event: an int for one softmax, a tuple of ints for several, a bit mask
(int) for a NADE."""


class Random(Protocol):
    """A source of chance: `numpy.random.Generator`, and `RandomState`, which is what Magenta's seeds refer to."""

    def random(self) -> float:
        """A number in [0, 1)."""
        ...


@dataclass(frozen=True, slots=True)
class Sampling:
    """How events are chosen.

    Attributes:
        temperature: > 0; 1 is as learnt, less is safer, more is wilder.
        top_k: choose among the k likeliest classes only; None for all.
        top_p: choose among the likeliest classes that together have this probability; None for all.
        beam_size: sequences that are kept.
        branch_factor: copies of each kept sequence that are tried further.
        steps_per_iteration: steps between two selections.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    beam_size: int = 1
    branch_factor: int = 1
    steps_per_iteration: int = 1


@dataclass(frozen=True, slots=True)
class Conditions:
    """What music is asked to be like, besides going on from a primer. A network takes what its config names.

    Attributes:
        chords: over the primer and what follows, in beats from the primer's start ("chords").
        notes_per_second: density; one number, or one per equal part of the music ("notes_per_second").
        pitch_classes: twelve weights, C first, or several of them likewise ("pitch_classes").
        inject_primer: polyphony: the primer is sung as a part of what is made ("inject_primer").
        condition_on_primer: polyphony: what is made goes on after the primer ("condition_on_primer").
    """

    chords: tuple[ChordSpan, ...] = ()
    notes_per_second: float | tuple[float, ...] | None = None
    pitch_classes: tuple[float, ...] | tuple[tuple[float, ...], ...] | None = None
    inject_primer: bool = True
    condition_on_primer: bool = False


NO_CONDITIONS = Conditions()
DEFAULT_SAMPLING = Sampling()


@dataclass(frozen=True, slots=True)
class Passage:
    """Music that a network hears.

    Attributes:
        notes: array [n] of `NOTE`, in beats from its start.
        length: in beats; may be 0.
        qpm: quarter notes per minute.
        steps_per_bar: sixteenths in a bar.
    """

    notes: np.ndarray
    length: float
    qpm: float = 120.0
    steps_per_bar: int = 16


class Extension(NamedTuple):
    """Music that goes on after a passage.

    Attributes:
        notes: array of `NOTE`, the new ones alone, in beats from the passage's end.
        log_likelihood: in nats, after the temperature, of the events that came after the passage's.
        learnt: the same at temperature 1, of one of several; None of one that was made alone.
    """

    notes: np.ndarray
    log_likelihood: float
    learnt: float | None = None


class EventStream(Protocol):
    """One sequence while it is being encoded.

    Attributes:
        events: so far.
        restricts: it knows what cannot come next; see `possible`.
    """

    events: list[Event]
    restricts: bool

    def start(self) -> np.ndarray:
        """Input vector [input_size] for "nothing yet": what stands before the first event of an empty sequence."""
        ...

    def push(self, event: Event) -> np.ndarray:
        """Append an event; its input vector [input_size], float32. Where there are conditions, they lie in it, as they
        are for the event to come."""
        ...

    def label(self, event: Event) -> Label:
        """Label that stands for `event` as the next one."""
        ...

    def decode(self, label: Label) -> Event:
        """The event that a label means as the next one."""
        ...

    def forced(self) -> Sequence[Event]:
        """Events that have to come next, before anything is sampled; mostly none."""
        ...

    def possible(self, outputs: np.ndarray, temperature: float) -> np.ndarray:
        """Outputs [output_size] of a network for the next event, without what cannot come next.

        Args:
            outputs: of the network.
            temperature: that it is drawn at.
        """
        ...

    def copy(self) -> Self:
        """The same sequence, to be continued in another way."""
        ...


class EventEncoding(Protocol):
    """Sizes of an encoding, the start of a stream, and the frame that a primer is brought into."""

    input_size: int
    default_event: Event

    def stream(self, conditions: Any = None) -> EventStream:
        """A new, empty stream.

        Args:
            conditions: what the encoding's own `stream` says, such as a chord for each step; None without.
        """
        ...

    def validate(self, events: Sequence[Event]) -> None:
        """Check that these are events of this encoding before `squash`.

        Raises:
            ValueError: one of them is not.
        """
        ...

    def squash(self, events: Sequence[Event]) -> tuple[list[Event], int]:
        """Bring events into the network's range and key: (events, transposition in semitones)."""
        ...

    def restore(self, events: Sequence[Event], transposition: int) -> list[Event]:
        """Undo the transposition of `squash` on new events."""
        ...


class Head(Protocol):
    """What the numbers mean that the last linear layer gives."""

    @property
    def output_size(self) -> int:
        """How many numbers the last linear layer gives."""
        ...

    def sample(self, outputs: np.ndarray, sampling: Sampling, rng: Random) -> tuple[list[Label], np.ndarray]:
        """Choose a label for each of B sequences, drawing in their order.

        Args:
            outputs: [B, output_size].
            sampling: temperature, top-k and top-p; heads without chance ignore them.
            rng: one uniform number is drawn per softmax and sequence.

        Returns:
            Labels, and their log-probabilities [B] in nats, after the temperature, before top-k and top-p.
        """
        ...

    def log_probability(self, outputs: np.ndarray, label: Label, temperature: float = 1.0) -> float:
        """Log-probability of a label in nats, from outputs [output_size]."""
        ...

    def log_probabilities(self, outputs: np.ndarray, labels: Sequence[Label]) -> np.ndarray:
        """Log-probabilities [B] of labels at temperature 1, from outputs [B, output_size]."""
        ...


class Network(Protocol):
    """A network ready to play. Not for use from two threads at once."""

    @property
    def config(self) -> Config:
        """What kind of network it is."""
        ...

    @property
    def sizes(self) -> Mapping[str, Any]:
        """As `Config.sizes` gives them."""
        ...


class Config(Protocol):
    """A kind of network: what the weights alone do not say."""

    @property
    def family(self) -> str:
        """Magenta's family, such as "melody_rnn" or "music_vae"."""
        ...

    @property
    def name(self) -> str:
        """Magenta's config id, such as "attention_rnn" or "cat-mel_2bar_small"; unique over all families."""
        ...

    @property
    def conditions(self) -> tuple[str, ...]:
        """The fields of `Conditions` that the network takes."""
        ...

    @property
    def attention_length(self) -> int:
        """Rows of its attention window, which the weights do not tell; 0 for none."""
        ...

    def allows(self, steps_per_bar: int) -> str | None:
        """Why it cannot play in bars of so many sixteenths; None if it can."""
        ...

    def sizes(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
        """Check that weights of these names and shapes are a network of this config, and read its sizes off them.

        Returns:
            What the card says as `sizes`: JSON values, such as {"layers": [128, 128], "attention": "inner"}.

        Raises:
            ValueError: saying which weight is missing, left over or misshapen, with expected and found shape.
        """
        ...
