"""Held-out figures of the chorale network, beside those of trivial baselines on the same notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.networks.chorale.encoding import VOICES
from engine.networks.chorale.network import ChoraleNetwork
from engine.networks.threads import one_thread
from engine.training.amount import nothing_to_judge
from engine.training.datasets import DatasetPiece
from engine.training.datasets.pieces import STEPS_PER_BAR
from engine.training.evaluation.held_out.baselines import baselines
from engine.training.evaluation.held_out.phrases import BARS, phrase_nats
from engine.training.material import TrainingExcerpt


def evaluate_chorale(
    network: ChoraleNetwork,
    pieces: Sequence[DatasetPiece],
    split: str = "test",
    advance: Callable[[float], object] | None = None,
) -> dict[str, float]:
    """Mean negative log-likelihood in nats per note: of one voice on one sixteenth, held or new.

    Pieces are heard whole, in their own keys, from their first note on. What the network's end of a piece costs is
    counted with its notes; the baselines, which hear each voice alone, need not say where a piece ends.

    Args:
        network: the network.
        pieces: all splits.
        split: which one to judge on.
        advance: told which share of the work is done.

    Returns:
        "network"; the figures of `baselines`; "placed_bigram": guessing by the voice, its note before and the
        sixteenth of four beats, Witten-Bell smoothing; "under_bigram", in percent; "copied": share of the notes that
        are the voice's note before; "accuracy": share that the network thought likeliest; "per_bar": nats per bar of
        4/4; the figures of `phrase_nats`, for whom each of these is a note; "events": how many were judged.

    Raises:
        PerpetuumError: there is nothing to judge on, or to fit the baselines to.
    """
    judged = [piece for piece in pieces if piece.split == split]
    train = [piece for piece in pieces if piece.split == "train"]
    if not judged or not train:
        raise nothing_to_judge(split if train else "train")
    losses, hits = 0.0, 0
    heard_notes: list[np.ndarray] = []
    with one_thread():
        for number, piece in enumerate(judged):
            heard = network.hear(piece.events)
            losses += float(heard.losses.sum())
            heard_notes.append(heard.losses[: piece.events.size])
            hits += int((heard.logits.argmax(axis=1) == heard.labels)[:-1].sum())
            if advance:
                advance((number + 1) / len(judged))
    count = sum(piece.events.size for piece in judged)
    figures = {"network": losses / count, **baselines(_lines(train), _lines(judged), 0, STEPS_PER_BAR)}
    figures["placed_bigram"] = _placed_bigram(train, judged)
    figures["under_bigram"] = 100.0 * (1.0 - figures["network"] / figures["bigram"])
    same = sum(int((piece.events[1:] == piece.events[:-1]).sum()) for piece in judged)
    figures["copied"] = same / sum(piece.events[1:].size for piece in judged)
    figures["accuracy"] = hits / count
    figures["per_bar"] = figures["network"] * 4 * STEPS_PER_BAR
    length = BARS * VOICES * STEPS_PER_BAR
    figures |= phrase_nats(((nats, nats) for nats in heard_notes), length, len)
    return figures | {"events": float(count)}


def _placed_bigram(train: Sequence[DatasetPiece], judged: Sequence[DatasetPiece]) -> float:
    """Nats per note, of all notes but the first of each voice; sixteenths count from the beginning of a piece."""
    total, count = 0.0, 0
    for voice in range(VOICES):
        unigram, pairs = np.full(129, 0.1), np.zeros((STEPS_PER_BAR, 129, 129))
        for line in (piece.events[:, voice].astype(int) + 1 for piece in train):
            np.add.at(pairs, (np.arange(1, len(line)) % STEPS_PER_BAR, line[:-1], line[1:]), 1.0)
            np.add.at(unigram, line, 1.0)
        unigram /= unigram.sum()
        followers = (pairs > 0).sum(axis=-1, keepdims=True)
        shares = (pairs + (followers + 1) * unigram) / (pairs.sum(axis=-1, keepdims=True) + followers + 1)
        for line in (piece.events[:, voice].astype(int) + 1 for piece in judged):
            chosen = shares[np.arange(1, len(line)) % STEPS_PER_BAR, line[:-1], line[1:]]
            total, count = total - float(np.log(chosen).sum()), count + len(chosen)
    return total / max(1, count)


def _lines(pieces: Sequence[DatasetPiece]) -> list[TrainingExcerpt]:
    return [TrainingExcerpt(np.asarray(voice, np.int64)) for piece in pieces for voice in piece.events.T]
