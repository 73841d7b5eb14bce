"""The chorale network as a Keras 3 model, for training on whole batches of chorales; any Keras backend.

Source: attention after Vaswani et al. 2017 with a bias per head and distance (Shaw et al. 2018, in the form of a number
each); GRUs, see `layout`.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from engine.networks.chorale.encoding import LABELS, LOWEST, PITCHES, VOICES, WIDE
from engine.networks.chorale.layout import INTERVALS, ChoraleLayout
from engine.networks.keras_weights import NamedWeightsModel
from engine.networks.scan import gru_layer

ops: Any = keras.ops  # whose stubs know too little of what it returns

_FAR = -1e9


class ChoraleModel(NamedWeightsModel):
    """Tokens to logits [B, T, labels], from zero states.

    Inputs by name: "columns" [B, T, columns] float32, ones where they are on; "places" [B, T, 5] int32, the reference
    of the token's voice and the pitches of the four voices, below 0 where nothing sounds; "outcomes" [B, T] int32, what
    became of each token, which those after it are told.

    Args:
        layout: sizes of the weights.
        dropout: share of the outputs of each layer dropped in training; half as much of the embedding.
        seed: of dropout.

    Weights are zero until `set_by_name`.
    """

    def __init__(self, layout: ChoraleLayout, dropout: float = 0.0, seed: int = 0) -> None:
        super().__init__()
        self.chorale_layout = layout
        self.dropout_rate = dropout
        self.dropout_seeds = keras.random.SeedGenerator(seed)
        self.add_by_name(layout.shapes())
        self.built = True

    def call(self, inputs, training=False):
        """Logits [B, T, labels]."""
        weights = self.by_name
        embedded = ops.relu(ops.matmul(inputs["columns"], weights["embedding/kernel"]) + weights["embedding/bias"])
        embedded = self._dropped(embedded, training, 0.5)
        attended = self._dropped(self._attended(embedded, inputs["outcomes"]), training)
        outputs = ops.transpose(ops.concatenate([embedded, attended], axis=-1), (1, 0, 2))
        for layer in range(len(self.chorale_layout.layers)):
            kernel, recurrent, bias = (weights[f"gru_{layer}/{name}"] for name in ("kernel", "recurrent", "bias"))
            outputs = gru_layer(ops.matmul(outputs, kernel) + bias[0], recurrent, bias[1])
            outputs = self._dropped(outputs, training)
        outputs = ops.transpose(outputs, (1, 0, 2))
        outputs = ops.concatenate([outputs, embedded, attended], axis=-1)
        hidden = ops.relu(ops.matmul(outputs, weights["dense/kernel"]) + weights["dense/bias"])
        views = ops.matmul(self._dropped(hidden, training), weights["output/kernel"]) + weights["output/bias"]
        return seen(views, inputs["places"])

    def _dropped(self, outputs, training, factor=1.0):
        if training and self.dropout_rate:
            return keras.random.dropout(outputs, factor * self.dropout_rate, seed=self.dropout_seeds)
        return outputs

    def _attended(self, embedded, outcomes):
        """What the tokens before tell: [B, T, attention]."""
        layout, weights = self.chorale_layout, self.by_name
        heads, size = layout.heads, layout.attention // layout.heads
        steps = embedded.shape[1]

        def split(tensor):
            return ops.transpose(ops.reshape(tensor, (-1, steps, heads, size)), (0, 2, 1, 3))

        def told(name):
            rows = ops.matmul(embedded, weights[f"attention/{name}"])
            return split(rows + ops.take(weights[f"attention/outcome_{name}"], outcomes, axis=0))

        query = split(ops.matmul(embedded, weights["attention/query"])) * size**-0.5
        keys, values = told("key"), told("value")
        ago = np.arange(steps)[:, None] - np.arange(steps)[None, :]
        known = (ago >= 1) & (ago <= layout.window)
        bias = ops.take(weights["attention/distance"], np.where(known, ago, 0).reshape(-1), axis=1)
        bias = ops.where(known, ops.reshape(bias, (heads, steps, steps)), _FAR)
        scores = ops.matmul(query, ops.transpose(keys, (0, 1, 3, 2))) + bias
        nothing_key = ops.reshape(weights["attention/nothing_key"], (heads, size))
        nothing = ops.sum(query * nothing_key[:, None], axis=-1, keepdims=True)
        nothing = nothing + weights["attention/distance"][:, :1, None]
        shares = ops.softmax(ops.concatenate([nothing, scores], axis=-1), axis=-1)
        nothing_value = ops.reshape(weights["attention/nothing_value"], (heads, size))
        made = ops.matmul(shares[..., 1:], values) + shares[..., :1] * nothing_value[:, None]
        return ops.reshape(ops.transpose(made, (0, 2, 1, 3)), (-1, steps, layout.attention))


def seen(views, places):
    """Logits [B, T, labels] from the numbers of the last layer [B, T, views] and from where the voices are."""
    pitches = np.arange(LOWEST, LOWEST + PITCHES)
    far = ops.clip(pitches - places[..., :1], -WIDE, WIDE) + WIDE
    logits = ops.take_along_axis(views[..., LABELS : LABELS + INTERVALS], far, axis=-1)
    for voice in range(VOICES):
        begin = LABELS + INTERVALS + 12 * voice
        place = places[..., 1 + voice : 2 + voice]
        classes = ops.take_along_axis(views[..., begin : begin + 12], ops.mod(pitches - place, 12), axis=-1)
        logits = logits + ops.where(place >= 0, classes, 0.0)
    logits = logits + views[..., :PITCHES]
    return ops.concatenate([logits, views[..., PITCHES:LABELS]], axis=-1)
