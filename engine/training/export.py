"""From a training run to a weights file with its card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.errors import PerpetuumError
from engine.networks import CONFIGS
from engine.networks.card import WeightsCard, write_weights
from engine.training.evaluate import evaluate
from engine.training.pieces import Piece

UNITS = {
    "rnn": "nats per event, test split",
    "music_vae": "nll in nats per step, kl in nats per window, the rest shares; test split",
    "groovae": "milliseconds, squared sixteenths, velocities, nats; test split",
}


def read_best(folder: Path) -> dict[str, np.ndarray]:
    """The best weights of a training run so far, rounded to what a weights file keeps (float16).

    Raises:
        PerpetuumError: the folder holds none.
    """
    path = folder / "best.npz"
    try:
        with np.load(path) as data:
            return {name: data[name].astype(np.float16).astype(np.float32) for name in data.files}
    except (OSError, ValueError) as error:
        raise PerpetuumError(
            f"{path}: no trained weights there ({error})", "Run `python -m engine.training train` first."
        ) from error


def export(folder: Path, config: str, pieces: Sequence[Piece], path: Path, about: Path | None) -> WeightsCard:
    """Evaluate the best weights of a run on the test split and write them with their card.

    Args:
        folder: the run.
        config: the network's config.
        pieces: all splits.
        path: the weights file to write.
        about: JSON with the card's name, licence, credits, training_data and description; None for a plain card.
    """
    weights = read_best(folder)
    network = CONFIGS[config].build(weights)
    given = json.loads(about.read_text(encoding="utf-8")) if about else {}
    sources = sorted({piece.source for piece in pieces})
    card = WeightsCard(
        name=given.get("name", path.stem),
        family=CONFIGS[config].family,
        config=config,
        sizes=CONFIGS[config].sizes({name: value.shape for name, value in weights.items()}),
        licence=given.get("licence", "not stated"),
        credits=tuple(given.get("credits", ())),
        training_data=tuple(given.get("training_data", sources)),
        metrics={
            "unit": UNITS.get(CONFIGS[config].family, UNITS["rnn"]),
            **{key: round(value, 4) for key, value in evaluate(network, pieces).items()},
        },
        description=given.get("description", ""),
    )
    write_weights(path, card, weights)
    return card
