"""Weights to start training from, made in numpy so that every Keras backend starts alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.networks.layout import OUTPUT_BIASES, OUTPUT_WEIGHTS, WRAPPER


def initial_weights(
    shapes: Mapping[str, tuple[int, ...]], label_shares: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Initial weights by name, float32.

    Inputs are nearly one-hot, so Glorot's scale for hundreds of inputs would drown them, and three layers would pass on
    next to nothing: a network of 512 classes then sits at its unigram for thousands of batches. Hence the attention
    wrapper and its output projection start as "pass the input on", and a single input is worth as much as a state.

    Args:
        shapes: as `layout.weight_shapes` gives them.
        label_shares: [num_classes] how often each class occurs; the output's bias starts there.
        rng: source of chance.
    """
    weights = {}
    for name, shape in shapes.items():
        if name == OUTPUT_BIASES:
            value = np.log(label_shares)
        elif name.endswith("attn_v"):
            value = rng.normal(0, 1 / np.sqrt(shape[0]), shape)
        elif len(shape) == 1:
            value = np.zeros(shape)
        elif name == f"{WRAPPER}/kernel":
            size = shape[1]
            value = np.concatenate([np.eye(size), rng.normal(0, 0.05, (shape[0] - size, size))])
        elif name == f"{WRAPPER}/attn_output_projection/kernel":
            value = np.concatenate([np.eye(shape[1]), 0.5 * np.eye(shape[1])]) + rng.normal(0, 0.02, shape)
        elif name == OUTPUT_WEIGHTS:
            value = rng.normal(0, 0.5 / np.sqrt(shape[0]), shape)
        elif name.endswith("basic_lstm_cell/kernel"):
            units = shape[1] // 4
            below = shape[0] - units
            inputs = rng.normal(0, min(0.3, 2.0 / np.sqrt(below)) if WRAPPER not in name else 0.3, (below, shape[1]))
            recurrent = [np.linalg.qr(rng.normal(size=(units, units)))[0] for _ in range(4)]
            value = np.concatenate([inputs, np.concatenate(recurrent, axis=1)])
        else:
            value = rng.normal(0, 1 / np.sqrt(np.prod(shape[:-1])), shape)
        weights[name] = value.astype(np.float32)
    return weights
