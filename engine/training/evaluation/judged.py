"""What is to be judged: a network out of a weights file, a checkpoint of Magenta, or the folder of a training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

from engine.errors import PerpetuumError
from engine.networks import CONFIGS, WeightsCard, build_network
from engine.networks.card import read_weights, write_weights
from engine.networks.checkpoints import open_weights, read_card
from engine.networks.rnn.configs import RnnConfig
from engine.training.checkpoint import BEST, CHECKPOINT, read_best, read_state
from engine.training.datasets import Dataset
from engine.training.run import fingerprint


@dataclass(frozen=True, slots=True)
class Judged:
    """A network and where it came from.

    Attributes:
        path: of the file or folder.
        card: of the file; of a training it says no more than what the network is.
        network: ready to play.
        numbers: how many there are in its weights.
    """

    path: Path
    card: WeightsCard
    network: Any
    numbers: int


def open_judged(path: Path, config: str) -> Judged:
    """The network of a file or a training, if it is of a config.

    Raises:
        PerpetuumError: it is of another config, or cannot be read.
    """
    if path.is_dir() and ((path / BEST).exists() or (path / CHECKPOINT).exists()):
        weights = read_best(path)
        try:
            network = build_network(CONFIGS[config], weights)
        except ValueError as error:
            raise PerpetuumError(f"{path}: a training of another config than {config} ({error})") from error
        facts = (read_state(path) or {}).get("facts", {})
        card = WeightsCard(path.name, CONFIGS[config].family, config, dict(network.sizes), "not stated", trained=facts)
        return Judged(path, card, network, _count(weights))
    found = read_card(path, None if path.suffix == ".safetensors" else config)
    if found.config != config:
        raise PerpetuumError(
            f"{path}: the weights of {found.config}, not of {config}",
            f"Say `perpetuum evaluate {found.config}` for these.",
        )
    card, weights = open_weights(path, config)
    kind = CONFIGS[config]
    if card.attention_length is not None and isinstance(kind, RnnConfig):
        kind = replace(kind, attention_length=card.attention_length)
    return Judged(path, card, build_network(kind, weights), _count(weights))


def other_data(judged: Judged, dataset: Dataset) -> str:
    """What there is to say where weights were trained on another data set than they are judged on; else empty.

    Splits belong to a data set: with other files or filters, other pieces are held out.
    """
    trained_on = judged.card.trained.get("data")
    if trained_on in (None, fingerprint(dataset)):
        return ""
    return (
        f"{judged.path.name} was trained on another data set than this one: what it is judged on here may be among "
        "what it has learnt from, unless its split is an official one."
    )


def update_metrics(judged: Judged, metrics: dict[str, Any]) -> None:
    """Write figures into the card of a weights file, whose numbers stay what they are.

    Raises:
        PerpetuumError: the file cannot be written.
    """
    with safe_open(judged.path, framework="numpy") as file:
        halves = all(file.get_slice(name).get_dtype() == "F16" for name in file.keys())  # noqa: SIM118
    card, weights = read_weights(judged.path)
    try:
        write_weights(judged.path, replace(card, metrics=metrics), weights, np.float16 if halves else np.float32)
    except OSError as error:
        reason = error.strerror or error
        raise PerpetuumError(f"cannot write {judged.path}: {reason}", "Leave --update-card out.") from error


def _count(weights: dict[str, np.ndarray]) -> int:
    return sum(value.size for value in weights.values())
