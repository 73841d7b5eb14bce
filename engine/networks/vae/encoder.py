"""The encoder of a MusicVAE: a stack of bidirectional LSTMs, and what its last states say about z.

Source: Roberts et al. 2018, section 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.networks.vae.layout import VaeLayout, encoder_cell
from engine.networks.vae.lstm import Cell, run


class Encoder:
    """Posterior of z given sequences.

    Args:
        layout: which of the weights are what.
        weights: by Magenta's names, float32.

    Attributes:
        layers: cells forwards and backwards, from below to above.
        mu, sigma: kernel and bias of what is said of z.
    """

    def __init__(self, layout: VaeLayout, weights: Mapping[str, np.ndarray]) -> None:
        self.layers = [
            tuple(Cell(weights, encoder_cell(layer, direction)) for direction in ("fw", "bw"))
            for layer in range(len(layout.encoder))
        ]
        self.mu = weights["encoder/mu/kernel"], weights["encoder/mu/bias"]
        self.sigma = weights["encoder/sigma/kernel"], weights["encoder/sigma/bias"]

    def __call__(self, inputs: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of z, each [B, Z].

        Args:
            inputs: with the controls, [B, T, D].
            lengths: steps of each sequence that count, [B].
        """
        order = np.argsort(-lengths, kind="stable")
        lengths = lengths[order]
        below = np.ascontiguousarray(inputs[order].transpose(1, 0, 2), np.float32)
        steps, rows, _ = below.shape
        # A sequence backwards begins with its own last step; what lies after its end stays where it is.
        times = np.arange(steps)[:, None]
        backwards = np.where(times < lengths, lengths - 1 - times, times)
        sequences = np.arange(rows)
        heard = []
        for layer, (forward_cell, backward_cell) in enumerate(self.layers):
            last = layer == len(self.layers) - 1
            forward, h_forward = _along(forward_cell, below, lengths, not last)
            backward, h_backward = _along(backward_cell, below[backwards, sequences], lengths, not last)
            if forward is not None and backward is not None:
                below = np.concatenate([forward, backward[backwards, sequences]], axis=2)
            heard = [h_forward, h_backward]
        embedding = np.empty((rows, self.mu[0].shape[0]), np.float32)
        embedding[order] = np.concatenate(heard, axis=1)
        mu = embedding @ self.mu[0] + self.mu[1]
        sigma = np.logaddexp(np.float32(0.0), embedding @ self.sigma[0] + self.sigma[1])
        return mu, sigma


def _along(cell: Cell, inputs: np.ndarray, lengths: np.ndarray, keep: bool) -> tuple[np.ndarray | None, np.ndarray]:
    steps, rows, size = inputs.shape
    projected = (inputs.reshape(-1, size) @ cell.inputs).reshape(steps, rows, -1)
    projected += cell.bias
    c, h = np.zeros((rows, cell.units), np.float32), np.zeros((rows, cell.units), np.float32)
    outputs = run(projected, cell.recurrent, c, h, lengths, keep)
    return outputs, h
