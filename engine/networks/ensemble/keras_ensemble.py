"""The twin of `engine.networks.ensemble` for training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from engine.networks.ensemble.configs import KINDS, VIEWS, ensemble_shapes
from engine.networks.ensemble.encoding import BEGINS, FIELDS, HIGHEST, LOWEST, WIDE
from engine.networks.keras_weights import NamedWeightsModel
from engine.networks.scan import gru_layer

ops: Any = keras.ops
_STARTS = dict(zip(VIEWS, np.cumsum([0, *VIEWS.values()][:-1]).tolist(), strict=True))


class EnsembleModel(NamedWeightsModel):
    """Inputs "columns" and "places" of `HeardStretch`, batched, to logits [B, T, 3 + pitches]: what happens, and
    which pitch.

    Args:
        units: of the GRU.
        dense: of the embedding and of the hidden layer.
        dropout: share of outputs dropped in training; half as much of the embedding.
        seed: of weights and dropout.
    """

    def __init__(self, units: int = 160, dense: int = 128, dropout: float = 0.25, seed: int = 0) -> None:
        super().__init__()
        self.dropout_rate, self.dropout_seeds = dropout, keras.random.SeedGenerator(seed)
        self.add_by_name(ensemble_shapes(units, dense))
        self.built = True
        self.set_by_name(self._initial(np.random.default_rng(seed)))

    def call(self, inputs, training=False):
        """Logits [B, T, 3 + pitches]."""
        weights, places = self.by_name, inputs["places"]
        embedded = ops.relu(ops.matmul(inputs["columns"], weights["embedding/kernel"]) + weights["embedding/bias"])
        embedded = self._dropped(embedded, training, 0.5)
        projected = ops.matmul(ops.transpose(embedded, (1, 0, 2)), weights["gru_0/kernel"]) + weights["gru_0/bias"][0]
        states = ops.transpose(gru_layer(projected, weights["gru_0/recurrent"], weights["gru_0/bias"][1]), (1, 0, 2))
        outputs = ops.concatenate([self._dropped(states, training), embedded], axis=-1)
        hidden = ops.relu(ops.matmul(outputs, weights["dense/kernel"]) + weights["dense/bias"])
        views = ops.matmul(self._dropped(hidden, training), weights["output/kernel"]) + weights["output/bias"]
        pitches = np.arange(LOWEST, HIGHEST + 1)
        logits = _view(views, "pitch")
        for view, place in (("interval", places[..., :1]), ("bar_ago_interval", places[..., 1:2])):
            seen = ops.take_along_axis(_view(views, view), ops.clip(pitches - place, -WIDE, WIDE) + WIDE, axis=-1)
            logits = logits + ops.where(place >= 0, seen, 0.0)
        root = places[..., 2:]
        seen = ops.take_along_axis(_view(views, "from_root"), ops.mod(pitches - root, 12), axis=-1)
        return ops.concatenate([_view(views, "kinds"), logits + ops.where(root >= 0, seen, 0.0)], axis=-1)

    def _dropped(self, outputs, training, factor=1.0):
        if training and self.dropout_rate:
            return keras.random.dropout(outputs, factor * self.dropout_rate, seed=self.dropout_seeds)
        return outputs

    def _initial(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        found = {}
        for name, variable in self.by_name.items():
            shape = tuple(variable.shape)
            if name.endswith("bias"):
                value = np.zeros(shape)
            elif name.endswith("recurrent"):
                value = np.concatenate([np.linalg.qr(rng.normal(size=(shape[0],) * 2))[0] for _ in range(3)], axis=1)
            else:
                scale = {"embedding/kernel": 1.4 / len(FIELDS) ** 0.5, "output/kernel": 0.2 / shape[0] ** 0.5}
                value = rng.normal(0, scale.get(name, shape[0] ** -0.5), shape)
            found[name] = value.astype(np.float32)
        return found


def loss(labels, logits):
    """Nats [B, T]: of what happens, and where a note begins of its pitch."""
    kinds = keras.losses.sparse_categorical_crossentropy(labels[..., 0], logits[..., :KINDS], from_logits=True)
    pitches = keras.losses.sparse_categorical_crossentropy(labels[..., 1], logits[..., KINDS:], from_logits=True)
    return kinds + pitches * ops.cast(labels[..., 0] == BEGINS, "float32")


def _view(views, name):
    return views[..., _STARTS[name] : _STARTS[name] + VIEWS[name]]
