# pyright: strict
"""The half of NSynth that hears: convolutions over a whole note, then one frame of 16 numbers for every 512 samples.

Nearly all of the time goes into matrix products. A convolution of three taps at two places takes six of them; four do
if sums and differences of what is heard are multiplied by sums of the taps. Everything else is done in passing, on
pieces that stay in a core's cache; the pieces of a layer are shared among threads. A long recording is heard in parts
that overlap by as much as the network hears, which gives the same numbers in little memory.

Source: S. Winograd, "Arithmetic complexity of computations" (1980), the algorithm F(2, 3).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import local
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.networks.products import in_panels, panel_product
from engine.networks.threads import allowed_threads, one_thread
from engine.progress import tell
from engine.timbres.nsynth.layout import CHANNELS, HOP, TAPS, WaveNetLayout
from engine.timbres.nsynth.mu_law import MIDDLE, mu_law

Array = NDArray[np.float32]

_PART = 128
"""Frames that are heard at once; four seconds are 125."""
_PLACES = 256
"""Pairs of samples of a piece, a power of two."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer's weights, matrices [width, width] in panels."""

    number: int
    dilation: int
    kernel: list[Array]
    """Four sums of the three taps."""
    bias: Array
    residual: Array
    residual_bias: Array


def _layer(number: int, dilation: int, weights: Mapping[str, Array]) -> _Layer:
    first, middle, last = weights[f"ae_dilatedconv_{number}/W"][0].astype(np.float64)
    sums = (first, (first + middle + last) / 2, (first - middle + last) / 2, last)
    return _Layer(
        number,
        dilation,
        [np.ascontiguousarray(in_panels(each), np.float32) for each in sums],
        weights[f"ae_dilatedconv_{number}/biases"],
        np.ascontiguousarray(in_panels(weights[f"ae_res_{number}/W"][0, 0])),
        weights[f"ae_res_{number}/biases"],
    )


class _Room(local):
    """What a thread computes in.

    Attributes:
        passing: [2, places, width] one after the other: what is multiplied, and what comes of it.
        hidden: [2, places, width] what the convolution gives at the first and the second of each pair.
        zeros: as many; numpy goes through arrays of one shape in half the time.
    """

    def __init__(self, width: int) -> None:
        self.passing, self.hidden, self.zeros = np.zeros((3, 2, _PLACES, width), np.float32)
        self._bound: dict[int, _Bound] = {}

    def bound(self, layer: _Layer) -> _Bound:
        """A layer's products, in this room."""
        if layer.number not in self._bound:
            given, made = self.passing
            outs = (*self.hidden, made, made)
            flat = (-1, self.hidden.shape[2])
            self._bound[layer.number] = _Bound(
                [panel_product(panels, out, given) for panels, out in zip(layer.kernel, outs, strict=True)],
                panel_product(layer.residual, self.passing.reshape(flat), self.hidden.reshape(flat)),
                np.tile(layer.bias, (_PLACES, 1)),
                np.tile(layer.residual_bias, (2 * _PLACES, 1)).reshape(self.hidden.shape),
            )
        return self._bound[layer.number]


class _Bound(NamedTuple):
    """A layer's products in a thread's room, and its biases, once for each row."""

    convolve: list[Callable[[], object]]
    residual: Callable[[], object]
    bias: Array
    residual_bias: Array


