"""The network's twin in Keras, with its loss: what is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from engine.timbres.neural.layout import PITCH_FEATURES
from engine.timbres.neural.network import LATENT, Sizes

ops: Any = keras.ops

_LEAST, _MOST = -8.0, 2.0
"""Bounds of the logarithm of a variance."""


class Perceptron(keras.layers.Layer):
    """Dense layers with SiLU; from the second on each adds to what came in. The last one is linear.

    Args:
        hidden: units of the layers.
        layers: how many of them there are.
        size: of what comes out.
        name: of all weights.
    """

    def __init__(self, hidden: int, layers: int, size: int, name: str) -> None:
        super().__init__(name=name)
        self.hidden = [keras.layers.Dense(hidden, activation="silu", name=str(number)) for number in range(layers)]
        self.out = keras.layers.Dense(size, name="out")

    def build(self, shape: tuple[int | None, int]) -> None:
        """See Keras."""
        for number, layer in enumerate(self.hidden):
            layer.build(shape if number == 0 else (None, self.hidden[0].units))
        self.out.build((None, self.hidden[0].units))

    def call(self, values: Any) -> Any:
        """[notes, size]."""
        for number, layer in enumerate(self.hidden):
            values = values + layer(values) if number else layer(values)
        return self.out(values)


class TimbreVae(keras.Model):
    """Two notes of an instrument come in; from where the first is heard, both are to come out.

    Args:
        sizes: of the network.
        scale: [components], spread of each component in decibels of a whole note.
        error: decibels, the spread that errors are taken to have.
        beta: weight of the divergence from the prior.
        seed: of what is drawn.
    """

    def __init__(self, sizes: Sizes, scale: np.ndarray, error: float, beta: float, seed: int) -> None:
        super().__init__()
        self.encoder = Perceptron(sizes.hidden, 2, 2 * LATENT, "encoder")
        self.decoder = Perceptron(sizes.hidden, 3, sizes.components, "decoder")
        self.encoder.build((None, sizes.components + PITCH_FEATURES))
        self.decoder.build((None, LATENT + PITCH_FEATURES))
        self._importance = (scale / error).astype(np.float32)
        self._beta = beta
        self.chance = keras.random.SeedGenerator(seed)
        self.divergence = keras.metrics.Mean("divergence")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """[notes, 2, components] out of components and pitches of the two notes; see `compute_loss`."""
        heard, pitches = inputs
        said = self.encoder(ops.concatenate([heard, pitches[:, 0]], axis=1))
        middle, spread = said[:, :LATENT], ops.clip(said[:, LATENT:], _LEAST, _MOST)
        place = middle
        if training:
            place = middle + ops.exp(0.5 * spread) * keras.random.normal(ops.shape(middle), seed=self.chance)
        divergence = 0.5 * ops.sum(ops.square(middle) + ops.exp(spread) - 1.0 - spread, axis=1)
        self.divergence.update_state(divergence)
        self.add_loss(self._beta * ops.mean(divergence))
        made = [self.decoder(ops.concatenate([place, pitches[:, note]], axis=1)) for note in (0, 1)]
        return ops.stack(made, axis=1)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Half the squared errors of both notes, in units of the error that is expected, and the divergence."""
        errors = ops.square((y - y_pred) * self._importance)
        return 0.5 * ops.mean(ops.sum(errors, axis=2)) + sum(self.losses)

    def numbers(self) -> dict[str, np.ndarray]:
        """The weights by their names in the file."""
        return {name: ops.convert_to_numpy(variable).copy() for name, variable in self._named()}

    def take(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take over weights by these names."""
        for name, variable in self._named():
            variable.assign(weights[name])

    def _named(self) -> Iterator[tuple[str, Any]]:
        for part in (self.encoder, self.decoder):
            for layer in (*part.hidden, part.out):
                yield f"{part.name}/{layer.name}/kernel", layer.kernel
                yield f"{part.name}/{layer.name}/bias", layer.bias
