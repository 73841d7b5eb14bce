"""The event-sequence RNN as a Keras 3 model, for training on whole batches of sequences; any Keras backend.

Source: Hochreiter & Schmidhuber 1997 (LSTM) as TensorFlow 1's `BasicLSTMCell`; attention over the last n outputs after
Bahdanau et al. 2015, section 3, as its `AttentionCellWrapper`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from engine.networks.layout import FORGET_BIAS, OUTPUT_BIASES, OUTPUT_WEIGHTS, WRAPPER, cell, weight_shapes
from engine.networks.scan import scan

ops: Any = keras.ops  # whose stubs know too little of what it returns


def _lstm(gates, c):
    """One step of an LSTM from its pre-activations [B, 4H] and cell state [B, H]: new (c, h)."""
    i, j, f, o = ops.split(gates, 4, axis=-1)
    c = c * ops.sigmoid(f + FORGET_BIAS) + ops.sigmoid(i) * ops.tanh(j)
    return c, ops.tanh(c) * ops.sigmoid(o)


class EventSequenceModel(keras.Model):
    """Inputs [B, T, input_size] to logits [B, T, num_classes], from zero states.

    Args:
        input_size, num_classes: sizes of the encoding.
        layers: LSTM units per layer.
        attention_length: rows of the attention window of layer 0, 0 for none.
        dropout: share of each layer's outputs dropped in training (not of what the attention window remembers).
        seed: of dropout.

    Weights are zero until `set_by_name`.
    """

    def __init__(
        self,
        input_size: int,
        num_classes: int,
        layers: tuple[int, ...],
        attention_length: int,
        dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.units = tuple(layers)
        self.attention_length = attention_length
        self.dropout_rate = dropout
        self.dropout_seeds = keras.random.SeedGenerator(seed)
        self.by_name = {}
        for name, shape in weight_shapes(input_size, num_classes, layers, attention_length).items():
            self.by_name[name] = self.add_weight(shape=shape, initializer="zeros", name=name.replace("/", "."))
        self.built = True

    def set_by_name(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take weights by their names in Magenta's spelling."""
        for name, variable in self.by_name.items():
            variable.assign(weights[name])

    def get_by_name(self) -> dict[str, np.ndarray]:
        """Float32 weights by their names in Magenta's spelling."""
        return {name: np.asarray(ops.convert_to_numpy(variable)) for name, variable in self.by_name.items()}

    def call(self, inputs, training=False):
        """Logits [B, T, num_classes]."""
        outputs = ops.transpose(inputs, (1, 0, 2))
        for layer, units in enumerate(self.units):
            kernel = self.by_name[f"{cell(layer, self.attention_length)}/kernel"]
            bias = self.by_name[f"{cell(layer, self.attention_length)}/bias"]
            if layer == 0 and self.attention_length:
                outputs = self._attention_layer(outputs, units, kernel, bias)
            else:
                outputs = self._lstm_layer(outputs, units, kernel, bias)
            if training and self.dropout_rate:
                outputs = keras.random.dropout(outputs, self.dropout_rate, seed=self.dropout_seeds)
        logits = ops.matmul(outputs, self.by_name[OUTPUT_WEIGHTS]) + self.by_name[OUTPUT_BIASES]
        return ops.transpose(logits, (1, 0, 2))

    def _lstm_layer(self, inputs, units, kernel, bias):
        below = inputs.shape[-1]
        projected = ops.matmul(inputs, kernel[:below]) + bias

        def step(carry, x):
            c, h = carry
            c, h = _lstm(x + ops.matmul(h, kernel[below:]), c)
            return (c, h), h

        zeros = ops.zeros((ops.shape(inputs)[1], units))
        return scan(step, (zeros, zeros), projected)

    def _attention_layer(self, inputs, units, kernel, bias):
        size, length = inputs.shape[-1], self.attention_length
        weights = self.by_name
        # The wrapper first maps [input, attention] linearly to the size of the input, and the LSTM maps that linearly
        # to its gates: one product does both, once per batch instead of at every step.
        mixing = ops.matmul(weights[f"{WRAPPER}/kernel"], kernel[:size])
        bias = bias + ops.matmul(weights[f"{WRAPPER}/bias"][None], kernel[:size])[0]
        projected = ops.matmul(inputs, mixing[:size]) + bias
        recurrent = ops.concatenate([mixing[size:], kernel[size:]], axis=0)
        remember = weights[f"{WRAPPER}/attention/attn_w"][0, 0]
        scores_of = weights[f"{WRAPPER}/attention/attn_v"]
        query_kernel, query_bias = weights[f"{WRAPPER}/attention/kernel"], weights[f"{WRAPPER}/attention/bias"]
        out_kernel = weights[f"{WRAPPER}/attn_output_projection/kernel"]
        out_bias = weights[f"{WRAPPER}/attn_output_projection/bias"]

        def step(carry, x):
            c, h, attention, window, keys = carry
            c, h = _lstm(x + ops.matmul(ops.concatenate([attention, h], axis=-1), recurrent), c)
            query = ops.matmul(ops.concatenate([c, h], axis=-1), query_kernel) + query_bias
            scores = ops.matmul(ops.tanh(keys + query[:, None]), scores_of[:, None])
            attention = ops.sum(ops.softmax(scores, axis=1) * window, axis=1)
            output = ops.matmul(ops.concatenate([h, attention], axis=-1), out_kernel) + out_bias
            window = ops.concatenate([window[:, 1:], output[:, None]], axis=1)
            keys = ops.concatenate([keys[:, 1:], ops.matmul(output, remember)[:, None]], axis=1)
            return (c, h, attention, window, keys), output

        batch = ops.shape(inputs)[1]
        zeros, rows = ops.zeros((batch, units)), ops.zeros((batch, length, units))
        return scan(step, (zeros, zeros, zeros, rows, rows), projected)
