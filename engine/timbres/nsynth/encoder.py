# pyright: strict
"""The half of NSynth that hears: convolutions over a whole note, then one frame of 16 numbers for every 512 samples.

Nearly all of the time goes into matrix products, four a layer, so everything else is done in passing, on pieces that
stay in a core's cache and in whole rows; the pieces of a layer are shared among threads. A long recording is heard in
parts that overlap by as much as the network hears, which gives the same numbers in little memory.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import local

import numpy as np
from numpy.typing import NDArray

from engine.networks.threads import allowed_threads, one_thread
from engine.progress import tell
from engine.timbres.nsynth.layout import CHANNELS, HOP, TAPS, WaveNetLayout
from engine.timbres.nsynth.mu_law import MIDDLE, mu_law

Array = NDArray[np.float32]

_PART = 128
"""Frames that are heard at once; four seconds are 125."""
_PIECE = 256
"""Samples of a piece."""


@dataclass(frozen=True, slots=True)
class _Layer:
    dilation: int
    kernel: Array
    """[3, width, width]"""
    bias: Array
    residual: Array
    """[width, width]"""
    residual_bias: Array


class _Room(local):
    """What a thread computes in."""

    def __init__(self, width: int) -> None:
        self.hidden = np.empty((_PIECE, width), np.float32)
        self.product = np.empty((_PIECE, width), np.float32)


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
            _Layer(
                layout.encoder_dilation(number - 1),
                weights[f"ae_dilatedconv_{number}/W"][0],
                weights[f"ae_dilatedconv_{number}/biases"],
                weights[f"ae_res_{number}/W"][0, 0],
                weights[f"ae_res_{number}/biases"],
            )
            for number in range(1, layout.encoder_layers + 1)
        ]
        self._bottleneck = weights["ae_bottleneck/W"][0, 0]
        self._bottleneck_bias = weights["ae_bottleneck/biases"]
        self._margin = max(layer.dilation for layer in self._layers)
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
        sums = np.matmul(taps, self._start)
        sums += self._start_bias
        source, target = (np.zeros((length + 2 * margin, width), np.float32) for _ in range(2))
        np.maximum(sums, 0, out=source[margin : margin + length])
        for number, layer in enumerate(self._layers):
            share(lambda begin, at=(layer, sums, source, target): self._piece(*at, begin), range(0, length, _PIECE))
            source, target = target, source
            done(number + 1)
        return sums

    def _piece(self, layer: _Layer, sums: Array, source: Array, target: Array, begin: int) -> None:
        """One layer for some samples: dilated convolution, relu, 1 x 1, added to what there was, and its relu.

        Args:
            layer: with its weights.
            sums: [samples, width] what all layers before have added up; that of this one is added.
            source, target: relu of the sums before and after, with a margin of zeros at either end.
            begin: first sample.
        """
        count = min(_PIECE, len(sums) - begin)
        hidden, product = self._room.hidden[:count], self._room.product[:count]
        place = begin + self._margin
        for tap in range(TAPS):
            at = place + (tap - 1) * layer.dilation
            np.dot(source[at : at + count], layer.kernel[tap], out=product if tap else hidden)
            if tap:
                hidden += product
        hidden += layer.bias
        np.maximum(hidden, 0, out=hidden)
        np.dot(hidden, layer.residual, out=product)
        product += layer.residual_bias
        added = sums[begin : begin + count]
        added += product
        np.maximum(added, 0, out=target[place : place + count])

    def _frames(self, heard: Array) -> Array:
        """The mean of each frame, through the bottleneck, which is linear, so that its order does not matter."""
        blocks = heard.reshape(-1, HOP, self.layout.encoder_width)
        means = np.matmul(np.full((1, HOP), 1 / HOP, np.float32), blocks)[:, 0]
        return means @ self._bottleneck + self._bottleneck_bias


_Share = Callable[[Callable[[int], None], range], None]


@contextmanager
def _several_threads() -> Generator[_Share]:
    """What does something for each of some numbers, on as many threads as are allowed."""
    count = allowed_threads()
    with one_thread(), ThreadPoolExecutor(count, "encoder") as pool:

        def share(work: Callable[[int], None], numbers: range) -> None:
            def some(number: int) -> None:
                for each in numbers[number::count]:
                    work(each)

            for finished in [pool.submit(some, number) for number in range(count)]:
                finished.result()

        yield share
