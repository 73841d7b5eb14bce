"""Card and weights out of any file that holds a network: our own weights files, and Magenta's checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import PerpetuumError
from engine.networks import card as weights_file
from engine.networks.card import WeightsCard
from engine.networks.checkpoints.files import Checkpoint, damaged, open_checkpoint
from engine.networks.checkpoints.names import STEP
from engine.networks.checkpoints.recognition import Recognition, recognise
from engine.networks.checkpoints.wire import MalformedError

NOT_STATED = "not stated"


def open_weights(path: Path | str, config: str | None = None) -> tuple[WeightsCard, dict[str, np.ndarray]]:
    """Card and float32 weights, by the names of Magenta's last release.

    Args:
        path: a weights file, the folder of a training, a Magenta bundle, a MusicVAE tar, a TensorFlow checkpoint (index
            file, prefix or folder).
        config: which network a checkpoint is, where it does not say so itself.

    Raises:
        PerpetuumError: the file is missing, damaged, of another kind, or does not fit.
    """
    path = weights_file.weights_file_of(Path(path))
    if weights_file.is_weights_file(path):
        card, weights = weights_file.read_weights(path)
        return _of_config(path, card, config), weights
    checkpoint = open_checkpoint(path)
    recognition = recognise(checkpoint, config)
    return make_card(checkpoint, recognition), read_numbers(checkpoint, recognition)


def read_card(path: Path | str, config: str | None = None) -> WeightsCard:
    """The card alone, without reading the weights; for a checkpoint it is made up from what is found in it.

    Raises:
        PerpetuumError: as `open_weights`.
    """
    path = weights_file.weights_file_of(Path(path))
    if weights_file.is_weights_file(path):
        return _of_config(path, weights_file.read_card(path), config)
    checkpoint = open_checkpoint(path)
    return make_card(checkpoint, recognise(checkpoint, config))


def read_numbers(checkpoint: Checkpoint, recognition: Recognition) -> dict[str, np.ndarray]:
    """The weights of a checkpoint, float32, by the names of Magenta's last release.

    Raises:
        PerpetuumError: they are damaged.
    """
    stored = recognition.names.stored
    try:
        numbers = checkpoint.source.read(stored.values())
    except (MalformedError, MemoryError) as error:
        raise damaged(checkpoint.path, error) from error
    weights = {name: numbers[old] for name, old in stored.items()}
    weights_file.require_finite(checkpoint.path, weights)
    return weights


def make_card(checkpoint: Checkpoint, recognition: Recognition) -> WeightsCard:
    """A card that says what a checkpoint itself says."""
    return WeightsCard(
        name=checkpoint.title or recognition.config,
        family=recognition.family,
        config=recognition.config,
        sizes=recognition.sizes,
        licence=NOT_STATED,
        description=checkpoint.description,
        attention_length=recognition.attention_length,
        imported_from=_origin(checkpoint, recognition),
    )


def _origin(checkpoint: Checkpoint, recognition: Recognition) -> dict[str, Any]:
    origin: dict[str, Any] = {
        "file": checkpoint.path.name,
        "format": checkpoint.format,
        "names": recognition.names.era,
    }
    step = checkpoint.source.variables.get(STEP)
    if step is not None and step.dtype == "int64" and step.shape == ():
        try:
            origin["training_steps"] = int(checkpoint.source.read([STEP])[STEP])
        except MalformedError as error:
            raise damaged(checkpoint.path, error) from error
    return origin


def _of_config(path: Path, card: WeightsCard, config: str | None) -> WeightsCard:
    if config is not None and config != card.config:
        raise PerpetuumError(f"{path}: the weights of {card.config}, not of {config}", "Leave the config out.")
    return card
