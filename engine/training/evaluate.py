"""Held-out figures of a network, beside those of trivial baselines on the same events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.networks.encodings import EventEncoding, encode
from engine.networks.rnn import EventSequenceRnn
from engine.training.batches import held_out
from engine.training.pieces import STEPS_PER_BAR, Piece

EVALUATION_STEPS = 256
"""Pieces are cut into stretches of 16 bars, each predicted from its first event on."""


def evaluate(network: EventSequenceRnn, pieces: Sequence[Piece], split: str = "test") -> dict[str, float]:
    """Mean negative log-likelihood per event in nats, of the network and of baselines fitted to the training split.

    The network's probability of an event is that of all classes that mean it at that place (a repeat class and the
    pitch itself, say), so that its figures and the baselines' are about the same thing.

    Args:
        network: the network.
        pieces: all splits.
        split: which one to judge on.

    Returns:
        "network", "unigram", "bigram", "copy_last" (the previous event again, else by unigram), "copy_bar" (the event
        of one bar ago, else by unigram), "accuracy" (share of events that the network thought likeliest), "events".
    """
    encoding = network.encoding
    train = held_out([p for p in pieces if p.split == "train"], encoding, EVALUATION_STEPS)
    judged = held_out([p for p in pieces if p.split == split], encoding, EVALUATION_STEPS)
    losses, hits = zip(*(event_losses(network, events) for events in judged), strict=True)
    figures = {"network": float(np.concatenate(losses).mean())}
    figures |= baselines(train, judged, encoding)
    figures["accuracy"] = float(np.concatenate(hits).mean())
    figures["events"] = float(sum(len(events) for events in judged))
    return figures


def event_losses(network: EventSequenceRnn, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per event: its negative log-likelihood from "nothing yet" on, and whether it was the likeliest one.

    Args:
        network: the network.
        events: [T], in the network's range.
    """
    encoding = network.encoding
    inputs, _ = encode(encoding, events.tolist(), from_start=True)
    logits, _ = network.run(inputs[:-1])
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    shares = exponentials / exponentials.sum(axis=-1, keepdims=True)
    stream = encoding.stream()
    losses, hits = np.zeros(len(events)), np.zeros(len(events))
    for t, event in enumerate(events.tolist()):
        mass = event_mass(encoding, stream, shares[t])
        losses[t] = -np.log(mass.get(event, 0.0) + 1e-12)
        hits[t] = max(mass, key=lambda e: mass[e]) == event
        stream.push(event)
    return losses, hits


def event_mass(encoding: EventEncoding, stream, shares: np.ndarray) -> dict[int, float]:
    """Probability of each event as the next of a stream, from those of the classes."""
    mass: dict[int, float] = {}
    for index, share in enumerate(shares.tolist()):
        event = stream.decode(index)
        mass[event] = mass.get(event, 0.0) + share
    return mass


def baselines(train: Sequence[np.ndarray], judged: Sequence[np.ndarray], encoding: EventEncoding) -> dict[str, float]:
    """Mean negative log-likelihood per event of the baselines; see `evaluate`.

    Args:
        train, judged: event sequences.
        encoding: gives the number of different events.
    """
    symbols = {event: k for k, event in enumerate(sorted({int(e) for part in (*train, *judged) for e in part}))}
    size = max(len(symbols), encoding.num_classes)
    lookup = np.full(int(max(symbols)) - int(min(symbols)) + 1, -1)
    for event, k in symbols.items():
        lookup[event - min(symbols)] = k

    def coded(parts: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [lookup[part.astype(int) - min(symbols)] for part in parts]

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
        "unigram": float(np.concatenate([unigram_losses(part) for part in asked]).mean()),
        "bigram": float(np.concatenate([bigram_losses(part) for part in asked]).mean()),
    }
    for name, distance in (("copy_last", 1), ("copy_bar", STEPS_PER_BAR)):
        candidates = np.linspace(0.05, 0.95, 19)
        costs = [np.concatenate([copy_losses(part, distance, x) for part in known]).mean() for x in candidates]
        trust = float(candidates[int(np.argmin(costs))])
        figures[name] = float(np.concatenate([copy_losses(part, distance, trust) for part in asked]).mean())
    return figures
