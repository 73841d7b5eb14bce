"""The loss of a Pianoroll RNN-NADE in Keras 3, on whole batches of sequences; any Keras backend.

Source: see `engine.networks.polyphonic.nade`.
"""

from __future__ import annotations

from typing import Any

import keras

from engine.networks.polyphonic.configs import DECODER, ENCODER, NadeConfig, nade_shapes
from engine.networks.polyphonic.nade import FLOOR
from engine.networks.rnn.keras_rnn import EventSequenceModel

ops: Any = keras.ops  # whose stubs know too little of what it returns


def nade_log_probability(outputs, frames, encoder, decoder):
    """Log-probabilities of frames in nats.

    Args:
        outputs: biases [..., H + D] that the RNN gives: hidden units, then bits.
        frames: [..., D] of 0 and 1.
        encoder, decoder: weights [D, 1, H] and [D, H, 1].

    Returns:
        [...].
    """
    num_hidden = encoder.shape[-1]
    hidden, biases = outputs[..., :num_hidden], outputs[..., num_hidden:]
    added = frames[..., None] * encoder[:, 0]
    before = ops.cumsum(added, axis=-2) - added
    logits = biases + ops.sum(ops.sigmoid(hidden[..., None, :] + before) * decoder[:, :, 0], axis=-1)
    likely = ops.sigmoid(ops.where(frames > 0.5, logits, -logits))
    return ops.sum(ops.log(likely + FLOOR), axis=-1)


class RnnNadeModel(EventSequenceModel):
    """An `EventSequenceModel` with a NADE: frames [B, T, D] to its biases [B, T, H + D].

    Args:
        config: whose layout and NADE it has, at the default number of hidden units.
        layers: LSTM units per layer; the config's own unless given.
        dropout, seed: as in `EventSequenceModel`.
    """

    def __init__(self, config: NadeConfig, layers: tuple[int, ...] = (), dropout: float = 0.0, seed: int = 0) -> None:
        super().__init__(config.default_layout(layers), dropout, seed)
        self.add_by_name(nade_shapes(config.default_hidden))


class NadeLoss(keras.losses.Loss):
    """Minus the log-likelihood of frames [B, T, D] under a model's outputs [B, T, H + D], per frame in nats.

    Args:
        model: whose NADE is trained along.
    """

    def __init__(self, model: RnnNadeModel) -> None:
        super().__init__(reduction="mean_with_sample_weight")
        self.model = model

    def call(self, y_true, y_pred):
        """Losses [B, T]."""
        weights = self.model.by_name
        return -nade_log_probability(y_pred, y_true, weights[ENCODER], weights[DECODER])
