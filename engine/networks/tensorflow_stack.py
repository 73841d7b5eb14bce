"""One step of the stack of LSTMs as a TensorFlow 2 function; see `stack.Stack`."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from engine.networks.stack import FoldedWeights


def _lstm(gates, c):
    i, j, f, o = tf.split(gates, 4, axis=-1)
    c = c * tf.sigmoid(f) + tf.sigmoid(i) * tf.tanh(j)
    return c, tf.tanh(c) * tf.sigmoid(o)


class TensorFlowStack:
    """See `Stack`; single precision, without Keras.

    The whole step is one graph, traced once, with the weights as constants.
    """

    def __init__(self, weights: FoldedWeights) -> None:
        self._weights = weights
        self._units = tuple(len(bias) // 4 for bias in weights.biases)
        width = self._units[0]
        shapes = [(1, width)] * 2
        if weights.attention:
            rows = (weights.attention.length, width)
            shapes += [(1, width), rows, rows]
        shapes += [(1, units) for units in self._units[1:] for _ in range(2)]
        self._zeros = [tf.zeros(shape) for shape in shapes]
        specs = [tf.TensorSpec(shape) for shape in shapes]
        inputs = tf.TensorSpec((1, len(weights.input_kernel)))
        self._function = tf.function(self._graph, input_signature=[inputs, specs]).get_concrete_function()
        self.reset()

    def _graph(self, inputs, states):
        weights, attention = self._weights, self._weights.attention
        c, h, *rest = states
        recurrent = tf.concat([rest[0], h], 1) if attention else h
        gates = tf.matmul(inputs, weights.input_kernel) + tf.matmul(recurrent, weights.kernels[0])
        c, h = _lstm(gates + weights.biases[0], c)
        below, new = h, [c, h]
        if attention:
            _, window, keys, *rest = rest
            query = tf.matmul(tf.concat([c, h], 1), attention.query_kernel) + attention.query_bias
            scores = tf.nn.softmax(tf.matmul(tf.tanh(keys + query), attention.score[:, None]), axis=0)
            attended = tf.matmul(scores, window, transpose_a=True)
            below = tf.matmul(tf.concat([h, attended], 1), attention.output_kernel) + attention.output_bias
            window = tf.concat([window[1:], below], 0)
            keys = tf.concat([keys[1:], tf.matmul(below, attention.remember)], 0)
            new += [attended, window, keys]
        for layer in range(1, len(self._units)):
            c, h = rest[2 * layer - 2 : 2 * layer]
            gates = tf.matmul(tf.concat([below, h], 1), weights.kernels[layer]) + weights.biases[layer]
            c, below = _lstm(gates, c)
            new += [c, below]
        return tf.matmul(below, weights.output_kernel) + weights.output_bias, new

    def reset(self) -> None:
        """Back to zero states."""
        self._states = self._zeros

    def step(self, inputs: np.ndarray) -> np.ndarray:
        """Feed one input vector [input_size]; logits [num_classes]."""
        logits, self._states = self._function(tf.constant(inputs[None]), self._states)
        return logits.numpy()[0]

    def state(self) -> list[np.ndarray]:
        """See `Stack.state`."""
        states = [tensor.numpy().reshape(-1) for tensor in self._states]
        return states[:4] + states[5:] if self._weights.attention else states
