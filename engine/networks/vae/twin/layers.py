"""What TensorFlow computes of a MusicVAE, as functions of tensors: weights are told at each call, so that whoever lets
go of them frees the card at once, whatever graphs are still about.

Sources: as `decoder.py` and `encoder.py`, whose numbers these are.
"""

from __future__ import annotations

from typing import Any


def lstm(tf: Any, gates: Any, c: Any) -> tuple[Any, Any]:
    """New (c, h), each [B, H], from gates [B, 4H] (forget bias included) and c; see `LstmState.step`."""
    i, j, f, o = tf.split(gates, 4, axis=1)
    c = c * tf.sigmoid(f) + tf.sigmoid(i) * tf.tanh(j)
    return c, tf.tanh(c) * tf.sigmoid(o)


def along(tf: Any, projected: Any, recurrent: Any, c: Any, h: Any, valid: Any | None = None) -> tuple[Any, Any]:
    """Outputs [T, B, H] of a layer along a sequence that is known, and the last h [B, H].

    Args:
        tf: the module.
        projected: what inputs and bias give to the gates, [T, B, 4H].
        recurrent: [H, 4H].
        c, h: initial states, [B, H].
        valid: [T, B, 1], 1 at steps that count, 0 at those that leave the states as they are; None where all count.
    """
    steps = tf.shape(projected)[0]

    def step(t: Any, c: Any, h: Any, outputs: Any) -> tuple[Any, ...]:
        new_c, new_h = lstm(tf, projected[t] + tf.matmul(h, recurrent), c)
        if valid is not None:
            counts = valid[t]
            new_c, new_h = counts * new_c + (1.0 - counts) * c, counts * new_h + (1.0 - counts) * h
        return t + 1, new_c, new_h, outputs.write(t, new_h)

    kept = tf.TensorArray(tf.float32, size=steps)
    _, _, last, kept = tf.while_loop(lambda t, *_: t < steps, step, (0, c, h, kept))
    return kept.stack(), last


def initial_states(tf: Any, embeddings: Any, dense: Any, units: list[int]) -> list[Any]:
    """States [c0, h0, c1, h1, ...], each [B, H], that an embedding [B, E] begins with."""
    return tf.split(
        tf.tanh(tf.matmul(embeddings, dense[0]) + dense[1]), [one for one in units for _ in range(2)], axis=1
    )


def decode(tf: Any, weights: dict[str, Any], embeddings: Any, noise: Any, told: Any, first: Any) -> tuple[Any, ...]:
    """Choices [T, B] of classes, the outputs [T, B, N] that they were made from, and whether all numbers are numbers.

    Args:
        tf: the module.
        weights: see `DecoderTwin`.
        embeddings: [B, E].
        noise: that is added to outputs before the largest is chosen, [T, B, N] or [T, 1, N].
        told: controls [T, B, C]; C is 0 where there are none.
        first: choices [B] before the first step, -1 for none.
    """
    cells, output = weights["cells"], weights["output"]
    states = initial_states(tf, embeddings, weights["state"], [cell[1].shape[0] for cell in cells])
    constant = tf.matmul(embeddings, weights["from_embedding"]) + cells[0][2]
    steps, from_previous = tf.shape(noise)[0], weights["from_previous"]

    def step(t: Any, previous: Any, states: tuple[Any, ...], choices: Any, outputs: Any) -> tuple[Any, ...]:
        known = tf.cast(previous >= 0, tf.float32)[:, None]
        below = constant + tf.gather(from_previous, tf.maximum(previous, 0)) * known
        if told.shape[2]:
            below += tf.matmul(told[t], weights["from_controls"])
        new: list[Any] = []
        for layer, (inputs, recurrent, bias) in enumerate(cells):
            if layer:
                below = tf.matmul(new[-1], inputs) + bias
            new += lstm(tf, below + tf.matmul(states[2 * layer + 1], recurrent), states[2 * layer])
        made = tf.matmul(new[-1], output[0]) + output[1]
        previous = tf.argmax(made + noise[t], axis=1, output_type=tf.int32)
        return t + 1, previous, tuple(new), choices.write(t, previous), outputs.write(t, made)

    rooms = tf.TensorArray(tf.int32, size=steps), tf.TensorArray(tf.float32, size=steps)
    _, _, last, choices, outputs = tf.while_loop(lambda t, *_: t < steps, step, (0, first, tuple(states), *rooms))
    # What is no number in a state stays so to the end.
    sound = tf.reduce_all([tf.reduce_all(tf.math.is_finite(state)) for state in last])
    return choices.stack(), outputs.stack(), sound


def conduct(tf: Any, weights: dict[str, Any], z: Any, bars: int) -> Any:
    """Embeddings [bars, B, E] of z [B, Z]; see `ConductorRnn`."""
    cells = weights["cells"]
    states = initial_states(tf, z, weights["state"], [cell[1].shape[0] for cell in cells])
    below = None
    for layer, (inputs, recurrent, bias) in enumerate(cells):
        projected = tf.zeros((bars, tf.shape(z)[0], bias.shape[0])) + bias
        if below is not None:
            projected += tf.tensordot(below, inputs, 1)
        below, _ = along(tf, projected, recurrent, states[2 * layer], states[2 * layer + 1])
    return below


def encode(tf: Any, weights: dict[str, Any], inputs: Any, valid: Any) -> tuple[Any, Any]:
    """Mean and standard deviation of z, each [B, Z], of inputs [T, B, D] that count where `valid` [T, B, 1] is 1."""
    below, heard = inputs, []
    rows = tf.shape(inputs)[1]
    for both in weights["layers"]:
        made: list[Any] = []
        heard = []
        for backwards, (kernel, recurrent, bias) in enumerate(both):
            # Backwards a sequence begins with what lies after its end, which leaves its states as they are: zero.
            order = (lambda values: tf.reverse(values, [0])) if backwards else (lambda values: values)
            zeros = tf.zeros((rows, recurrent.shape[0]))
            projected = tf.tensordot(order(below), kernel, 1) + bias
            outputs, last = along(tf, projected, recurrent, zeros, zeros, order(valid))
            made.append(order(outputs))
            heard.append(last)
        below = tf.concat(made, axis=2)
    embedding = tf.concat(heard, axis=1)
    mu, sigma = weights["mu"], weights["sigma"]
    return tf.matmul(embedding, mu[0]) + mu[1], tf.math.softplus(tf.matmul(embedding, sigma[0]) + sigma[1])
