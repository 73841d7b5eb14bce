"""The event-sequence RNN as a Keras 3 model, for training on whole batches of sequences; any Keras backend.

Source: Hochreiter & Schmidhuber 1997 (LSTM) as TensorFlow 1's `BasicLSTMCell`; attention over the last n outputs after
Bahdanau et al. 2015, section 3, as its `AttentionCellWrapper`.
"""

from __future__ import annotations

from typing import Any

import keras

from engine.networks.keras_weights import NamedWeightsModel
from engine.networks.rnn.layout import INNER, OUTER, RnnLayout
from engine.networks.scan import lstm_layer, lstm_step, scan

ops: Any = keras.ops  # whose stubs know too little of what it returns


class EventSequenceModel(NamedWeightsModel):
    """Inputs [B, T, input_size] to outputs [B, T, output_size], from zero states.

    Args:
        layout: names and sizes of the weights; both kinds of attention.
        dropout: share of the outputs of each layer (of those in the attention wrapper: of the wrapper) dropped in
            training; the attention window remembers them undropped.
        seed: of dropout.

    Weights are zero until `set_by_name`.
    """

    def __init__(self, layout: RnnLayout, dropout: float = 0.0, seed: int = 0) -> None:
        super().__init__()
        self.rnn_layout = layout
        self.dropout_rate = dropout
        self.dropout_seeds = keras.random.SeedGenerator(seed)
        self.add_by_name(layout.shapes())
        self.built = True

    def call(self, inputs, training=False):
        """Outputs [B, T, output_size]."""
        layout = self.rnn_layout
        outputs = ops.transpose(inputs, (1, 0, 2))
        layers = range(len(layout.layers))
        if layout.attention == OUTER:
            outputs = self._dropped(self._attended_layers(outputs, layers), training)
        else:
            for layer in layers:
                if layout.attention == INNER and layer == 0:
                    outputs = self._attended_layers(outputs, [0])
                else:
                    outputs = self._lstm_layer(outputs, layer)
                outputs = self._dropped(outputs, training)
        weights, biases = (self.by_name[name] for name in layout.output_names)
        return ops.transpose(ops.matmul(outputs, weights) + biases, (1, 0, 2))

    def _dropped(self, outputs, training):
        if training and self.dropout_rate:
            return keras.random.dropout(outputs, self.dropout_rate, seed=self.dropout_seeds)
        return outputs

    def _cell(self, layer: int):
        cell = self.rnn_layout.cell(layer)
        return self.by_name[f"{cell}/kernel"], self.by_name[f"{cell}/bias"]

    def _lstm_layer(self, inputs, layer):
        kernel, bias = self._cell(layer)
        below = inputs.shape[-1]
        return lstm_layer(ops.matmul(inputs, kernel[:below]) + bias, kernel[below:])

    def _attended_layers(self, inputs, layers):
        """The layers inside the attention wrapper, and the wrapper's own part, step by step."""
        layout, weights = self.rnn_layout, self.by_name
        size, width, length = layout.input_size, layout.attention_size, layout.attention_length
        kernel, bias = self._cell(0)
        # The wrapper first maps [input, attention] linearly to the size of the input, and the LSTM maps that linearly
        # to its gates: one product does both, once per batch instead of at every step.
        mixing = ops.matmul(weights[f"{layout.wrapper}/kernel"], kernel[:size])
        bias = bias + ops.matmul(weights[f"{layout.wrapper}/bias"][None], kernel[:size])[0]
        projected = ops.matmul(inputs, mixing[:size]) + bias
        recurrent = ops.concatenate([mixing[size:], kernel[size:]], axis=0)
        upper = [self._cell(layer) for layer in layers[1:]]
        remember = weights[f"{layout.wrapper}/attention/attn_w"][0, 0]
        scores_of = weights[f"{layout.wrapper}/attention/attn_v"]
        query_kernel, query_bias = (weights[f"{layout.wrapper}/attention/{name}"] for name in ("kernel", "bias"))
        out_kernel = weights[f"{layout.wrapper}/attn_output_projection/kernel"]
        out_bias = weights[f"{layout.wrapper}/attn_output_projection/bias"]

        def step(carry, x):
            cells, (attention, window, keys) = carry[: 2 * len(layers)], carry[2 * len(layers) :]
            c, h = cells[:2]
            c, h = lstm_step(x + ops.matmul(ops.concatenate([attention, h], axis=-1), recurrent), c)
            states = [c, h]
            for place, (upper_kernel, upper_bias) in enumerate(upper, start=1):
                c, past = cells[2 * place : 2 * place + 2]
                gates = ops.matmul(ops.concatenate([h, past], axis=-1), upper_kernel) + upper_bias
                c, h = lstm_step(gates, c)
                states += [c, h]
            query = ops.matmul(ops.concatenate(states, axis=-1), query_kernel) + query_bias
            scores = ops.matmul(ops.tanh(keys + query[:, None]), scores_of[:, None])
            attention = ops.sum(ops.softmax(scores, axis=1) * window, axis=1)
            output = ops.matmul(ops.concatenate([h, attention], axis=-1), out_kernel) + out_bias
            window = ops.concatenate([window[:, 1:], output[:, None]], axis=1)
            keys = ops.concatenate([keys[:, 1:], ops.matmul(output, remember)[:, None]], axis=1)
            return (*states, attention, window, keys), output

        batch = ops.shape(inputs)[1]
        zeros = [ops.zeros((batch, layout.layers[layer])) for layer in layers for _ in range(2)]
        rows = ops.zeros((batch, length, width))
        return scan(step, (*zeros, ops.zeros((batch, width)), rows, rows), projected)
