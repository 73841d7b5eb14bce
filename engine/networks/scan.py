"""A scan over time for training: `jax.lax.scan`'s contract on every Keras backend."""

from __future__ import annotations

from typing import Any

import keras

ops: Any = keras.ops  # whose stubs know too little of what it returns


def scan(step, init, inputs):
    """Fold `step` over the first axis of a tensor.

    Keras's own `ops.scan` wants outputs shaped like the carry under TensorFlow (as of 3.15), which would keep every
    window of attention of every step; hence a `tf.while_loop` there.

    Args:
        step: (carry, x) -> (carry, y); carry a tuple of tensors of fixed shapes.
        init: the first carry.
        inputs: [T, ...], T known or not.

    Returns:
        The outputs y stacked to [T, ...].
    """
    if keras.backend.backend() != "tensorflow":
        return ops.scan(step, init, inputs)[1]
    import tensorflow as tf

    steps = inputs.shape[0] or tf.shape(inputs)[0]
    source = tf.TensorArray(inputs.dtype, size=steps).unstack(inputs)
    outputs = tf.TensorArray(inputs.dtype, size=steps)

    def body(t, carry, outputs):
        carry, y = step(carry, source.read(t))
        return t + 1, carry, outputs.write(t, y)

    _, _, outputs = tf.while_loop(
        lambda t, *_: t < steps, body, (0, init, outputs), maximum_iterations=inputs.shape[0], swap_memory=False
    )
    return outputs.stack()
