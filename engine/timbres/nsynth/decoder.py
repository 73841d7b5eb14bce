# pyright: strict
"""The half of NSynth that plays: one sample a step, for a batch of notes, with queues of what each layer was given.

A layer looks at what it was given at times t - 2d, t - d and t. The first two are known d steps ahead, so what they add
is computed for many steps at once, as one large product, and a step by itself reads less than half of the weights. The
rest follows from a step being sixty small products in a row: weights lie in panels (`engine.networks.products`), arrays
and what multiplies them are kept from step to step, and what all layers give to the output is one product at the end.

Source: see the package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.networks.products import in_panels, panel_product, quick_count
from engine.timbres.nsynth.layout import CLASSES, HOP, TAPS, WaveNetLayout
from engine.timbres.nsynth.mu_law import softmax

Array = NDArray[np.float32]

_ROWS = 128
"""Vectors in a product of the past: from so many on, products of matrices are as quick as they get."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer's weights, matrices [K, N] in panels [P, K, N / P].

    The half of the columns that a sigmoid follows is halved, because sigmoid(x) = tanh(x / 2) / 2 + 1/2 makes both
    halves one call of tanh. The factor of 1/2 that is then left out is in `residual` and in `WaveDecoder.skip`.
    """

    dilation: int
    past: Array
    """K and N are 2 * width: from what came 2d and d steps before."""
    present: Array
    """K is width, N 2 * width."""
    residual: Array
    """K and N are width."""
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

    def panels(self, matrix: Array, factor: Array) -> Array:
        """A matrix [K, N] times a factor for each column, or all, in panels."""
        panels = in_panels(matrix)
        factors = in_panels(np.broadcast_to(factor, matrix.shape))
        return np.multiply(panels, factors, out=self.take(*panels.shape))


class WaveDecoder:
    """The decoder with its weights, rearranged for stepping; equal to the original maths.

    Args:
        weights: by the names of `WaveNetLayout.decoder_shapes`; taken out one by one, since they fill much memory.
        layout: of the network.
    """

    def __init__(self, weights: MutableMapping[str, Array], layout: WaveNetLayout) -> None:
        self.layout = layout
        width, half = layout.width, np.array(0.5, np.float32)
        halves = np.repeat(np.array([0.5, 1.0], np.float32), width)
        self.start = np.ascontiguousarray(weights["startconv/W"][0, :, 0])
        self.start_bias = weights["startconv/biases"]
        self.layers: list[_Layer] = []
        sums = layout.skip_width * (layout.layers + 1) * width
        memory = _WeightMemory(sums + layout.layers * (2 * TAPS + 1) * width**2)
        start = in_panels(weights["skip_start/W"][0, 0])
        # Columns first: so high a matrix of few columns is read faster that way where it lies in one panel.
        shape = len(start), (layout.layers + 1) * width, start.shape[2]
        self.skip = memory.take(*shape) if len(start) > 1 else memory.take(1, *shape[:0:-1]).swapaxes(1, 2)
        """Panels of [(layers + 1) * width, skip_width]."""
        self.skip[:, :width] = start
        conditions: list[Array] = []
        biases: list[Array] = []
        skip_bias = weights["skip_start/biases"].copy()
        for number in range(1, layout.layers + 1):
            kernel, residual = weights.pop(f"dilatedconv_{number}/W")[0], weights.pop(f"res_{number}/W")[0, 0]
            self.layers.append(
                _Layer(
                    layout.dilation(number - 1),
                    memory.panels(kernel[: TAPS - 1].reshape(-1, 2 * width), halves),
                    memory.panels(kernel[TAPS - 1], halves),
                    memory.panels(residual, half),
                    weights[f"res_{number}/biases"],
                )
            )
            below = slice(number * width, (number + 1) * width)
            np.multiply(in_panels(weights.pop(f"skip_{number}/W")[0, 0]), half, out=self.skip[:, below])
            skip_bias += weights[f"skip_{number}/biases"]
            conditions.append(weights[f"cond_map_{number}/W"][0, 0] * halves)
            biases.append((weights[f"cond_map_{number}/biases"] + weights[f"dilatedconv_{number}/biases"]) * halves)
        self.skip_bias = skip_bias
        conditions.append(weights["cond_map_out1/W"][0, 0])
        biases.append(weights["cond_map_out1/biases"] + weights["out1/biases"])
        self.condition = np.concatenate(conditions, axis=1)
        """[16, layers * 2 * width + skip_width], with the biases of what it is added to in `condition_bias`."""
        self.condition_bias = np.concatenate(biases)
        self.out = np.ascontiguousarray(in_panels(weights["out1/W"][0, 0]))
        self.logits = np.ascontiguousarray(in_panels(weights["logits/W"][0, 0]))
        """Panels of [skip_width, skip_width] and [skip_width, 256]."""
        self.logits_bias = weights["logits/biases"]


class _Memory:
    """A layer's queues for a batch.

    Args:
        layer: with its weights.
        given: see below.
        room: [enough for block * B, 2 * width] to compute in, which all layers share.

    Attributes:
        given: [2 * d, B, width] what the layer was given at the last 2d steps, that of step t in row t mod 2d.
        block: steps for which the share of the past is computed at once.
        ahead: [block, B, 2 * width] that share, with the conditioning and all biases; of step t in row t mod block.
    """

    def __init__(self, layer: _Layer, given: Array, room: Array) -> None:
        rows, batch, width = given.shape
        self.layer, self.given = layer, given
        self.block = _block(layer.dilation, batch)
        count = self.block * batch
        past = room[: quick_count(count)]
        ahead = np.empty_like(past)
        self._taps = past[:count].reshape(self.block, batch, 2, width)
        self.ahead = ahead[:count].reshape(self.block, batch, 2 * width)
        self._multiply = panel_product(layer.past, ahead, past)
        # Views are made once: making one takes as long as a small product.
        self.rows = [given[row] for row in range(rows)]
        self.shares = [self.ahead[row] for row in range(self.block)]

    def look_ahead(self, time: int, condition: Array) -> None:
        """Compute the share of the past for `block` steps from a time on, a multiple of it.

        Args:
            time: of the first.
            condition: [B, 2 * width], the frame's conditioning with all biases.
        """
        rows = len(self.given)
        older, old = time % rows, (time + rows // 2) % rows
        self._taps[:, :, 0] = self.given[older : older + self.block]
        self._taps[:, :, 1] = self.given[old : old + self.block]
        self._multiply()
        self.ahead += condition


def _block(dilation: int, batch: int) -> int:
    """Steps of a layer for which the past is computed at once, a power of two."""
    return min(dilation, 1 << max(0, (_ROWS // batch).bit_length() - 1), HOP)


class _Bound(NamedTuple):
    """What a step does in a layer: products that are bound to their places, and these.

    Attributes:
        memory: of the layer.
        to_gates, to_next: products with `present` and `residual`.
        out: [B, width] what it gives to the output.
        bias: of what it gives to the next layer.
    """

    memory: _Memory
    to_gates: Callable[[], object]
    to_next: Callable[[], object]
    out: Array
    bias: Array


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
        most = max(_block(layer.dilation, batch) for layer in decoder.layers) * batch
        room = np.zeros((quick_count(most), 2 * width), np.float32)
        self._memories = [_Memory(*each, room) for each in zip(decoder.layers, given, strict=True)]
        # A note alone may have a silent one beside it.
        rows = quick_count(batch)
        here, there, gates = (np.zeros((rows, size), np.float32) for size in (width, width, 2 * width))
        # To the output, all layers side by side.
        outs = np.zeros((rows, layout.layers + 1, width), np.float32)
        self._here, self._there, self._first = here[:batch], there[:batch], outs[:batch, 0]
        self._gates, self._sigmoid, self._tanh = gates[:batch], gates[:batch, :width], gates[:batch, width:]
        self._layers = [
            _Bound(
                memory,
                panel_product(memory.layer.present, gates, here),
                panel_product(memory.layer.residual, there, outs[:, number]),
                outs[:batch, number],
                memory.layer.residual_bias,
            )
            for number, memory in enumerate(self._memories, 1)
        ]
        self._skip, self._hidden = np.zeros((2, rows, skip), np.float32)
        self._logits = np.zeros((rows, CLASSES), np.float32)
        self._to_skip = panel_product(decoder.skip, self._skip, outs.reshape(rows, -1))
        self._to_hidden = panel_product(decoder.out, self._hidden, self._skip)
        self._to_logits = panel_product(decoder.logits, self._logits, self._hidden)
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
                memory.look_ahead(self.time - missed, condition)

    def step(self, inputs: Array) -> Array:
        """Feed a sample to each note.

        Args:
            inputs: [B] values of the samples before, divided by 128; 0 at the beginning.

        Returns:
            [B, 256] probabilities of the next sample's classes; good until the next step.
        """
        decoder, time, here = self.decoder, self.time, self._here
        taps = self._inputs
        taps[:, :-1] = taps[:, 1:]
        taps[:, -1] = inputs
        for number, memory in enumerate(self._memories):
            if time % memory.block == 0:
                memory.look_ahead(time, self._conditions[number])
        np.dot(taps, decoder.start, out=here)
        np.add(here, decoder.start_bias, out=here)
        self._first[...] = here
        there, gates, sigmoid, tanh = self._there, self._gates, self._sigmoid, self._tanh
        add, multiply, tanh_of = np.add, np.multiply, np.tanh
        last = self._layers[-1]
        for bound in self._layers:
            memory, to_gates, to_next, out, bias = bound
            memory.rows[time % len(memory.rows)][...] = here
            to_gates()
            add(gates, memory.shares[time % memory.block], out=gates)
            tanh_of(gates, out=gates)
            add(sigmoid, 1, out=sigmoid)
            multiply(sigmoid, tanh, out=out)
            if bound is not last:
                to_next()
                add(here, there, out=here)
                add(here, bias, out=here)
        self.time = time + 1
        return self._outputs()

    def _outputs(self) -> Array:
        """The probabilities that what the layers gave makes."""
        decoder = self.decoder
        self._to_skip()
        np.add(self._skip, decoder.skip_bias, out=self._skip)
        np.maximum(self._skip, 0, out=self._skip)
        self._to_hidden()
        hidden = self._hidden[: self.batch]
        np.add(hidden, self._condition_out, out=hidden)
        np.maximum(hidden, 0, out=hidden)
        self._to_logits()
        logits = self._logits[: self.batch]
        np.add(logits, decoder.logits_bias, out=logits)
        return softmax(logits)
