"""The decoder of a MusicVAE: stacks of LSTMs that say one step after the other, and the conductor above them.

Source: Roberts et al. 2018, section 3.2 (flat and hierarchical decoder).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.networks.products import multiplied
from engine.networks.vae.heads import GrooveHead, VaeHead
from engine.networks.vae.layout import CONDUCTOR, VaeLayout, conductor_cell, decoder_cell
from engine.networks.vae.lstm import Cell, LstmStack, LstmSteps, run


class LstmDecoder:
    """Says what one embedding (z, or what a conductor made of it) means, step by step.

    Args:
        scope: of its weights.
        layers: how many LSTM layers.
        head: what its outputs mean.
        weights: by Magenta's names, float32.

    Attributes:
        state: kernel and bias that make the first states of an embedding.
        stack: the layers.
        from_previous, from_embedding, from_controls: rows of the first layer's kernel.
    """

    def __init__(self, scope: str, layers: int, head: VaeHead, weights: Mapping[str, np.ndarray]) -> None:
        self.head = head
        self.state = weights[f"{scope}/z_to_initial_state/kernel"], weights[f"{scope}/z_to_initial_state/bias"]
        cells = [Cell(weights, decoder_cell(layer, scope)) for layer in range(layers)]
        output = weights[f"{scope}/output_projection/kernel"], weights[f"{scope}/output_projection/bias"]
        self.stack = LstmStack(cells, *output)
        embedding, inputs = len(self.state[0]), cells[0].inputs
        self.from_previous = inputs[: head.size]
        self.from_embedding = inputs[head.size : head.size + embedding]
        self.from_controls = inputs[head.size + embedding :]

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
        """Choices [T, B, ...], and the outputs [T, B, N] that they were made from if these are to be kept.

        Args:
            embeddings: [B, E].
            steps: T.
            noise: what the head makes of chance, [T, B, draws]; None for the likeliest choices.
            controls: [B, T, C] or None.
            first: choices [B, ...] that stand before the first step; None for none.
            keep: whether the outputs are wanted.
            hits: of grooves, those that are known: see `GrooveHead.hold`, [T, B, 9]; None for none.
        """
        rows, head = len(embeddings), self.head
        run_of = LstmSteps(self.stack, initial_states(embeddings, self.state, self.stack.cells))
        constant = multiplied(embeddings, self.from_embedding) + self.stack.cells[0].bias
        told = None if controls is None else np.matmul(controls.transpose(1, 0, 2), self.from_controls)
        feed = head.feeder(self.from_previous, rows)
        gates, outputs = run_of.gates, run_of.outputs
        kept = np.empty((steps, rows, outputs.shape[1]), np.float32) if keep else None
        choices, previous = [], first
        for step in range(steps):
            np.add(gates, constant, gates)
            if told is not None:
                np.add(gates, told[step], gates)
            if previous is not None:
                feed(previous, gates)
            run_of.step()
            previous = head.choose(outputs, None if noise is None else noise[step])
            if hits is not None:
                assert isinstance(head, GrooveHead)
                head.hold(previous, hits[step])
            choices.append(previous)
            if kept is not None:
                kept[step] = outputs
        return np.stack(choices), kept

    def teach(self, embeddings: np.ndarray, previous: np.ndarray, controls: np.ndarray | None = None) -> np.ndarray:
        """Outputs [B, T, N] of a decoder that is told what stands before each step.

        Args:
            embeddings: [B, E].
            previous: [B, T, D], zeros where there is nothing.
            controls: [B, T, C] or None.
        """
        states = initial_states(embeddings, self.state, self.stack.cells)
        first = self.stack.cells[0]
        projected = np.matmul(previous.transpose(1, 0, 2), self.from_previous)
        projected += embeddings @ self.from_embedding + first.bias
        if controls is not None:
            projected += np.matmul(controls.transpose(1, 0, 2), self.from_controls)
        below = _sequence(projected, first, states[0], states[1])
        for layer, cell in enumerate(self.stack.cells[1:], start=1):
            projected = np.matmul(below, cell.inputs) + cell.bias
            below = _sequence(projected, cell, states[2 * layer], states[2 * layer + 1])
        return (np.matmul(below, self.stack.output_kernel) + self.stack.output_bias).transpose(1, 0, 2)


class ConductorRnn:
    """Makes one embedding per bar of z; it hears nothing.

    Args:
        layout: which of the weights are what.
        bars: how many.
        weights: by Magenta's names, float32.

    Attributes:
        state: kernel and bias that make the first states of z.
        cells: from below to above.
    """

    def __init__(self, layout: VaeLayout, bars: int, weights: Mapping[str, np.ndarray]) -> None:
        self.bars = bars
        self.state = weights[f"{CONDUCTOR}/initial_state/kernel"], weights[f"{CONDUCTOR}/initial_state/bias"]
        self.cells = [Cell(weights, conductor_cell(layer)) for layer in range(len(layout.conductor))]

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Embeddings [bars, B, E] of z [B, Z]."""
        states = initial_states(z, self.state, self.cells)
        below = None
        for layer, cell in enumerate(self.cells):
            # The lowest layer's input is a zero at every step: only the bias is left of it.
            projected = np.zeros((self.bars, len(z), 4 * cell.units), np.float32)
            if below is not None:
                np.matmul(below, cell.inputs, out=projected)
            projected += cell.bias
            below = _sequence(projected, cell, states[2 * layer], states[2 * layer + 1])
        assert below is not None, "a conductor has a layer"
        return below


def initial_states(
    embeddings: np.ndarray, dense: tuple[np.ndarray, np.ndarray], cells: list[Cell] | tuple[Cell, ...]
) -> list[np.ndarray]:
    """States [c0, h0, c1, h1, ...], each [B, H], that an embedding begins with."""
    states = np.tanh(multiplied(embeddings, dense[0]) + dense[1])
    edges = np.cumsum([cell.units for cell in cells for _ in range(2)])[:-1]
    return [np.ascontiguousarray(state) for state in np.split(states, edges, axis=1)]


def _sequence(projected: np.ndarray, cell: Cell, c: np.ndarray, h: np.ndarray) -> np.ndarray:
    outputs = run(projected, cell.recurrent, c, h)
    assert outputs is not None, "outputs are kept unless told otherwise"
    return outputs
