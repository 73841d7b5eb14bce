"""The stack of LSTMs with attention, one step of one sequence at a time: the maths of generation.

Two implementations of one contract. `NumpyStack` is what plays: at batch 1 a step is some ten small matrix-vector
products, and the cost of entering TensorFlow for each step is several times that of the arithmetic (docs/networks.md
has the figures). `tensorflow_stack.TensorFlowStack` computes the same in TensorFlow 2.

Source: see `engine.networks.keras_rnn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.networks.layout import FORGET_BIAS, OUTPUT_BIASES, OUTPUT_WEIGHTS, WRAPPER, cell


class Stack(Protocol):
    """A recurrent network with a state."""

    def reset(self) -> None:
        """Back to zero states."""
        ...

    def step(self, inputs: np.ndarray) -> np.ndarray:
        """Feed one input vector [input_size]; logits [num_classes], float32."""
        ...

    def state(self) -> list[np.ndarray]:
        """The states as vectors in Magenta's order: c0, h0, (attention, window, oldest row first), c1, h1, ..."""
        ...


@dataclass(frozen=True, slots=True)
class Attention:
    """Weights of the attention of layer 0; see `layout.weight_shapes` for what they are."""

    length: int
    remember: np.ndarray
    score: np.ndarray
    query_kernel: np.ndarray
    query_bias: np.ndarray
    output_kernel: np.ndarray
    output_bias: np.ndarray


@dataclass(frozen=True, slots=True)
class FoldedWeights:
    """Weights rearranged for stepping; equal to the original maths.

    The attention wrapper's linear map of [input, attention] to the size of the input is multiplied into the kernel of
    the LSTM that follows it, which is linear too; the forget bias is added to the stored one.

    Attributes:
        input_kernel: [input_size, 4 * H0] from the input to the gates of layer 0.
        kernels: per layer, from [below, h] to the gates; for layer 0 from [attention, h] or from h alone.
        biases: per layer.
        output_kernel, output_bias: to the logits.
        attention: None without attention.
    """

    input_kernel: np.ndarray
    kernels: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    output_kernel: np.ndarray
    output_bias: np.ndarray
    attention: Attention | None


def fold(weights: Mapping[str, np.ndarray], layers: tuple[int, ...], attention_length: int) -> FoldedWeights:
    """Rearrange weights given by Magenta's names.

    Args:
        weights: as `layout.weight_shapes` lists them.
        layers: units per layer.
        attention_length: 0 for none.
    """
    weights = {name: np.asarray(value, np.float32) for name, value in weights.items()}
    kernels, biases = [], []
    for layer, units in enumerate(layers):
        kernels.append(weights[f"{cell(layer, attention_length)}/kernel"])
        biases.append(weights[f"{cell(layer, attention_length)}/bias"].copy())
        biases[layer][2 * units : 3 * units] += FORGET_BIAS
    size = len(kernels[0]) - layers[0]
    input_kernel, attention = kernels[0][:size], None
    recurrent = kernels[0][size:]
    if attention_length:
        mixing = weights[f"{WRAPPER}/kernel"] @ input_kernel
        biases[0] += weights[f"{WRAPPER}/bias"] @ input_kernel
        input_kernel = mixing[:size]
        recurrent = np.concatenate([mixing[size:], recurrent])
        attention = Attention(
            attention_length,
            weights[f"{WRAPPER}/attention/attn_w"][0, 0],
            weights[f"{WRAPPER}/attention/attn_v"],
            weights[f"{WRAPPER}/attention/kernel"],
            weights[f"{WRAPPER}/attention/bias"],
            weights[f"{WRAPPER}/attn_output_projection/kernel"],
            weights[f"{WRAPPER}/attn_output_projection/bias"],
        )
    kernels[0] = recurrent
    return FoldedWeights(
        input_kernel,
        tuple(kernels),
        tuple(biases),
        weights[OUTPUT_WEIGHTS],
        weights[OUTPUT_BIASES],
        attention,
    )


class NumpyStack:
    """See `Stack`; single precision."""

    def __init__(self, weights: FoldedWeights) -> None:
        self._weights = weights
        self._units = tuple(len(bias) // 4 for bias in weights.biases)
        # sigmoid(x) = tanh(x / 2) / 2 + 1/2: all four gates from one call of tanh.
        self._scale, self._shift = [], []
        for units in self._units:
            sigmoid = np.repeat(np.array([1, 0, 1, 1], bool), units)
            self._scale.append(np.where(sigmoid, 0.5, 1.0).astype(np.float32))
            self._shift.append(np.where(sigmoid, 0.5, 0.0).astype(np.float32))
        self.reset()

    def reset(self) -> None:
        """Back to zero states."""
        self._c = [np.zeros(units, np.float32) for units in self._units]
        self._h = [np.zeros(units, np.float32) for units in self._units]
        self._attended = np.zeros(self._units[0], np.float32)
        attention = self._weights.attention
        rows = attention.length if attention else 0
        self._window = np.zeros((rows, self._units[0]), np.float32)
        self._keys = np.zeros((rows, self._units[0]), np.float32)
        self._oldest = 0

    def _lstm(self, layer: int, gates: np.ndarray) -> np.ndarray:
        scale = self._scale[layer]
        i, j, f, o = (np.tanh((gates + self._weights.biases[layer]) * scale) * scale + self._shift[layer]).reshape(
            4, -1
        )
        self._c[layer] = c = self._c[layer] * f + i * j
        self._h[layer] = h = np.tanh(c) * o
        return h

    def step(self, inputs: np.ndarray) -> np.ndarray:
        """Feed one input vector [input_size]; logits [num_classes]."""
        weights, attention = self._weights, self._weights.attention
        used = np.flatnonzero(inputs)
        gates = inputs[used] @ weights.input_kernel[used]
        recurrent = np.concatenate([self._attended, self._h[0]]) if attention else self._h[0]
        below = self._lstm(0, gates + recurrent @ weights.kernels[0])
        if attention:
            below = self._attend(attention, below)
        for layer in range(1, len(self._units)):
            below = self._lstm(layer, np.concatenate([below, self._h[layer]]) @ weights.kernels[layer])
        return below @ weights.output_kernel + weights.output_bias

    def _attend(self, attention: Attention, h: np.ndarray) -> np.ndarray:
        query = np.concatenate([self._c[0], h]) @ attention.query_kernel + attention.query_bias
        scores = np.exp(np.tanh(self._keys + query) @ attention.score)
        self._attended = (scores / scores.sum()) @ self._window
        output = np.concatenate([h, self._attended]) @ attention.output_kernel + attention.output_bias
        # Attention does not know the order of the rows, so the window is a ring; its keys are kept beside it.
        self._window[self._oldest] = output
        self._keys[self._oldest] = output @ attention.remember
        self._oldest = (self._oldest + 1) % attention.length
        return output

    def state(self) -> list[np.ndarray]:
        """See `Stack.state`."""
        states = [self._c[0], self._h[0]]
        if self._weights.attention:
            states += [self._attended, np.roll(self._window, -self._oldest, axis=0).reshape(-1)]
        for layer in range(1, len(self._units)):
            states += [self._c[layer], self._h[layer]]
        return states
