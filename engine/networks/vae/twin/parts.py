"""Parts of a MusicVAE as TensorFlow plays them, each in the place of the one in numpy that it was made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.networks.vae.decoder import ConductorRnn, LstmDecoder
from engine.networks.vae.encoder import Encoder
from engine.networks.vae.heads import NONE
from engine.networks.vae.lstm import Cell
from engine.networks.vae.twin import layers

if TYPE_CHECKING:
    from engine.networks.vae.twin.network import VaeTwin


class DecoderTwin(LstmDecoder):
    """See `LstmDecoder`; a choice is a class.

    Args:
        twin: has the device.
        name: of its weights there.
        own: in numpy.
    """

    def __init__(self, twin: VaeTwin, name: str, own: LstmDecoder) -> None:
        vars(self).update(vars(own))
        self.own, self._twin, self._name = own, twin, name
        self._run: Callable[..., Any] | None = None

    def decode(
        self,
        embeddings: np.ndarray,
        steps: int,
        noise: np.ndarray | None = None,
        controls: np.ndarray | None = None,
        first: np.ndarray | None = None,
        keep: bool = False,
        hits: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """See `LstmDecoder.decode`."""
        return self._twin.attempt(
            lambda: self.by_twin(embeddings, steps, noise, controls, first, keep),
            lambda: self.own.decode(embeddings, steps, noise, controls, first, keep, hits),
        )

    def by_twin(
        self,
        embeddings: np.ndarray,
        steps: int,
        noise: np.ndarray | None,
        controls: np.ndarray | None,
        first: np.ndarray | None,
        keep: bool,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """See `decode`.

        Raises:
            ArithmeticError: what comes is no number.
        """
        tf, rows = self._twin.tf, len(embeddings)
        weights = self._twin.placed(self._name, self._arrays)
        noise = np.zeros((steps, 1, self.head.size), np.float32) if noise is None else noise
        told = np.zeros((steps, rows, 0), np.float32) if controls is None else controls.transpose(1, 0, 2)
        first = np.full(rows, NONE) if first is None else first
        given = [tf.constant(one, tf.float32) for one in (embeddings, noise, told)]
        given.append(tf.constant(first, tf.int32))
        if self._run is None:
            self._run = _compiled(tf, layers.decode, weights, given)
        choices, outputs, sound = self._run(weights, *given)
        if not sound:
            raise ArithmeticError("what TensorFlow computes is no number")
        return choices.numpy().astype(np.int64), outputs.numpy() if keep else None

    def _arrays(self) -> dict[str, Any]:
        (inputs, recurrent, bias), *above = _arrays_of(self.stack.cells)
        return {
            "state": self.state,
            # The inputs of the first cell come in three parts, below.
            "cells": [(inputs[:0], recurrent, bias), *above],
            "output": (self.stack.output_kernel, self.stack.output_bias),
            "from_previous": self.from_previous,
            "from_embedding": self.from_embedding,
            "from_controls": self.from_controls,
        }


class ConductorTwin(ConductorRnn):
    """See `ConductorRnn`; arguments as of `DecoderTwin`."""

    def __init__(self, twin: VaeTwin, own: ConductorRnn) -> None:
        vars(self).update(vars(own))
        self.own, self._twin = own, twin
        self._run: Callable[..., Any] | None = None

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """See `ConductorRnn`."""
        return self._twin.attempt(lambda: self.by_twin(z), lambda: self.own(z))

    def by_twin(self, z: np.ndarray) -> np.ndarray:
        """See `__call__`."""
        tf = self._twin.tf
        weights = self._twin.placed("conductor", lambda: {"state": self.state, "cells": _arrays_of(self.cells)})
        given = [tf.constant(z, tf.float32)]
        if self._run is None:
            self._run = _compiled(tf, partial(layers.conduct, bars=self.bars), weights, given)
        return self._run(weights, *given).numpy()


class EncoderTwin(Encoder):
    """See `Encoder`; arguments as of `DecoderTwin`."""

    def __init__(self, twin: VaeTwin, own: Encoder) -> None:
        vars(self).update(vars(own))
        self.own, self._twin = own, twin
        self._run: Callable[..., Any] | None = None

    def __call__(self, inputs: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Encoder`."""
        return self._twin.attempt(lambda: self.by_twin(inputs, lengths), lambda: self.own(inputs, lengths))

    def by_twin(self, inputs: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `__call__`.

        Raises:
            ArithmeticError: what comes is no number.
        """
        tf = self._twin.tf
        weights = self._twin.placed("encoder", self._arrays)
        valid = np.arange(inputs.shape[1])[:, None] < lengths
        given = [tf.constant(one, tf.float32) for one in (inputs.transpose(1, 0, 2), valid[..., None])]
        if self._run is None:
            self._run = _compiled(tf, layers.encode, weights, given)
        mu, sigma = (one.numpy() for one in self._run(weights, *given))
        if not (np.isfinite(mu).all() and np.isfinite(sigma).all()):
            raise ArithmeticError("what TensorFlow computes is no number")
        return mu, sigma

    def _arrays(self) -> dict[str, Any]:
        return {"layers": [_arrays_of(both) for both in self.layers], "mu": self.mu, "sigma": self.sigma}


def _arrays_of(cells: Sequence[Cell]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    return [(cell.inputs, cell.recurrent.matrix, cell.bias) for cell in cells]


def _compiled(tf: Any, function: Callable[..., Any], weights: Any, given: list[Any]) -> Callable[..., Any]:
    """A graph of a function of `layers`, for any number of steps and rows.

    Args:
        tf: the module.
        function: (tf, weights, *given), tensors of known last axes.
        weights, given: what it is told, for their shapes.
    """

    def free(tensor: Any) -> Any:
        size = [tensor.shape[-1]] if len(tensor.shape) > 1 else []
        return tf.TensorSpec([None] * (len(tensor.shape) - len(size)) + size, tensor.dtype)

    signature = [tf.nest.map_structure(tf.TensorSpec.from_tensor, weights), *map(free, given)]
    return tf.function(partial(function, tf), input_signature=signature, autograph=False)
