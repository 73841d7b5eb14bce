"""The stack of LSTMs with attention, a step of a batch of sequences at a time: the maths of generation, in numpy.

At batch 1 a step is some ten matrix-vector products, and entering TensorFlow for each step costs several times the
arithmetic (docs/networks.md has the figures). So the work goes into doing little besides those products: weights are
folded together beforehand, arrays are kept from step to step, and each product is one call of BLAS.

Source: see `engine.networks.rnn.keras_rnn`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.networks.products import Product
from engine.networks.rnn.layout import FORGET_BIAS, INNER, OUTER, RnnLayout

_SPARSE_INPUTS = 128
"""From this input size on only those rows of the kernel are read whose inputs are not zero."""
_SAFE_EXPONENT = 80.0
_LARGE = 16_000_000
"""Bytes of kernels that a core no longer finds in its caches."""


@dataclass(frozen=True, slots=True)
class FoldedWeights:
    """Weights rearranged for stepping; equal to the original maths.

    The attention wrapper's linear map of [input, attention] to the size of the input is multiplied into the kernel of
    the LSTM that follows it, which is linear too. Biases, the forget bias included, are the last rows of kernels, for
    an input of 1. The gates' columns are in the order input, forget, output, candidate; those of the first three are
    halved, because sigmoid(x) = tanh(x / 2) / 2 + 1/2 makes all four gates from one call of tanh.

    Attributes:
        layout: names and sizes.
        inputs: [input_size, 4 * H0], from the input to the gates of layer 0.
        kernels: per layer to its gates; layer 0 from [h, (attention), 1], others from [below, h, 1].
        outputs: to the network's outputs, from [top, 1].
        query: from the wrapped cells' [c, h, ...] to the attention's query; empty without attention.
        score: [A], from tanh(key + query) to a row's score.
        memory: from [h, attention, 1] to [projected output, its key], which is what the window keeps.
        blank: [2 * A], a row of the window before anything was kept.
    """

    layout: RnnLayout
    inputs: np.ndarray
    kernels: tuple[Product, ...]
    outputs: Product
    query: Product
    score: np.ndarray
    memory: Product
    blank: np.ndarray


def fold(weights: Mapping[str, np.ndarray], layout: RnnLayout) -> FoldedWeights:
    """Rearrange weights given by Magenta's names, as `RnnLayout.shapes` lists them."""
    weights = {name: np.asarray(weights[name], np.float32) for name in layout.shapes()}
    width, size = layout.attention_size, layout.input_size
    query, score, memory, blank = np.zeros((4, 0, 0), np.float32)
    kernels = []
    for layer, units in enumerate(layout.layers):
        kernel, bias = weights[f"{layout.cell(layer)}/kernel"], weights[f"{layout.cell(layer)}/bias"].copy()
        bias[2 * units : 3 * units] += FORGET_BIAS
        kernels.append(np.concatenate([kernel, bias[None]]))
    first = kernels[0]
    if width:
        wrapper, wrapper_bias = weights[f"{layout.wrapper}/kernel"], weights[f"{layout.wrapper}/bias"]
        mixing = wrapper @ first[:size]
        bias = first[-1:] + wrapper_bias[None] @ first[:size]
        inputs, kernels[0] = mixing[:size], np.concatenate([first[size:-1], mixing[size:], bias])
        query, score = weights[f"{layout.wrapper}/attention/kernel"], weights[f"{layout.wrapper}/attention/attn_v"]
        remember = weights[f"{layout.wrapper}/attention/attn_w"][0, 0]
        projection = np.concatenate(
            [
                weights[f"{layout.wrapper}/attn_output_projection/kernel"],
                weights[f"{layout.wrapper}/attn_output_projection/bias"][None],
            ]
        )
        # Keys carry the bias of the query, so that a key plus a query is what Magenta adds up from three parts.
        query_bias = weights[f"{layout.wrapper}/attention/bias"]
        keys = projection @ remember
        keys[-1] += query_bias
        memory = np.concatenate([projection, keys], axis=1)
        blank = np.concatenate([np.zeros(width, np.float32), query_bias])
    else:
        inputs, kernels[0] = first[:size], first[size:]
    output, output_bias = (weights[name] for name in layout.output_names)
    return FoldedWeights(
        layout,
        _gates_in_order(inputs),
        tuple(Product(_gates_in_order(kernel)) for kernel in kernels),
        Product(np.concatenate([output, output_bias[None]])),
        Product(query),
        np.ascontiguousarray(score),
        Product(memory),
        blank,
    )


