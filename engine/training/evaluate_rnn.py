"""Held-out figures of an RNN, beside those of trivial baselines on the same events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from engine.networks.contract import EventEncoding
from engine.networks.rnn.configs import RnnConfig
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.training.batches import encoded, held_out
from engine.training.material import Excerpt, Material, material_of
from engine.training.pieces import Piece

EVALUATION_STEPS = 256
"""Pieces on a grid are cut into stretches of 16 bars, each predicted from its first event on."""
EVALUATION_EVENTS = 1024
"""Other pieces are cut into stretches of so many events."""


def evaluate_rnn(network: EventSequenceRnn, pieces: Sequence[Piece], split: str = "test") -> dict[str, float]:
    """Mean negative log-likelihood per event in nats, of the network and of baselines fitted to the training split.

    The network's probability of an event is that of all classes that mean it at that place (a repeat class and the
    pitch itself, say), so that its figures and the baselines' are about the same thing.

    Args:
        network: the network.
        pieces: all splits.
        split: which one to judge on.

    Returns:
        "network", "unigram", "bigram", "copy_last" (the previous event again, else by unigram), on a grid "copy_bar"
        (the event of one bar ago, else by unigram), "accuracy" (share of events that the network thought likeliest),
        "events", and where events are not one per sixteenth "per_note": the same in nats per note.
    """
    material = evaluation_material(network.config)
    train = held_out([p for p in pieces if p.split == "train"], material)
    judged = held_out([p for p in pieces if p.split == split], material)
    losses, hits = zip(*(event_losses(network, excerpt) for excerpt in judged), strict=True)
    figures = {"network": float(np.concatenate(losses).mean())}
    figures |= baselines(train, judged, network.head.output_size, material.bar)
    figures["accuracy"] = float(np.concatenate(hits).mean())
    figures["events"] = float(sum(map(len, losses)))
    if material.bar is None:
        notes = sum(material.notes(excerpt) for excerpt in judged)
        figures["per_note"] = figures["network"] * figures["events"] / notes
    return figures


def evaluation_material(config: RnnConfig) -> Material:
    """The excerpts that networks of a config are judged on."""
    material = material_of(config, EVALUATION_STEPS)
    return material if material.bar else material_of(config, EVALUATION_EVENTS)


def event_losses(network: EventSequenceRnn, excerpt: Excerpt) -> tuple[np.ndarray, np.ndarray]:
    """Per event that is to be predicted: its negative log-likelihood, and whether it was the likeliest one."""
    encoding = network.encoding
    inputs, _ = encoded(encoding, excerpt)
    logits, _ = network.run(inputs)
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    shares = exponentials / exponentials.sum(axis=-1, keepdims=True)
    stream = encoding.stream(excerpt.conditions)
    given = 0 if excerpt.from_start else 1
    losses, hits = np.zeros(len(shares)), np.zeros(len(shares))
    for t, event in enumerate(excerpt.events.tolist()):
        if t >= given:
            mass = event_mass(encoding, stream, shares[t - given])
            losses[t - given] = -np.log(mass.get(event, 0.0) + 1e-12)
            hits[t - given] = max(mass, key=lambda e: mass[e]) == event
        stream.push(event)
    return losses, hits


def event_mass(encoding: EventEncoding, stream, shares: np.ndarray) -> dict[int, float]:
    """Probability of each event as the next of a stream, from those of the classes."""
    mass: dict[int, float] = {}
    for index, share in enumerate(shares.tolist()):
        event = stream.decode(index)
        mass[event] = mass.get(event, 0.0) + share
    return mass


def baselines(
    train: Sequence[Excerpt], judged: Sequence[Excerpt], num_classes: int, bar: int | None
) -> dict[str, float]:
    """Mean negative log-likelihood per event of the baselines; see `evaluate_rnn`.

    Args:
        train, judged: event sequences.
        num_classes: of the network.
        bar: events of a bar, None where bars have no fixed number of them.
    """
    symbols = {e: k for k, e in enumerate(sorted({int(e) for part in (*train, *judged) for e in part.events}))}
    size = max(len(symbols), num_classes)
    lookup = np.full(int(max(symbols)) - int(min(symbols)) + 1, -1)
    for event, k in symbols.items():
        lookup[event - min(symbols)] = k

    def coded(parts: Sequence[Excerpt]) -> list[np.ndarray]:
        return [lookup[part.events.astype(int) - min(symbols)] for part in parts]

    def mean(losses_of: Callable[[np.ndarray], np.ndarray]) -> float:
        """Over what the network has to predict: without the first event, where that is given."""
        pairs = zip(judged, asked, strict=True)
        return float(np.concatenate([losses_of(p)[0 if e.from_start else 1 :] for e, p in pairs]).mean())

    known, asked = coded(train), coded(judged)
    unigram = np.bincount(np.concatenate(known), minlength=size) + 1.0
    unigram /= unigram.sum()
    pairs = np.zeros((size, size))
    for part in known:
        np.add.at(pairs, (part[:-1], part[1:]), 1.0)
    # Witten-Bell: the more different followers a symbol has had, the more the unigram counts.
    followers = (pairs > 0).sum(axis=1, keepdims=True)
    bigram = (pairs + (followers + 1) * unigram) / (pairs.sum(axis=1, keepdims=True) + followers + 1)

    def unigram_losses(part: np.ndarray) -> np.ndarray:
        return -np.log(unigram[part])

    def bigram_losses(part: np.ndarray) -> np.ndarray:
        return -np.log(np.concatenate([unigram[part[:1]], bigram[part[:-1], part[1:]]]))

    def copy_losses(part: np.ndarray, distance: int, trust: float) -> np.ndarray:
        same = part[distance:] == part[:-distance]
        mixed = trust * same + (1 - trust) * unigram[part[distance:]]
        return -np.log(np.concatenate([unigram[part[:distance]], mixed]))

    figures = {
        "unigram": mean(unigram_losses),
        "bigram": mean(bigram_losses),
    }
    for name, distance in ({"copy_last": 1} | ({"copy_bar": bar} if bar else {})).items():
        candidates = np.linspace(0.05, 0.95, 19)
        costs = [np.concatenate([copy_losses(part, distance, x) for part in known]).mean() for x in candidates]
        trust = float(candidates[int(np.argmin(costs))])
        figures[name] = mean(partial(copy_losses, distance=distance, trust=trust))
    return figures
