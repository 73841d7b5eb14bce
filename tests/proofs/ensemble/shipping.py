"""The weights file of the network that hears, with its card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.networks.card import WeightsCard, write_weights
from engine.networks.ensemble.configs import ENSEMBLE
from engine.networks.ensemble.encoding import BEGINS
from engine.networks.ensemble.network import EnsembleNetwork
from engine.training.datasets.pieces import STEPS_PER_BAR
from engine.training.evaluation.figures import rounded
from engine.training.evaluation.held_out.phrases import BARS, phrase_nats
from tests.proofs.ensemble.hearing import ALL, NOTHING_TOLD, LineTable
from tests.proofs.ensemble.learning import stretches

_PHRASE = BARS * STEPS_PER_BAR


def ship(network: EnsembleNetwork, basses: Sequence[LineTable], path: Path, trained: dict[str, object]) -> None:
    """Write the weights as float16 with their card.

    Args:
        network: as it was trained.
        basses: the test split.
        path: of the file.
        trained: what is said of the training.
    """
    halved = {name: value.astype(np.float16).astype(np.float32) for name, value in network.weights.items()}
    network = EnsembleNetwork(ENSEMBLE, halved)
    told = {way: list(stretches(network, basses, said)) for way, said in (("all", ALL), ("nothing", NOTHING_TOLD))}
    # As in a scene: drums and notes of others are known within the phrase alone.
    told["phrases"] = list(stretches(network, basses, ALL, _PHRASE, before=False))
    figures = {}
    for name, way in (("network", "all"), ("told_nothing", "nothing"), ("in_scenes", "phrases")):
        losses = np.concatenate([losses for _, losses, _ in told[way]])
        figures[name] = float(losses.sum(axis=1).mean())
    pieces = ((losses.sum(axis=1), labels[:, 0]) for _, losses, labels in told["phrases"])
    figures |= phrase_nats(pieces, _PHRASE, lambda kinds: int((kinds == BEGINS).sum()))
    card = WeightsCard(
        name="Ensemble",
        family=ENSEMBLE.family,
        config=ENSEMBLE.name,
        sizes=dict(network.sizes),
        licence="BSD 3-clause",
        credits=(
            "Freedoom music by the contributors of the Freedoom project (see its CREDITS-MUSIC), BSD 3-clause",
            "Nottingham folk tunes, collected by Eric Foxley: traditional tunes",
            "OpenEWLD (Federico Simonetta and contributors): the works in the public domain",
        ),
        training_data=(
            "Freedoom songs in 4/4: basses with the drums and what else plays, split by song",
            "Nottingham tunes and OpenEWLD, pd_strict: melodies with their chords, split by tune",
        ),
        metrics={"unit": "nats per sixteenth of a bass; test split", **rounded(figures)},
        description="A bass that hears drums, chords and notes; see docs/ensemble.md.",
        trained=trained,
    )
    write_weights(path, card, network.weights)
