# pyright: strict
"""The half of NSynth that plays: one sample a step, for a batch of notes, with queues of what each layer was given.

A layer looks at what it was given at times t - 2d, t - d and t. The first two are known d steps ahead, so what they add
is computed for many steps at once, as one large product, and a step by itself reads less than half of the weights. The
rest follows from a step being sixty small products in a row: arrays are kept from step to step, what a layer was given
lies where its queue wants it, and what all layers give to the output is one product at the end.

Source: see the package.
"""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.timbres.nsynth.layout import CLASSES, HOP, TAPS, WaveNetLayout
from engine.timbres.nsynth.mu_law import softmax

Array = NDArray[np.float32]

_ROWS = 128
"""Vectors in a product of the past: from so many on, products of matrices are as quick as they get."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer's weights.

    The half of the columns that a sigmoid follows is halved, because sigmoid(x) = tanh(x / 2) / 2 + 1/2 makes both
    halves one call of tanh. The factor of 1/2 that is then left out is in `residual` and in `WaveDecoder.skip`.
    """

    dilation: int
    past: Array
    """[2 * width, 2 * width], from what came 2d and d steps before."""
    present: Array
    """[width, 2 * width]"""
    residual: Array
    """[width, width]"""
    residual_bias: Array


class _WeightMemory:
    """Memory for weights in one piece, which numpy asks the system to map in large pages: reading all of it once a step
    then takes an eighth less time.

    Args:
        size: numbers that will be put there.
    """

    def __init__(self, size: int) -> None:
        self._free = np.empty(size, np.float32)

    def take(self, *shape: int) -> Array:
        """An array in it, in which anything may be."""
        size = math.prod(shape)
        taken, self._free = self._free[:size], self._free[size:]
        return taken.reshape(shape)

    def multiplied(self, array: Array, factor: Array | np.float32) -> Array:
        """An array times something, in it."""
        return np.multiply(array, factor, out=self.take(*array.shape))


class WaveDecoder:
    """The decoder with its weights, rearranged for stepping; equal to the original maths.

    Args:
        weights: by the names of `WaveNetLayout.decoder_shapes`; taken out one by one, since they fill much memory.
        layout: of the network.
    """

    def __init__(self, weights: MutableMapping[str, Array], layout: WaveNetLayout) -> None:
        self.layout = layout
        width, half = layout.width, np.float32(0.5)
        halves = np.repeat(np.array([0.5, 1.0], np.float32), width)
        self.start = np.ascontiguousarray(weights["startconv/W"][0, :, 0])
        self.start_bias = weights["startconv/biases"]
        self.layers: list[_Layer] = []
        sums = layout.skip_width * (layout.layers + 1) * width
        memory = _WeightMemory(sums + layout.layers * (2 * TAPS + 1) * width**2)
        skip = memory.take(layout.skip_width, layout.layers + 1, width)
        skip[:, 0] = weights["skip_start/W"][0, 0].T
        conditions: list[Array] = []
        biases: list[Array] = []
        skip_bias = weights["skip_start/biases"].copy()
        for number in range(1, layout.layers + 1):
            kernel, residual = weights.pop(f"dilatedconv_{number}/W")[0], weights.pop(f"res_{number}/W")[0, 0]
            self.layers.append(
                _Layer(
                    layout.dilation(number - 1),
                    memory.multiplied(kernel[: TAPS - 1].reshape(-1, 2 * width), halves),
                    memory.multiplied(kernel[TAPS - 1], halves),
                    memory.multiplied(residual, half),
                    weights[f"res_{number}/biases"],
                )
            )
            np.multiply(weights.pop(f"skip_{number}/W")[0, 0].T, half, out=skip[:, number])
            skip_bias += weights[f"skip_{number}/biases"]
            conditions.append(weights[f"cond_map_{number}/W"][0, 0] * halves)
            biases.append((weights[f"cond_map_{number}/biases"] + weights[f"dilatedconv_{number}/biases"]) * halves)
        self.skip = skip.reshape(layout.skip_width, -1).T
        """[(layers + 1) * width, skip_width], columns first: so high a matrix is read faster that way."""
        self.skip_bias = skip_bias
        conditions.append(weights["cond_map_out1/W"][0, 0])
        biases.append(weights["cond_map_out1/biases"] + weights["out1/biases"])
        self.condition = np.concatenate(conditions, axis=1)
        """[16, layers * 2 * width + skip_width], with the biases of what it is added to in `condition_bias`."""
        self.condition_bias = np.concatenate(biases)
        self.out = weights["out1/W"][0, 0]
        self.logits = weights["logits/W"][0, 0]
        self.logits_bias = weights["logits/biases"]


