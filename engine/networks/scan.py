"""Recurrence over time for training: `jax.lax.scan`'s contract on every Keras backend; LSTM and GRU layers upon it."""

from __future__ import annotations

from typing import Any

import keras

from engine.networks.rnn.layout import FORGET_BIAS

ops: Any = keras.ops  # whose stubs know too little of what it returns

UNROLLED = 64
"""Steps up to which TensorFlow's graph has no loop: two bars of a VAE train 1.4 times as fast so (0.35 s a batch
instead of 0.50); long sequences gain nothing and their graphs take minutes to build."""


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

    if inputs.shape[0] is not None and inputs.shape[0] <= UNROLLED:
        made = []
        for x in tf.unstack(inputs):
            init, y = step(init, x)
            made.append(y)
        return tf.stack(made)
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


def lstm_step(gates, c):
    """One step of an LSTM from its pre-activations [B, 4H] and cell state [B, H]: new (c, h).

    Gates lie in the order input, candidate, forget, output.
    """
    i, j, f, o = ops.split(gates, 4, axis=-1)
    c = c * ops.sigmoid(f + FORGET_BIAS) + ops.sigmoid(i) * ops.tanh(j)
    return c, ops.tanh(c) * ops.sigmoid(o)


def lstm_layer(projected, recurrent, initial=None, valid=None):
    """An LSTM over time.

    Args:
        projected: [T, B, 4H], what the layer's inputs and its bias give to the gates.
        recurrent: [H, 4H], the rows of its kernel that belong to h.
        initial: (c, h) before the first step, [B, H] each; None for zeros.
        valid: [T, B, 1], 1 at steps that count, 0 at those that leave the state as it is; None where all count.

    Returns:
        h after each step, [T, B, H].
    """
    if initial is None:
        zeros = ops.zeros((ops.shape(projected)[1], recurrent.shape[0]))
        initial = zeros, zeros

    def step(carry, x):
        c, h = lstm_step(x + ops.matmul(carry[1], recurrent), carry[0])
        return (c, h), h

    def step_where_valid(carry, x):
        gates, counts = x[:, :-1], x[:, -1:]
        c, h = lstm_step(gates + ops.matmul(carry[1], recurrent), carry[0])
        c, h = (counts * new + (1 - counts) * old for new, old in zip((c, h), carry, strict=True))
        return (c, h), h

    if valid is None:
        return scan(step, initial, projected)
    return scan(step_where_valid, initial, ops.concatenate([projected, valid], axis=-1))


def gru_layer(projected, recurrent, recurrent_bias):
    """A GRU over time, from a state of zeros.

    Args:
        projected: [T, B, 3H], what the layer's inputs and its bias give to the gates: update, reset, new.
        recurrent: [H, 3H], what the state gives to them.
        recurrent_bias: [3H], added to that; the reset gate scales both.

    Returns:
        The state after each step, [T, B, H].
    """
    units = recurrent.shape[0]

    def step(carry, x):
        (h,) = carry
        inner = ops.matmul(h, recurrent) + recurrent_bias
        gates = ops.sigmoid(x[:, : 2 * units] + inner[:, : 2 * units])
        update, reset = gates[:, :units], gates[:, units:]
        h = update * h + (1 - update) * ops.tanh(x[:, 2 * units :] + reset * inner[:, 2 * units :])
        return (h,), h

    return scan(step, (ops.zeros((ops.shape(projected)[1], units)),), projected)