def _gates_in_order(kernel: np.ndarray) -> np.ndarray:
    i, j, f, o = np.split(kernel, 4, axis=1)
    return np.concatenate([0.5 * i, 0.5 * f, 0.5 * o, j], axis=1)


class _State:
    """States of a batch of sequences, and room to compute their next ones.

    Attributes:
        blocks: per layer [B, ...]: c, then what its kernel is applied to: (below), h, (attention), 1.
        ring: [B, length, 2 * A] window of attention with its keys; attention does not know the order of the rows, so
            the oldest is overwritten.
        oldest: [B] where it is.
    """

    def __init__(self, weights: FoldedWeights, blocks: list[np.ndarray], ring: np.ndarray, oldest: np.ndarray) -> None:
        self.blocks, self.ring, self.oldest = blocks, ring, oldest
        layout, batch = weights.layout, len(oldest)
        units, width = layout.layers, layout.attention_size
        self.c = [block[:, :n] for block, n in zip(blocks, units, strict=True)]
        self.fed = [block[:, n:] for block, n in zip(blocks, units, strict=True)]
        self.h = [fed[:, -1 - n : -1] for fed, n in zip(self.fed, units, strict=True)]
        self.h[0] = self.fed[0][:, : units[0]]
        self.attended = self.fed[0][:, units[0] : -1]
        self.gates = [np.empty((batch, 4 * n), np.float32) for n in units]
        self.room = [np.empty((batch, n), np.float32) for n in units]
        self.top = np.ones((batch, len(weights.outputs.matrix)), np.float32)
        self.outputs = np.empty((batch, layout.output_size), np.float32)
        self.wrapped = blocks[0][:, : 2 * units[0]]
        self.remembered = self.fed[0]
        if layout.attention == OUTER:
            self.wrapped = np.empty((batch, 2 * sum(units)), np.float32)
            self.remembered = np.ones((batch, 2 * width + 1), np.float32)
        self.rows = np.arange(batch)
        self.row = np.empty((batch, 2 * width), np.float32)
        self.query = np.empty((batch, width), np.float32)
        self.compared = np.empty((batch, layout.attention_length, width), np.float32)
        self.window, self.keys = ring[:, :, :width], ring[:, :, width:]

    @classmethod
    def zero(cls, weights: FoldedWeights, batch: int) -> _State:
        """States before anything was fed."""
        layout = weights.layout
        blocks = []
        for units, kernel in zip(layout.layers, weights.kernels, strict=True):
            blocks.append(np.zeros((batch, units + len(kernel.matrix)), np.float32))
            blocks[-1][:, -1] = 1.0
        ring = np.tile(weights.blank, (batch, layout.attention_length, 1))
        return cls(weights, blocks, ring, np.zeros(batch, np.int64))

    def take(self, weights: FoldedWeights, indices: np.ndarray) -> _State:
        """Copies of some of its sequences, in this order."""
        blocks = [block[indices] for block in self.blocks]
        return _State(weights, blocks, self.ring[indices], self.oldest[indices])

    def put(self, indices: np.ndarray, other: _State) -> None:
        """Replace some of its sequences by those of another."""
        for block, theirs in zip(self.blocks, other.blocks, strict=True):
            block[indices] = theirs
        self.ring[indices], self.oldest[indices] = other.ring, other.oldest