class _Memory:
    """A layer's queues for a batch.

    Attributes:
        given: [2 * d, B, width] what the layer was given at the last 2d steps, that of step t in row t mod 2d.
        block: steps for which the share of the past is computed at once.
        ahead: [block, B, 2 * width] that share, with the conditioning and all biases; of step t in row t mod block.
    """

    def __init__(self, layer: _Layer, given: Array) -> None:
        rows, batch, width = given.shape
        self.layer, self.given = layer, given
        self.block = min(layer.dilation, max(1, _below(_ROWS // batch)), HOP)
        self.ahead = np.empty((self.block, batch, 2 * width), np.float32)
        # Views are made once: making one takes as long as a small product.
        self.rows = [given[row] for row in range(rows)]
        self.shares = [self.ahead[row] for row in range(self.block)]

    def look_ahead(self, time: int, condition: Array, room: Array) -> None:
        """Compute the share of the past for `block` steps from a time on, a multiple of it.

        Args:
            time: of the first.
            condition: [B, 2 * width], the frame's conditioning with all biases.
            room: [>= block, B, 2, width] to compute in.
        """
        rows, batch, width = self.given.shape
        older, old = time % rows, (time + rows // 2) % rows
        past = room[: self.block]
        past[:, :, 0] = self.given[older : older + self.block]
        past[:, :, 1] = self.given[old : old + self.block]
        flat = (self.block * batch, 2 * width)
        np.dot(past.reshape(flat), self.layer.past, out=self.ahead.reshape(flat))
        self.ahead += condition


def _below(number: int) -> int:
    """The greatest power of two that is not above a number."""
    return 1 << max(0, number.bit_length() - 1)


class WaveSteps:
    """Steps of a batch of notes through a decoder.

    Args:
        decoder: with its weights.
        batch: how many notes.

    Attributes:
        time: steps that were made.
    """

    def __init__(self, decoder: WaveDecoder, batch: int) -> None:
        layout = decoder.layout
        given = [np.zeros((2 * layer.dilation, batch, layout.width), np.float32) for layer in decoder.layers]
        self._begin(decoder, 0, np.zeros((batch, TAPS), np.float32), given)

    def _begin(self, decoder: WaveDecoder, time: int, inputs: Array, given: list[Array]) -> None:
        layout = decoder.layout
        batch, width, skip = len(inputs), layout.width, layout.skip_width
        self.decoder, self.time, self._inputs = decoder, time, inputs
        self._memories = [_Memory(layer, rows) for layer, rows in zip(decoder.layers, given, strict=True)]
        self._room = np.empty((max(memory.block for memory in self._memories), batch, 2, width), np.float32)
        self._gates = np.empty((batch, 2 * width), np.float32)
        self._sigmoid, self._tanh = self._gates[:, :width], self._gates[:, width:]
        # To the output, [layers + 1, batch, width]: a product wants each layer's rows in one piece.
        self._given_out = np.empty((layout.layers + 1, batch, width), np.float32)
        self._outs = list(self._given_out)
        self._side_by_side = np.empty((batch, (layout.layers + 1) * width), np.float32)
        self._skip, self._hidden = np.empty((2, batch, skip), np.float32)
        self._logits = np.empty((batch, CLASSES), np.float32)
        self._conditions: list[Array] = []
        self._condition_out = np.zeros((batch, skip), np.float32)

    @property
    def batch(self) -> int:
        """How many notes there are."""
        return len(self._inputs)

    def take(self, notes: list[int]) -> WaveSteps:
        """A player that goes on with copies of some of the notes; it has to be told of their frame."""
        player = WaveSteps.__new__(WaveSteps)
        given = [np.ascontiguousarray(memory.given[:, notes]) for memory in self._memories]
        player._begin(self.decoder, self.time, self._inputs[notes], given)
        return player

    def state(self) -> list[Array]:
        """What it remembers between two steps: the last inputs, and the queues; the arrays themselves."""
        return [self._inputs, *(memory.given for memory in self._memories)]

    @classmethod
    def resumed(cls, decoder: WaveDecoder, time: int, state: list[Array]) -> WaveSteps:
        """A player that goes on where another one was when its `state` was taken."""
        player = cls.__new__(cls)
        player._begin(decoder, time, state[0], state[1:])
        return player

    def queues(self, layer: int) -> tuple[Array, Array]:
        """The original's two queues of a layer, [d, B, width], oldest first: what it was given at the last d steps, and
        at the d before; layer -1 is the convolution that everything begins with, [1, B, 1]."""
        if layer < 0:
            return self._inputs[None, :, 2:].copy(), self._inputs[None, :, 1:2].copy()
        given = self._memories[layer].given
        ordered = np.roll(given, -(self.time % len(given)), axis=0)
        return ordered[len(given) // 2 :], ordered[: len(given) // 2]

    def condition(self, frame: Array) -> None:
        """Take a frame of the encodings, [B, 16], for the steps from now on: where a frame begins, and where it goes on
        after it was `resumed`."""
        decoder = self.decoder
        every = np.dot(np.ascontiguousarray(frame, np.float32), decoder.condition) + decoder.condition_bias
        size = 2 * decoder.layout.width
        self._conditions = [
            np.ascontiguousarray(every[:, layer * size : (layer + 1) * size]) for layer in range(decoder.layout.layers)
        ]
        self._condition_out = np.ascontiguousarray(every[:, decoder.layout.layers * size :])
        for memory, condition in zip(self._memories, self._conditions, strict=True):
            if missed := self.time % memory.block:
                # What the steps before took out of the queues is gone, but only they needed it.
                memory.look_ahead(self.time - missed, condition, self._room)

    def step(self, inputs: Array) -> Array:
        """Feed a sample to each note.

        Args:
            inputs: [B] values of the samples before, divided by 128; 0 at the beginning.

        Returns:
            [B, 256] probabilities of the next sample's classes; good until the next step.
        """
        decoder, time, outs = self.decoder, self.time, self._outs
        gates, sigmoid, tanh = self._gates, self._sigmoid, self._tanh
        dot, add, multiply, tanh_of = np.dot, np.add, np.multiply, np.tanh
        taps = self._inputs
        taps[:, :-1] = taps[:, 1:]
        taps[:, -1] = inputs
        memories = self._memories
        for number, memory in enumerate(memories):
            if time % memory.block == 0:
                memory.look_ahead(time, self._conditions[number], self._room)
        given = memories[0].rows[time % len(memories[0].rows)]
        dot(taps, decoder.start, out=given)
        add(given, decoder.start_bias, out=given)
        outs[0][...] = given
        last = len(memories) - 1
        for number, memory in enumerate(memories):
            layer = memory.layer
            dot(given, layer.present, out=gates)
            add(gates, memory.shares[time % memory.block], out=gates)
            tanh_of(gates, out=gates)
            add(sigmoid, 1, out=sigmoid)
            out = outs[number + 1]
            multiply(sigmoid, tanh, out=out)
            if number == last:
                break
            following = memories[number + 1]
            below, given = given, following.rows[time % len(following.rows)]
            dot(out, layer.residual, out=given)
            add(given, below, out=given)
            add(given, layer.residual_bias, out=given)
        self.time = time + 1
        return self._outputs()

    def _outputs(self) -> Array:
        """The probabilities that what the layers gave makes."""
        decoder, batch = self.decoder, self.batch
        if batch == 1:
            flat = self._given_out.reshape(1, -1)
        else:
            flat = self._side_by_side
            flat.reshape(batch, len(self._outs), -1)[...] = self._given_out.transpose(1, 0, 2)
        np.dot(flat, decoder.skip, out=self._skip)
        np.add(self._skip, decoder.skip_bias, out=self._skip)
        np.maximum(self._skip, 0, out=self._skip)
        np.dot(self._skip, decoder.out, out=self._hidden)
        np.add(self._hidden, self._condition_out, out=self._hidden)
        np.maximum(self._hidden, 0, out=self._hidden)
        np.dot(self._hidden, decoder.logits, out=self._logits)
        np.add(self._logits, decoder.logits_bias, out=self._logits)
        return softmax(self._logits)
