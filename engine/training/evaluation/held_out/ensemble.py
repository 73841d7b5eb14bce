"""Held-out figures of the ensemble network: what hearing others is worth to a line, beside trivial baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from engine.networks.ensemble.encoding import BASS, BEGINS, MELODY, UNKNOWN
from engine.networks.ensemble.network import EnsembleNetwork
from engine.training.amount import nothing_to_judge
from engine.training.datasets import DatasetPiece
from engine.training.datasets.pieces import STEPS_PER_BAR
from engine.training.evaluation.held_out.baselines import baselines
from engine.training.evaluation.held_out.phrases import BARS, phrase_nats
from engine.training.lines import ALL, NOTHING_TOLD, STRETCH, JudgedStretch, LineTable, judge_stretches
from engine.training.material import TrainingExcerpt, clean_start, stretches

_PHRASE = BARS * STEPS_PER_BAR


def evaluate_ensemble(
    network: EnsembleNetwork,
    pieces: Sequence[DatasetPiece],
    split: str = "test",
    advance: Callable[[float], object] | None = None,
) -> dict[str, float]:
    """Mean negative log-likelihood in nats per sixteenth: of basses, and of melodies where there are no basses.

    Lines are judged in stretches of 16 bars, each from nothing.

    Args:
        network: the network.
        pieces: all splits.
        split: which one to judge on.
        advance: told which share of the work is done.

    Returns:
        "network", told of all other parts, and of that "rhythm" and "pitch"; "told_nothing"; "in_scenes": told of
        others to the end of phrases of four bars, and of drums and notes not before them; the figures of `baselines`,
        which hear the line alone; "under_bigram", in percent; "accuracy": share of sixteenths that the network thought
        likeliest; "per_note"; "per_bar"; "melody" and "melody_told_nothing" where there are melodies and basses; the
        figures of `phrase_nats`, as in scenes; "events" and "notes": how many were judged.

    Raises:
        PerpetuumError: there is nothing to judge on, or to fit the baselines to.
    """
    tables = {
        name: [table for piece in pieces if piece.split == name and len(table := LineTable(piece)) >= 2 * STEPS_PER_BAR]
        for name in (split, "train")
    }
    for name, found in tables.items():
        if not found:
            raise nothing_to_judge(name)
    parts = [part for part in (BASS, MELODY) if any(table.part == part for table in tables[split])]
    judged = [table for table in tables[split] if table.part == parts[0]]
    train = [table for table in tables["train"] if table.part == parts[0]] or tables["train"]
    told = advance or (lambda share: None)
    told(0.0)
    whole = list(judge_stretches(network, judged, ALL))
    told(0.3)
    phrases = list(judge_stretches(network, judged, ALL, _PHRASE, before=False))
    told(0.8)
    losses = np.concatenate([one.losses for one in whole])
    labels = np.concatenate([one.labels for one in whole])
    notes, mean = int((labels[:, 0] == BEGINS).sum()), float(losses.sum(axis=1).mean())
    figures = {
        "network": mean,
        "rhythm": float(losses[:, 0].mean()),
        "pitch": float(losses[:, 1].mean()),
        "told_nothing": _mean(judge_stretches(network, judged, NOTHING_TOLD)),
        "in_scenes": _mean(phrases),
        **baselines(_excerpts(train), _excerpts(judged), UNKNOWN, STEPS_PER_BAR),
    }
    figures["under_bigram"] = 100.0 * (1.0 - mean / figures["bigram"])
    figures["accuracy"] = float(np.concatenate([one.hits for one in whole]).mean())
    figures["per_note"] = mean * len(losses) / max(1, notes)
    figures["per_bar"] = mean * STEPS_PER_BAR
    if len(parts) > 1:
        melodies = [table for table in tables[split] if table.part == MELODY]
        figures["melody"] = _mean(judge_stretches(network, melodies, ALL))
        figures["melody_told_nothing"] = _mean(judge_stretches(network, melodies, NOTHING_TOLD))
    heard = ((one.losses.sum(axis=1), one.labels[:, 0]) for one in phrases)
    figures |= phrase_nats(heard, _PHRASE, lambda kinds: int((kinds == BEGINS).sum()))
    told(1.0)
    return figures | {"events": float(len(losses)), "notes": float(notes)}


def _mean(found: Iterable[JudgedStretch]) -> float:
    return float(np.concatenate([one.losses for one in found]).sum(axis=1).mean())


def _excerpts(tables: Sequence[LineTable]) -> list[TrainingExcerpt]:
    """The stretches that are judged, as events."""
    return [TrainingExcerpt(clean_start(part)) for table in tables for part in stretches(table.events, STRETCH)]
