"""Weights to start training from, made in numpy so that every Keras backend starts alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine import assets
from engine.errors import PerpetuumError
from engine.networks.card import read_card, read_weights
from engine.networks.configs import CONFIGS
from engine.networks.rnn.layout import RnnLayout


def initial_weights(layout: RnnLayout, label_shares: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Initial weights of a stack of LSTMs by name, float32.

    Inputs are nearly one-hot, so Glorot's scale for hundreds of inputs would drown them, and three layers would pass on
    next to nothing: a network of 512 classes then sits at its unigram for thousands of batches. Hence the attention
    wrapper and its output projection start as "pass the input on", and a single input is worth as much as a state.

    Args:
        layout: names and shapes.
        label_shares: [output_size] how often each class occurs; the output's bias starts there.
        rng: source of chance.
    """
    weights, wrapper = {}, layout.wrapper
    for name, shape in layout.shapes().items():
        if name == layout.output_names[1]:
            value = np.log(label_shares)
        elif name.endswith("attn_v"):
            value = rng.normal(0, 1 / np.sqrt(shape[0]), shape)
        elif len(shape) == 1:
            value = np.zeros(shape)
        elif name == f"{wrapper}/kernel":
            size = shape[1]
            value = np.concatenate([np.eye(size), rng.normal(0, 0.05, (shape[0] - size, size))])
        elif name == f"{wrapper}/attn_output_projection/kernel":
            value = np.concatenate([np.eye(shape[1]), 0.5 * np.eye(shape[1])]) + rng.normal(0, 0.02, shape)
        elif name == layout.output_names[0]:
            value = rng.normal(0, 0.5 / np.sqrt(shape[0]), shape)
        elif name.endswith("basic_lstm_cell/kernel"):
            value = _lstm_kernel(
                shape, 0.3 if wrapper in name else min(0.3, 2.0 / np.sqrt(shape[0] - shape[1] // 4)), rng
            )
        else:
            value = rng.normal(0, 1 / np.sqrt(np.prod(shape[:-1])), shape)
        weights[name] = value.astype(np.float32)
    return weights


def initial_vae_weights(
    shapes: Mapping[str, tuple[int, ...]], output_bias: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Initial weights of a MusicVAE by name, float32: z begins near the prior, outputs at what is common.

    Args:
        shapes: as `VaeLayout.shapes` gives them.
        output_bias: [output_size], where the output's bias starts; of several parts one after the other.
        rng: source of chance.
    """
    weights, left = {}, output_bias
    for name, shape in shapes.items():
        if name.endswith("/output_projection/bias"):
            value, left = left[: shape[0]], left[shape[0] :]
        elif len(shape) == 1:
            value = np.zeros(shape)
        elif name.endswith("lstm_cell/kernel"):
            value = _lstm_kernel(shape, min(0.3, 2.0 / np.sqrt(shape[0] - shape[1] // 4)), rng)
        elif name == "encoder/sigma/kernel":
            value = rng.normal(0, 0.01, shape)
        else:
            value = rng.normal(0, 0.5 / np.sqrt(shape[0]), shape)
        weights[name] = value.astype(np.float32)
    return weights


def start_sizes(start: str, config: str) -> dict[str, Any]:
    """Sizes of the network that a training goes on from, as a card says them.

    Args:
        start: the name of weights that are here, or the path of a weights file.
        config: of the network that is to be trained.

    Raises:
        PerpetuumError: there are no such weights, or they are of another family.
    """
    path = _find_start(start)
    card = read_card(path)
    if card.family != CONFIGS[config].family:
        raise PerpetuumError(
            f"start: {path} is a network of {card.family}, {config} is one of {CONFIGS[config].family}",
            f"Name weights of {config}, or leave `start` out.",
        )
    return {name: value for name, value in card.sizes.items() if name in ("layers", "encoder", "decoder", "latent")}


def read_start(start: str, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights that a training goes on from, by name, float32.

    Args:
        start: as in `start_sizes`.
        weights: of the network, as names and shapes must be.

    Raises:
        PerpetuumError: there are none, or they are of another shape.
    """
    path = _find_start(start)
    _, found = read_weights(path)
    wrong = sorted(
        name
        for name in {*found, *weights}
        if name not in found or name not in weights or found[name].shape != weights[name].shape
    )
    if wrong:
        raise PerpetuumError(
            f"start: {path} does not fit this network: {wrong[0]} is of another shape, or only in one of them",
            "Leave `sizes` out, so that they are those of the weights; other configs fit only if their inputs do.",
        )
    return {name: value.astype(np.float32) for name, value in found.items()}


def _find_start(start: str) -> Path:
    path = assets.find("weights", start, ".safetensors")
    if path is None:
        known = ", ".join(sorted(assets.names("weights", ".safetensors")))
        raise PerpetuumError(f"start: no weights {start!r}", f"Give the path of a weights file, or one of {known}.")
    return path


def _lstm_kernel(shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> np.ndarray:
    """Normal rows for the inputs, and an orthogonal matrix per gate for the state."""
    units = shape[1] // 4
    inputs = rng.normal(0, scale, (shape[0] - units, shape[1]))
    recurrent = [np.linalg.qr(rng.normal(size=(units, units)))[0] for _ in range(4)]
    return np.concatenate([inputs, np.concatenate(recurrent, axis=1)])
