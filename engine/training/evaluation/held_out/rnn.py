"""Held-out figures of an RNN, beside those of trivial baselines on the same events."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.networks.contract import EventEncoding
from engine.networks.encodings.improv import ImprovEncoding
from engine.networks.encodings.melody import NO_EVENT, KeyMelodyEncoding, OneHotMelodyEncoding
from engine.networks.rnn.configs import RnnConfig
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.networks.threads import one_thread
from engine.training.amount import nothing_to_judge
from engine.training.datasets import DatasetPiece
from engine.training.evaluation.held_out import phrases
from engine.training.evaluation.held_out.baselines import baselines
from engine.training.material import Material, PerformanceMaterial, TrainingExcerpt, material_of
from engine.training.tasks.batches import encoded, held_out

EVALUATION_STEPS = 256
"""Pieces on a grid are cut into stretches of 16 bars, each predicted from its first event on."""
EVALUATION_EVENTS = 1024
"""Other pieces are cut into stretches of so many events."""
_AT_ONCE = 32


def evaluate_rnn(
    network: EventSequenceRnn,
    pieces: Sequence[DatasetPiece],
    split: str = "test",
    advance: Callable[[float], object] | None = None,
) -> dict[str, float]:
    """Mean negative log-likelihood per event in nats, of the network and of baselines fitted to the training split.

    The network's probability of an event is that of all classes that mean it at that place (a repeat class and the
    pitch itself, say), so that its figures and the baselines' are about the same thing.

    Args:
        network: the network.
        pieces: all splits.
        split: which one to judge on.
        advance: told which share of the work is done.

    Returns:
        "network"; the figures of `baselines`; "under_bigram": how far the network is under the bigram, in percent;
        "accuracy": share of events that the network thought likeliest; "per_note": nats per note, all events of the
        music being counted; on a grid "per_bar": nats per bar of 4/4; the figures of `phrase_nats`; "events" and
        "notes": how many were judged.

    Raises:
        PerpetuumError: no piece is long enough.
    """
    material = evaluation_material(network.config)
    judged = held_out([piece for piece in pieces if piece.split == split], material)
    train = held_out([piece for piece in pieces if piece.split == "train"], without_controls(material))
    if not judged or not train:
        raise nothing_to_judge(split if train else "train")
    losses, hits = zip(*event_losses(network, judged, advance), strict=True)
    events, notes = sum(map(len, losses)), sum(map(material.notes, judged))
    mean = float(np.concatenate(losses).mean())
    figures = {"network": mean, **baselines(train, judged, network.head.output_size, material.bar)}
    figures["under_bigram"] = 100.0 * (1.0 - mean / figures["bigram"])
    figures["accuracy"] = float(np.concatenate(hits).mean())
    figures["per_note"] = mean * events / max(1, notes)
    if material.bar is not None:
        figures["per_bar"] = mean * material.bar
    figures |= _of_phrases(losses, judged, material)
    return figures | {"events": float(events), "notes": float(notes)}


def _of_phrases(
    losses: Sequence[np.ndarray], judged: Sequence[TrainingExcerpt], material: Material
) -> dict[str, float]:
    pieces = ((nats, one.events[len(one.events) - len(nats) :]) for nats, one in zip(losses, judged, strict=True))
    length = phrases.BARS * material.bar if material.bar else phrases.EVENTS
    return phrases.phrase_nats(pieces, length, lambda events: material.notes(TrainingExcerpt(events)))


def evaluation_material(config: RnnConfig) -> Material:
    """The excerpts that networks of a config are judged on."""
    material = material_of(config, EVALUATION_STEPS)
    return material if material.bar else material_of(config, EVALUATION_EVENTS)


def without_controls(material: Material) -> Material:
    """The same excerpts without what a network is told besides, which takes long to measure in performances."""
    if isinstance(material, PerformanceMaterial):
        encoding = type(material.encoding)(dynamics=material.encoding.dynamics)
        return PerformanceMaterial(encoding, material.longest, material.augmentation)
    return material


def event_losses(
    network: EventSequenceRnn, excerpts: Sequence[TrainingExcerpt], advance: Callable[[float], object] | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each excerpt, per event that is to be predicted: its negative log-likelihood in nats, and whether it was the
    likeliest one.

    Args:
        network: whose states are zero at the beginning of each excerpt.
        excerpts: events in its range.
        advance: told which share of them has been judged.
    """
    found: list[tuple[np.ndarray, np.ndarray]] = [(np.zeros(0), np.zeros(0))] * len(excerpts)
    table = EventTable(network.encoding, network.head.output_size)
    longest_first = sorted(range(len(excerpts)), key=lambda place: -len(excerpts[place].events))
    for first in range(0, len(longest_first), _AT_ONCE):
        places = longest_first[first : first + _AT_ONCE]
        rows = [encoded(network.encoding, excerpts[place])[0] for place in places]
        for place, outputs in zip(places, run_rows(network, rows), strict=True):
            mass = table.mass(log_softmax(outputs), excerpts[place])
            events = table.index(excerpts[place].events)[len(excerpts[place].events) - len(mass) :]
            found[place] = -mass[np.arange(len(mass)), events], mass.argmax(axis=1) == events
        if advance:
            advance((first + len(places)) / len(excerpts))
    return found


