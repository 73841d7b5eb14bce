"""Training of the event-sequence RNNs: drums and melodies on a grid."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from engine.errors import PerpetuumError
from engine.networks.contract import EventEncoding
from engine.networks.rnn.configs import RnnConfig
from engine.networks.rnn.keras_rnn import EventSequenceModel
from engine.training.datasets import Augmentation
from engine.training.datasets.pieces import DatasetPiece
from engine.training.initial import initial_weights
from engine.training.material import TrainingExcerpt, material_of
from engine.training.tasks.batches import Crops, encoded, held_out, held_out_batches
from engine.training.tasks.task import Batch, TrainingOptions

HELD_OUT_EXCERPTS = 512
"""Most that is judged on in training, thinned out evenly, for each judgement takes a forward pass of all."""


class RnnTask:
    """See `engine.training.tasks.task.Task`.

    Args:
        config: of the network.
        options: see `TrainingOptions`; "layers" are the config's own unless given.
        train, validation: pieces.
        augmentation: how pieces are varied; None for what is usual for the config.
    """

    def __init__(
        self,
        config: RnnConfig,
        options: TrainingOptions,
        train: Sequence[DatasetPiece],
        validation: Sequence[DatasetPiece],
        augmentation: Augmentation | None = None,
    ) -> None:
        self.options, self.encoding = options, config.make_encoding()
        material = material_of(config, options.steps, augmentation)
        self.crops = Crops(train, material, self.encoding, options.source_weights)
        judged = held_out(validation, material)
        if not judged:
            raise PerpetuumError(
                f"none of the {len(validation)} held-out pieces is long enough to judge on",
                "Give more files, or longer ones.",
            )
        self.held_out = judged[:: -(-len(judged) // HELD_OUT_EXCERPTS)]
        self.longest = material.longest
        layout = config.default_layout(tuple(options.sizes.get("layers", ())))
        self.model = EventSequenceModel(layout, options.dropout, options.seed)
        self.seeds = self.model.dropout_seeds
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
        shares = label_shares(held_out(train, material), self.encoding, layout.output_size)
        self.model.set_by_name(initial_weights(layout, shares, np.random.default_rng(options.seed)))

    def batch(self, rng: np.random.Generator) -> Batch:
        """See `Task.batch`."""
        return self.crops.batch(rng, self.options.batch_size)

    def before(self, step: int) -> None:
        """Nothing moves here."""

    def judge(self) -> dict[str, float]:
        """See `Task.judge`.

        Returns:
            "held_out_loss": mean negative log-likelihood per label in nats; "accuracy": share of labels that are the
            likeliest class.
        """
        total = hits = count = 0.0
        for batch in held_out_batches(self.held_out, self.encoding, self.longest, self.options.batch_size):
            logits = self.model.predict_on_batch(batch.inputs)
            total += float((label_losses(logits, batch.labels) * batch.weights).sum())
            hits += float(((logits.argmax(axis=-1) == batch.labels) * batch.weights).sum())
            count += float(batch.weights.sum())
        return {"held_out_loss": total / count, "accuracy": hits / count}


def label_shares(excerpts: Sequence[TrainingExcerpt], encoding: EventEncoding, num_classes: int) -> np.ndarray:
    """[num_classes] how often each class is the label in (up to 500 of) some excerpts, smoothed."""
    counts = np.full(num_classes, 0.5)
    for excerpt in excerpts[:: max(1, len(excerpts) // 500)]:
        counts += np.bincount(encoded(encoding, excerpt)[1], minlength=num_classes)
    return counts / counts.sum()


def label_losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Negative log-likelihood in nats of labels [...] under logits [..., num_classes]."""
    logits = logits - logits.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(logits, labels[..., None].astype(np.int64), axis=-1)[..., 0]
    return np.log(np.exp(logits).sum(axis=-1)) - chosen
