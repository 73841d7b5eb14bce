"""LSTM layers in numpy, float32, many sequences at once: step by step, and along sequences that are known.

Where the time goes at batch 1 is reading the weights: a product of a vector with [rows, columns] runs at the speed of
memory, so every weight is read once per step, as the checkpoint has it, and never copied but where two products of one
vector fit into one small matrix. What does not change from step to step (z, controls, biases) is multiplied once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.networks.products import Product
from engine.networks.rnn.layout import FORGET_BIAS

_JOINED = 2_500_000
"""Up to so many numbers, two matrices that meet the same vector are copied side by side into one."""


class Cell:
    """Weights of one LSTM layer.

    Attributes:
        units: H.
        inputs: [below, 4H], from what the layer is given to its gates.
        recurrent: [H, 4H], from its own output of the step before.
        bias: [4H], with the forget bias.
    """

    def __init__(self, weights: Mapping[str, np.ndarray], name: str) -> None:
        kernel, bias = weights[f"{name}/kernel"], weights[f"{name}/bias"]
        self.units = len(bias) // 4
        below = len(kernel) - self.units
        self.inputs, self.recurrent = kernel[:below], Product(kernel[below:])
        self.bias = bias.copy()
        self.bias[2 * self.units : 3 * self.units] += FORGET_BIAS


class LstmState:
    """The states of a layer for B sequences, and what a step makes of gates. Nothing is allocated in a step.

    Args:
        gates: [B, 4H], in which a step finds its gates; overwritten by it.
        c, h: initial states [B, H], which the steps write to.
    """

    def __init__(self, gates: np.ndarray, c: np.ndarray, h: np.ndarray) -> None:
        rows, units = c.shape
        self.gates, self.c, self.h = gates, c, h
        # sigmoid(x) = tanh(x / 2) / 2 + 1/2: all four gates from one call of tanh. For every sequence the same numbers
        # again, because numpy goes through arrays of one shape in half the time.
        self._scale = np.full((rows, 4 * units), 0.5, np.float32)
        self._shift = self._scale.copy()
        j = slice(units, 2 * units)
        self._scale[:, j], self._shift[:, j] = 1.0, 0.0
        self._i, self._j, self._f, self._o = (gates[:, k * units : (k + 1) * units] for k in range(4))
        self._room = np.empty_like(c)

    def step(self) -> None:
        """The next states, from the gates."""
        gates, scale, c, room = self.gates, self._scale, self.c, self._room
        np.multiply(gates, scale, gates)
        np.tanh(gates, gates)
        np.multiply(gates, scale, gates)
        np.add(gates, self._shift, gates)
        np.multiply(c, self._f, c)
        np.multiply(self._i, self._j, room)
        np.add(c, room, c)
        np.tanh(c, room)
        np.multiply(room, self._o, self.h)

    def first(self, rows: int) -> LstmState:
        """The same states, of the first sequences alone."""
        return LstmState(self.gates[:rows], self.c[:rows], self.h[:rows])


def run(
    projected: np.ndarray,
    recurrent: Product,
    c: np.ndarray,
    h: np.ndarray,
    lengths: np.ndarray | None = None,
    keep: bool = True,
) -> np.ndarray | None:
    """Run a layer along sequences that are known.

    Args:
        projected: what the inputs and the bias give to the gates, [T, B, 4H].
        recurrent: [H, 4H].
        c, h: initial states [B, H]; afterwards they are the last ones of each sequence.
        lengths: steps of each sequence, descending; None for all.
        keep: whether the outputs are wanted.

    Returns:
        Outputs [T, B, H], zero after the end of a sequence; None if not wanted.
    """
    steps, rows = projected.shape[:2]
    counts = np.full(steps, rows) if lengths is None else (lengths[None] > np.arange(steps)[:, None]).sum(1)
    outputs = np.zeros((steps, rows, h.shape[1]), np.float32) if keep else None
    memory = LstmState(np.empty((rows, projected.shape[2]), np.float32), c, h)
    multiply = recurrent.between(memory.gates, memory.h)
    for step, count in enumerate(counts.tolist()):
        if count == 0:
            break
        if count != len(memory.h):
            memory = memory.first(count)
            multiply = recurrent.between(memory.gates, memory.h)
        multiply()
        np.add(memory.gates, projected[step, :count], memory.gates)
        memory.step()
        if outputs is not None:
            outputs[step, :count] = memory.h
    return outputs


class LstmStack:
    """Layers of LSTMs and the linear layer above them, for steps that depend on each other.

    Args:
        cells: from below to above.
        output_kernel: [H of the last, outputs].
        output_bias: [outputs].

    Attributes:
        above: per layer, the matrix from its output to the layer above, or to the outputs.
        joined: the same with the recurrent matrix beside it; None where that is too big.
    """

    def __init__(self, cells: Sequence[Cell], output_kernel: np.ndarray, output_bias: np.ndarray) -> None:
        self.cells, self.output_kernel, self.output_bias = tuple(cells), output_kernel, output_bias
        self.above = tuple(Product(kernel) for kernel in [*(cell.inputs for cell in cells[1:]), output_kernel])
        pairs = [(up.matrix, cell.recurrent.matrix) for up, cell in zip(self.above, cells, strict=True)]
        self.joined = tuple(
            Product(np.hstack(pair)) if pair[0].size + pair[1].size <= _JOINED else None for pair in pairs
        )


class LstmSteps:
    """B sequences on their way through a stack.

    Args:
        stack: its weights.
        states: initial [c0, h0, c1, h1, ...], each [B, H]; overwritten.
    """

    def __init__(self, stack: LstmStack, states: Sequence[np.ndarray]) -> None:
        rows = len(states[0])
        self._layers = []
        for layer, (cell, up) in enumerate(zip(stack.cells, stack.above, strict=True)):
            c, h = states[2 * layer], states[2 * layer + 1]
            joined = stack.joined[layer] if rows == 1 else None
            width = up.matrix.shape[1]
            if joined is not None:
                buffer = np.empty((1, width + 4 * cell.units), np.float32)
                to_above, gates = buffer[:, :width], buffer[:, width:]
                products = [joined.between(buffer, h)]
            else:
                to_above, gates = np.empty((rows, width), np.float32), np.empty((rows, 4 * cell.units), np.float32)
                products = [up.between(to_above, h), cell.recurrent.between(gates, h)]
            cell.recurrent.into(gates, h)
            self._layers.append((LstmState(gates, c, h), products, to_above))
        biases = [cell.bias for cell in stack.cells[1:]] + [stack.output_bias]
        self._biases = [np.repeat(bias[None], rows, axis=0) for bias in biases]
        self.gates = self._layers[0][0].gates
        """[B, 4H] of the first layer: what its own last output gives; the caller adds what the inputs give."""
        self.outputs = self._layers[-1][2]
        """[B, outputs] of the last step."""

    def step(self) -> None:
        """One step, from `gates` to `outputs`."""
        below = None
        for (memory, products, to_above), bias in zip(self._layers, self._biases, strict=True):
            if below is not None:
                np.add(memory.gates, below, memory.gates)
            memory.step()
            for multiply in products:
                multiply()
            np.add(to_above, bias, to_above)
            below = to_above
