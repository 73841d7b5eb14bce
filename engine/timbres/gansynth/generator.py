"""The progressive generator of GANSynth in TensorFlow: a latent vector and a pitch in, a spectrum out.

The maths is the original's, arranged for speed:

- The scale of each layer, which the original multiplies its convolutions by as they run, is in the weights already.
- The first convolution, of a single pixel, is a matrix product.
- A convolution of an image that was doubled in size meets each pixel several times. Of the 3 x 3 pixels under a kernel
  at most 2 x 2 differ, and which weights meet the same pixel depends on where in the doubled pixel one stands. So the
  four sums of weights are made beforehand, and the small image is convolved with all: 4 products instead of 9.
- The last pixel norm, a number for each pixel, is multiplied by the two channels of the image, not by all before it.

Weights are arguments of the traced function, not constants of its graph: the same speed, and no copies of the graph's.

Source: `networks.py` and `layers.py` of Magenta's GANSynth; Karras et al., "Progressive Growing of GANs", ICLR 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from engine.timbres.backend import tensorflow
from engine.timbres.gansynth.checkpoint import GeneratorWeights
from engine.timbres.gansynth.pitches import PITCHES
from engine.timbres.gansynth.spectra.mel import Array

_LEAK = 0.2
_EPSILON = 1e-8
_ON_GPU, _ON_CPU = 8, 1
"""Notes that are made at once: on a processor, more at once are no quicker, and take memory."""


class SpectrumGenerator:
    """A generator that is ready to make spectra.

    Args:
        weights: of the network.
        all_levels: see `levels`.

    Attributes:
        batch: notes that are made at once.
        device: what it runs on, for people.

    Raises:
        PerpetuumError: TensorFlow is not installed.
    """

    def __init__(self, weights: GeneratorWeights, all_levels: bool = False) -> None:
        self._tf = tf = tensorflow()
        # The numbers are in `_arrays`, and take 30 MB.
        self._weights = replace(weights, weights={})
        self._all_levels = all_levels
        gpus = tf.config.list_logical_devices("GPU")
        self.device = gpus[0].name if gpus else "CPU"
        self.batch = _ON_GPU if gpus else _ON_CPU
        self._arrays = {name: tf.constant(array) for name, array in prepared(weights)}
        self._run = tf.function(self._levels, autograph=False).get_concrete_function(
            tf.TensorSpec([self.batch, weights.latent_size], tf.float32),
            tf.TensorSpec([self.batch], tf.int32),
        )

    def spectra(self, latents: Array, pitches: np.ndarray) -> Array:
        """Spectra of notes, as large as the finished network's and normalised as it learnt them (see `denormalised`).

        Args:
            latents: [n, latent_size], float32; n at most `batch`.
            pitches: [n], each one of `PITCHES`.

        Returns:
            Array [n, frames, bins, 2], float32, each number within -1..1.
        """
        count = len(latents)
        made = self.levels(latents, pitches)
        spectra: Array | None = None
        for block, image in made.items():
            share = np.float32(self._weights.level_share(block))
            if share == 0:
                continue
            shown = _enlarged(image[:count], self._weights.configuration.num_resolutions - block)
            if share != 1:
                shown = np.multiply(shown, share, dtype=np.float32)
            spectra = shown if spectra is None else spectra + shown
        assert spectra is not None
        return spectra

    def levels(self, latents: Array, pitches: np.ndarray) -> dict[int, Array]:
        """The image of each level that is heard, or with `all_levels` of all: [n, height, width, 2], from 1 on."""
        count = len(latents)
        padded = np.zeros((self.batch, self._weights.latent_size), np.float32)
        padded[:count] = latents
        labels = np.zeros(self.batch, np.int32)
        labels[:count] = np.asarray(pitches) - PITCHES.start
        made = self._run(self._tf.constant(padded), self._tf.constant(labels))
        return {block: image.numpy()[:count] for block, image in zip(self._heard(), made, strict=True)}

    def _heard(self) -> list[int]:
        blocks = range(1, self._weights.blocks + 1)
        return [block for block in blocks if self._all_levels or self._weights.level_share(block) > 0]

    def _levels(self, latents: Any, labels: Any) -> list[Any]:
        """The graph."""
        tf, arrays, heard = self._tf, self._arrays, self._heard()
        inputs = tf.concat([latents, tf.one_hot(labels, len(PITCHES))], axis=1)
        height, width = self._weights.start
        image = tf.matmul(inputs * self._norm(inputs), arrays["block_1/conv0/kernel"])
        image = tf.reshape(image, [self.batch, height, width, -1])
        image = self._activated(image, "block_1/conv0")
        image *= self._norm(image)
        made, padding = [], "SAME"
        for block in range(1, heard[-1] + 1):
            if block > 1:
                image = self._doubled(image, f"block_{block}/conv0")
                padding = "VALID"
            image = tf.nn.conv2d(image, arrays[f"block_{block}/conv1/kernel"], 1, padding)
            image = self._activated(image, f"block_{block}/conv1")
            norm = self._norm(image)
            if block in heard:
                shown = norm * tf.nn.conv2d(image, arrays[f"block_{block}/to_rgb/kernel"], 1, "SAME")
                made.append(tf.tanh(tf.nn.bias_add(shown, arrays[f"block_{block}/to_rgb/bias"])))
            if block < heard[-1]:
                image *= norm
        return made

    def _activated(self, image: Any, layer: str) -> Any:
        tf = self._tf
        return tf.nn.leaky_relu(tf.nn.bias_add(image, self._arrays[f"{layer}/bias"]), _LEAK)

    def _norm(self, image: Any) -> Any:
        """What each pixel is multiplied by so that the mean square of its filters is one."""
        tf, filters = self._tf, int(image.shape[-1])
        # One operation, which squares as it sums; squares of their own would be as large as the image.
        length = tf.math.reduce_euclidean_norm(image, axis=-1, keepdims=True)
        return tf.math.rsqrt(tf.square(length) * (1.0 / filters) + _EPSILON)

    def _doubled(self, image: Any, layer: str) -> Any:
        """The convolution of a doubled image, activated, normalised, and amid the zeros that the next one needs."""
        tf = self._tf
        image = tf.nn.conv2d(image, self._arrays[f"{layer}/kernel"], 1, [[0, 0], [1, 1], [1, 1], [0, 0]])
        _, height, width, filters = image.shape
        image = tf.reshape(self._activated(image, layer), [self.batch, height, width, 4, filters // 4])
        image = tf.reshape(image * (self._norm(image) * _inside(height, width)), [self.batch, height, width, filters])
        return tf.nn.depth_to_space(image, 2)


def denormalised(spectra: Array, weights: GeneratorWeights) -> Array:
    """Spectra as `Spectrogram` takes them. They may be louder, and turn faster, than any of training."""
    known = weights.configuration
    scale = np.array([known.mag_normalizer_a, known.p_normalizer_a], np.float32)
    shift = np.array([known.mag_normalizer_b, known.p_normalizer_b], np.float32)
    return (spectra - shift) / scale


def prepared(weights: GeneratorWeights) -> Iterator[tuple[str, Array]]:
    """Weights as the graph takes them, by their names; see the module."""
    for name, numbers in weights.weights.items():
        block, layer, weight = name.split("/")
        if weight == "bias":
            yield name, np.tile(numbers, 4) if layer == "conv0" and block != "block_1" else numbers
            continue
        fan_in = int(np.prod(numbers.shape[:-1]))
        scaled = numbers * np.float32(np.sqrt((1.0 if layer == "to_rgb" else 2.0) / fan_in))
        if layer == "conv0":
            scaled = _of_a_pixel(scaled) if block == "block_1" else _of_doubled(scaled)
        yield name, scaled


def _inside(height: int, width: int) -> Array:
    """1 for what lies within the doubled image, 0 beyond its edges: [height, width, 4, 1]; see `_of_doubled`."""
    inside = np.ones((height, 2, width, 2), np.float32)
    inside[0, 0] = inside[-1, 1] = inside[:, :, 0, 0] = inside[:, :, -1, 1] = 0.0
    return inside.transpose(0, 2, 1, 3).reshape(height, width, 4, 1)


def _of_a_pixel(kernel: Array) -> Array:
    """The matrix [in, height * width * out] of a convolution of one pixel amid zeros, whose image is as large as the
    kernel: it comes out turned round."""
    turned = kernel[::-1, ::-1].transpose(2, 0, 1, 3)
    return np.ascontiguousarray(turned).reshape(kernel.shape[2], -1)


def _of_doubled(kernel: Array) -> Array:
    """The kernel [2, 2, in, 4 * out], for an image, of a 3 x 3 convolution of the doubled image.

    Position p of the result sees pixels p - 1 and p of the image, and belongs to pixels 2p - 1 and 2p of the doubled
    result, in either direction, less what lies beyond its edges.
    """
    inputs, filters = kernel.shape[2:]
    made = np.empty((2, 2, inputs, 2, 2, filters), np.float32)
    for of_row, row in enumerate(_met(kernel)):
        for seen_row, weights in enumerate(row):
            for of_column, column in enumerate(_met(weights)):
                for seen_column, met in enumerate(column):
                    made[seen_row, seen_column, :, of_row, of_column] = met
    return made.reshape(2, 2, inputs, -1)


def _met(weights: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Which of three weights meet pixels p - 1 and p: for pixel 2p - 1 of the doubled image, and for pixel 2p."""
    return (weights[0] + weights[1], weights[2]), (weights[0], weights[1] + weights[2])


def _enlarged(image: Array, doublings: int) -> Array:
    times = 1 << doublings
    return image if times == 1 else image.repeat(times, axis=1).repeat(times, axis=2)
