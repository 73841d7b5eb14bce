"""GANSynth's maths as the original's graph has it, operation for operation: what ours is measured beside.

The original itself needs Python 3.9 and TensorFlow 2.9. This is the same work, in the same TensorFlow as ours: images
are doubled and then convolved, scales are multiplied by as it runs, all levels' images are made and added, phases are
unwrapped, and the mel matrix is whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.timbres.backend import tensorflow
from engine.timbres.gansynth.checkpoint import GeneratorWeights
from engine.timbres.gansynth.pitches import PITCHES
from engine.timbres.gansynth.spectra.mel import mel_to_linear


class PlainGanSynth:
    """Waves of latents and pitches, by a single graph."""

    def __init__(self, weights: GeneratorWeights, batch: int) -> None:
        self._tf = tf = tensorflow()
        self._weights, self._batch = weights, batch
        self._arrays = {name: tf.constant(array) for name, array in weights.weights.items()}
        self._to_linear = tf.constant(mel_to_linear(weights.bins), tf.float32)
        self._run = tf.function(self._graph, autograph=False).get_concrete_function(
            tf.TensorSpec([batch, weights.latent_size], tf.float32), tf.TensorSpec([batch], tf.int32)
        )

    def notes(self, latents: np.ndarray, pitches: np.ndarray) -> np.ndarray:
        """Waves [batch, 64000]."""
        tf = self._tf
        return self._run(tf.constant(latents, tf.float32), tf.constant(pitches - PITCHES.start, tf.int32)).numpy()

    def _graph(self, latents: Any, labels: Any) -> Any:
        tf, (height, width) = self._tf, self._weights.start
        image = self._norm(tf.concat([latents, tf.one_hot(labels, len(PITCHES))], axis=1))
        image = tf.pad(image[:, None, None], [[0, 0], [height - 1] * 2, [width - 1] * 2, [0, 0]])
        image = self._convolved(self._convolved(image, "block_1/conv0", "VALID"), "block_1/conv1")
        shown = [self._shown(image, 1)]
        for block in range(2, self._weights.blocks + 1):
            image = self._convolved(self._doubled(image, 2), f"block_{block}/conv0")
            image = self._convolved(image, f"block_{block}/conv1")
            shown.append(self._shown(image, block))
        return self._waves(tf.add_n(shown))

    def _norm(self, image: Any) -> Any:
        tf = self._tf
        return image * tf.math.rsqrt(tf.reduce_mean(tf.square(image), axis=-1, keepdims=True) + 1e-8)

    def _scaled(self, image: Any, layer: str, padding: str, gain: float) -> Any:
        tf, kernel = self._tf, self._arrays[f"{layer}/kernel"]
        scale = float(np.sqrt(gain / np.prod(kernel.shape[:-1])))
        return tf.nn.bias_add(tf.nn.conv2d(image, kernel, 1, padding) * scale, self._arrays[f"{layer}/bias"])

    def _convolved(self, image: Any, layer: str, padding: str = "SAME") -> Any:
        return self._norm(self._tf.nn.leaky_relu(self._scaled(image, layer, padding, 2.0), 0.2))

    def _shown(self, image: Any, block: int) -> Any:
        rgb = self._tf.tanh(self._scaled(image, f"block_{block}/to_rgb", "SAME", 1.0))
        return self._doubled(rgb, 1 << (self._weights.blocks - block)) * self._weights.level_share(block)

    def _doubled(self, image: Any, times: int) -> Any:
        tf, (count, height, width, filters) = self._tf, image.shape
        spread = tf.tile(tf.reshape(image, [count, height, 1, width, 1, filters]), [1, 1, times, 1, times, 1])
        return tf.reshape(spread, [count, height * times, width * times, filters])

    def _waves(self, images: Any) -> Any:
        tf, known = self._tf, self._weights.configuration
        magnitude = (images[..., 0] - known.mag_normalizer_b) / known.mag_normalizer_a
        frequency = (images[..., 1] - known.p_normalizer_b) / known.p_normalizer_a
        power = tf.tensordot(tf.exp(magnitude), self._to_linear, 1)
        phase = self._frequency(tf.tensordot(tf.cumsum(frequency * np.pi, axis=1), self._to_linear, 1))
        magnitude, phase = tf.exp(0.5 * tf.math.log(power + 1e-6)), tf.cumsum(phase * np.pi, axis=1)
        stft = tf.complex(magnitude, 0.0) * tf.complex(tf.cos(phase), tf.sin(phase))
        size = 2 * self._weights.bins
        window = tf.signal.inverse_stft_window_fn(size // 4)
        waves = tf.signal.inverse_stft(tf.pad(stft, [[0, 0], [0, 0], [1, 0]]), size, size // 4, size, window)
        return waves[:, -known.audio_length :]

    def _frequency(self, phase: Any) -> Any:
        tf = self._tf
        steps = phase[:, 1:] - phase[:, :-1]
        short = tf.math.floormod(steps + np.pi, 2 * np.pi) - np.pi
        short = tf.where((short == -np.pi) & (steps > 0), np.pi * tf.ones_like(short), short)
        turns = tf.cumsum(tf.where(tf.abs(steps) < np.pi, tf.zeros_like(steps), short - steps), axis=1)
        unwrapped = phase + tf.pad(turns, [[0, 0], [1, 0], [0, 0]])
        return tf.concat([unwrapped[:, :1], unwrapped[:, 1:] - unwrapped[:, :-1]], axis=1) / np.pi