def run_rows(network: EventSequenceRnn, rows: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Outputs [T, output_size] for each of several sequences of inputs [T, input_size], from zero states, longest
    first."""
    outputs = [np.zeros((len(row), network.head.output_size), np.float32) for row in rows]
    with one_thread():
        network.stack.reset(len(rows))
        going = len(rows)
        for t in range(len(rows[0])):
            left = sum(len(row) > t for row in rows[:going])
            if left < going:
                network.stack.take(range(left))
                going = left
            stepped = network.stack.step(np.stack([row[t] for row in rows[:going]]))
            for row in range(going):
                outputs[row][t] = stepped[row]
    return outputs


def log_softmax(outputs: np.ndarray) -> np.ndarray:
    """Logarithms [..., C] of the shares that outputs [..., C] mean, float64."""
    shifted = outputs - outputs.max(axis=-1, keepdims=True).astype(np.float64)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


class EventTable:
    """What the classes of an encoding mean, for whole sequences at once.

    All classes mean the same event everywhere, but the last ones of some melodies: "the same as a bar ago".

    Args:
        encoding: of events that are integers.
        num_classes: of the network.
    """

    def __init__(self, encoding: EventEncoding, num_classes: int) -> None:
        melody = encoding.melody if isinstance(encoding, ImprovEncoding) else encoding
        self.lookbacks = melody.lookbacks if isinstance(melody, OneHotMelodyEncoding | KeyMelodyEncoding) else ()
        self.fixed = num_classes - len(self.lookbacks)
        stream = encoding.stream()
        meant = np.array([stream.decode(index) for index in range(self.fixed)])
        self._lowest = int(meant.min())
        self._classes = np.full(int(meant.max()) - self._lowest + 1, -1)
        self._classes[meant - self._lowest] = np.arange(self.fixed)

    def index(self, events: np.ndarray) -> np.ndarray:
        """The class that always means each event."""
        return self._classes[np.asarray(events, int) - self._lowest]

    def mass(self, logs: np.ndarray, excerpt: TrainingExcerpt) -> np.ndarray:
        """Log-probabilities [n, fixed] of the events, by the class that always means each, from those [n, C] of the
        classes, at the last n places of an excerpt."""
        mass, rows = logs[:, : self.fixed].copy(), np.arange(len(logs))
        first = len(excerpt.events) - len(logs)
        for place, distance in enumerate(self.lookbacks):
            before = np.concatenate([np.full(distance, NO_EVENT), excerpt.events])[: len(excerpt.events)][first:]
            same = self.index(before)
            mass[rows, same] = np.logaddexp(mass[rows, same], logs[:, self.fixed + place])
        return mass
