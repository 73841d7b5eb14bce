"""Trivial baselines on the same events as a network: what guessing by frequency and by copying is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from engine.training.material import TrainingExcerpt


def baselines(
    train: Sequence[TrainingExcerpt], judged: Sequence[TrainingExcerpt], num_classes: int, bar: int | None
) -> dict[str, float]:
    """Mean negative log-likelihood in nats per event of baselines that were fitted to the training split.

    Args:
        train, judged: event sequences.
        num_classes: of the network.
        bar: events of a bar, None where bars have no fixed number of them.

    Returns:
        "unigram", "bigram" (Witten-Bell smoothing), "copy_last" (the previous event again with the share that suits the
        training split best, else by unigram), and with `bar` "copy_bar" (the event of one bar ago, else by unigram).
    """
    symbols = {e: k for k, e in enumerate(sorted({int(e) for part in (*train, *judged) for e in part.events}))}
    size = max(len(symbols), num_classes)
    lookup = np.full(int(max(symbols)) - int(min(symbols)) + 1, -1)
    for event, k in symbols.items():
        lookup[event - min(symbols)] = k

    def coded(parts: Sequence[TrainingExcerpt]) -> list[np.ndarray]:
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

    figures = {"unigram": mean(unigram_losses), "bigram": mean(bigram_losses)}
    for name, distance in ({"copy_last": 1} | ({"copy_bar": bar} if bar else {})).items():
        candidates = np.linspace(0.05, 0.95, 19)
        costs = [np.concatenate([copy_losses(part, distance, x) for part in known]).mean() for x in candidates]
        trust = float(candidates[int(np.argmin(costs))])
        figures[name] = mean(partial(copy_losses, distance=distance, trust=trust))
    return figures