class Stack:
    """A recurrent network with the states of a batch of sequences; single precision.

    Args:
        weights: by Magenta's names, as `RnnLayout.shapes` lists them.
        layout: names and sizes.

    Attributes:
        large: see `generation.Steps`.
    """

    def __init__(self, weights: Mapping[str, np.ndarray], layout: RnnLayout) -> None:
        self.layout, self._width = layout, layout.attention_size
        self._weights = fold(weights, layout)
        self.large = sum(kernel.matrix.nbytes for kernel in self._weights.kernels) > _LARGE
        # Scores are at most this; where exp cannot hold that, the highest score is subtracted first.
        self._high_scores = float(np.abs(self._weights.score).sum()) > _SAFE_EXPONENT
        self.reset()

    def reset(self, batch: int = 1) -> None:
        """Zero states for so many sequences."""
        self._state = _State.zero(self._weights, batch)

    def take(self, indices: Sequence[int] | np.ndarray) -> None:
        """Go on with copies of these sequences, in this order: so a batch grows, shrinks and is reordered."""
        self._state = self._state.take(self._weights, np.asarray(indices, np.int64))

    def step(self, inputs: np.ndarray, rows: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
        """Feed one input to each sequence.

        Args:
            inputs: [B, input_size] float32.
            rows: which sequences are fed, where it is not all of them; the others stay as they are.

        Returns:
            [B, output_size] float32; good until the next step.
        """
        if rows is None:
            return self._step(self._state, inputs)
        indices = np.asarray(rows, np.int64)
        part = self._state.take(self._weights, indices)
        outputs = self._step(part, inputs)
        self._state.put(indices, part)
        return outputs

    def state(self, row: int = 0) -> list[np.ndarray]:
        """States of a sequence as vectors in Magenta's order: c0, h0, c1, h1, ...; attention and its window (oldest row
        first) come after the cells that it wraps."""
        state, layout = self._state, self.layout
        states = [vector[row].copy() for pair in zip(state.c, state.h, strict=True) for vector in pair]
        if layout.attention is None:
            return states
        window = np.roll(state.window[row], -int(state.oldest[row]), axis=0).reshape(-1)
        place = 2 if layout.attention == INNER else len(states)
        return [*states[:place], state.attended[row].copy(), window, *states[place:]]

    def _step(self, state: _State, inputs: np.ndarray) -> np.ndarray:
        weights, layout = self._weights, self.layout
        weights.kernels[0].into(state.gates[0], state.fed[0])
        if layout.input_size < _SPARSE_INPUTS:
            state.gates[0] += np.dot(inputs, weights.inputs)
        else:
            used = np.flatnonzero(inputs if len(inputs) == 1 else inputs.any(axis=0))
            state.gates[0] += np.dot(inputs.take(used, axis=1), weights.inputs.take(used, axis=0))
        self._cell(state, 0)
        below = self._attend(state) if layout.attention == INNER else state.h[0]
        for layer in range(1, len(layout.layers)):
            state.fed[layer][:, : below.shape[1]] = below
            weights.kernels[layer].into(state.gates[layer], state.fed[layer])
            self._cell(state, layer)
            below = state.h[layer]
        if layout.attention == OUTER:
            np.concatenate([v for pair in zip(state.c, state.h, strict=True) for v in pair], axis=1, out=state.wrapped)
            state.remembered[:, : below.shape[1]] = below
            below = self._attend(state)
        state.top[:, :-1] = below
        return weights.outputs.into(state.outputs, state.top)

    def _cell(self, state: _State, layer: int) -> None:
        """The LSTM's own part of a step: c and h from the gates' pre-activations."""
        gates, c, room = state.gates[layer], state.c[layer], state.room[layer]
        units = room.shape[1]
        np.tanh(gates, out=gates)
        sigmoids = gates[:, : 3 * units]
        sigmoids *= 0.5
        sigmoids += 0.5
        c *= gates[:, units : 2 * units]
        np.multiply(gates[:, :units], gates[:, 3 * units :], out=room)
        c += room
        np.tanh(c, out=room)
        np.multiply(room, gates[:, 2 * units : 3 * units], out=state.h[layer])

    def _attend(self, state: _State) -> np.ndarray:
        """Attention over the window, which then takes in the projected output; that output [B, A]."""
        weights, width = self._weights, self._width
        weights.query.into(state.query, state.wrapped)
        np.add(state.keys, state.query[:, None], out=state.compared)
        np.tanh(state.compared, out=state.compared)
        scores = np.dot(state.compared, weights.score)
        if self._high_scores:
            scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        attended = np.matmul(scores[:, None], state.window)[:, 0]
        state.attended[...] = attended
        if self.layout.attention == OUTER:
            state.remembered[:, width:-1] = attended
        weights.memory.into(state.row, state.remembered)
        state.ring[state.rows, state.oldest] = state.row
        state.oldest += 1
        state.oldest %= self.layout.attention_length
        return state.row[:, :width]