class WaveEncoder:
    """The encoder with its weights.

    Args:
        weights: by the names of `WaveNetLayout.encoder_shapes`.
        layout: of the network.
    """

    def __init__(self, weights: Mapping[str, Array], layout: WaveNetLayout) -> None:
        self.layout = layout
        self._start = np.ascontiguousarray(weights["ae_startconv/W"][0, :, 0])
        self._start_bias = weights["ae_startconv/biases"]
        self._layers = [
            _layer(number, layout.encoder_dilation(number - 1), weights)
            for number in range(1, layout.encoder_layers + 1)
        ]
        self._bottleneck = weights["ae_bottleneck/W"][0, 0]
        self._bottleneck_bias = weights["ae_bottleneck/biases"]
        self._margin = 2 * max(layer.dilation for layer in self._layers)
        self._room = _Room(layout.encoder_width)

    def encode(self, wave: Array) -> Array:
        """The encoding [frames, 16] of a wave [samples] at 16 kHz; of a last frame that is not whole nothing is heard,
        as in the original. Tells how far it is (`engine.progress`).

        Raises:
            ValueError: the wave is shorter than a frame, or has samples that are no numbers.
        """
        frames = len(wave) // HOP
        if frames == 0:
            raise ValueError(f"{len(wave)} samples are less than a frame of {HOP}")
        if not np.isfinite(wave).all():
            raise ValueError("it has samples that are not numbers")
        inputs = mu_law(wave[: frames * HOP]).astype(np.float32) / np.float32(MIDDLE)
        encoding = np.empty((frames, CHANNELS), np.float32)
        reach = self.layout.reach
        with _several_threads() as share:
            for first in range(0, frames, _PART):
                last = min(first + _PART, frames)
                begin, end = max(0, first * HOP - reach), min(len(inputs), last * HOP + reach)

                def done(layer: int, first: int = first, last: int = last) -> None:
                    tell((first + (last - first) * layer / len(self._layers)) / frames)

                heard = self._hear(inputs[begin:end], share, done)
                encoding[first:last] = self._frames(heard[first * HOP - begin :][: (last - first) * HOP])
        return encoding

    def _hear(self, inputs: Array, share: _Share, done: Callable[[int], None]) -> Array:
        """What the last layer gives, [samples, width]. Beyond either end there are zeros, in every layer."""
        length, margin, width = len(inputs), self._margin, self.layout.encoder_width
        taps = np.lib.stride_tricks.sliding_window_view(np.pad(inputs, 1), TAPS)
        # Whole groups of pairs; what comes beyond the end is thrown away, layer by layer.
        whole = length + -length % max(margin, 2 * _PLACES)
        sums, source, target = (np.zeros((margin + whole + margin, width), np.float32) for _ in range(3))
        inside = slice(margin, margin + length)
        np.matmul(taps, self._start, out=sums[inside])
        sums[inside] += self._start_bias
        np.maximum(sums[inside], 0, out=source[inside])
        for layer in self._layers:
            share(lambda begin, at=(layer, sums, source, target): self._piece(*at, begin), _begins(layer, length))
            target[margin + length :] = 0
            source, target = target, source
            done(layer.number)
        return sums[inside]

    def _piece(self, layer: _Layer, sums: Array, source: Array, target: Array, begin: int) -> None:
        """One layer for some samples: dilated convolution, relu, 1 x 1, added to what there was, and its relu.

        Args:
            layer: with its weights.
            sums: [samples, width] what all layers before have added up; that of this one is added.
            source, target: relu of the sums before and after. All have a margin at either end, theirs is of zeros.
            begin: first sample; see `_begins`.
        """
        dilation, place, room = layer.dilation, begin + self._margin, self._room
        before, first, second, after = (_places(source, place + tap * dilation, dilation) for tap in range(-1, 3))
        bound, hidden, zeros = room.bound(layer), room.hidden, room.zeros
        shape = first.shape
        given, made = room.passing
        given_here = given.reshape(shape)
        products = iter(bound.convolve)
        np.subtract(before, second, out=given_here)
        next(products)()
        np.add(first, second, out=given_here)
        next(products)()
        hidden[1] += bound.bias
        hidden[0] += hidden[1]
        np.subtract(second, first, out=given_here)
        next(products)()
        hidden[0] += made
        hidden[1] -= made
        np.subtract(first, after, out=given_here)
        next(products)()
        hidden[1] -= made
        np.maximum(hidden, zeros, out=hidden)
        bound.residual()
        passing = room.passing
        passing += bound.residual_bias
        for half, product in enumerate(passing):
            added = _places(sums, place + half * dilation, dilation)
            added += product.reshape(shape)
            np.maximum(added, zeros[0].reshape(shape), out=_places(target, place + half * dilation, dilation))

    def _frames(self, heard: Array) -> Array:
        """The mean of each frame, through the bottleneck, which is linear, so that its order does not matter."""
        blocks = heard.reshape(-1, HOP, self.layout.encoder_width)
        means = np.matmul(np.full((1, HOP), 1 / HOP, np.float32), blocks)[:, 0]
        return means @ self._bottleneck + self._bottleneck_bias


def _begins(layer: _Layer, length: int) -> list[int]:
    """Where the pieces of a layer begin: each has pairs of samples that lie its dilation apart."""
    dilation = layer.dilation
    if dilation < _PLACES:
        return list(range(0, length, 2 * _PLACES))
    groups = range(0, length, 2 * dilation)
    return [begin for group in groups for begin in range(group, min(group + dilation, length), _PLACES)]


def _places(samples: Array, begin: int, dilation: int) -> Array:
    """A view [groups, places, width] of one sample of each pair of a piece; a group has as many pairs as the dilation,
    or is a part of such a group."""
    if dilation >= _PLACES:
        return samples[None, begin : begin + _PLACES]
    return samples[begin : begin + 2 * _PLACES].reshape(-1, 2 * dilation, samples.shape[1])[:, :dilation]


_Share = Callable[[Callable[[int], None], Sequence[int]], None]


@contextmanager
def _several_threads() -> Generator[_Share]:
    """What does something for each of some numbers, on as many threads as are allowed."""
    count = allowed_threads()
    with one_thread(), ThreadPoolExecutor(count, "encoder") as pool:

        def share(work: Callable[[int], None], numbers: Sequence[int]) -> None:
            def some(number: int) -> None:
                for each in numbers[number::count]:
                    work(each)

            for finished in [pool.submit(some, number) for number in range(count)]:
                finished.result()

        yield share
