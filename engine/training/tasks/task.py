"""What a training is about: a model, its loss, its batches, its judgement. The trainer knows nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """Everything that decides a training, with the pieces.

    Attributes:
        config: a name of `engine.training.datasets.trainable()`.
        sizes: layer sizes as a card says them, such as {"layers": (128, 128)}; what is absent is as the task has it.
        batch_size, steps: crops per batch, and steps per crop (VAEs: their config says how many).
        learning_rate: peak of Adam's; warms up linearly for `warmup` batches, then falls as a cosine to a twentieth at
            the last of `batches`.
        batches, warmup: how many.
        clip: bound on the global norm of the gradient.
        dropout: share of outputs dropped between layers.
        evaluate_every: batches between evaluations on the held-out split.
        patience: evaluations without a better loss after which training stops.
        source_weights: factors on how often sources are drawn.
        seed: of weights, batches and dropout.
        beta: VAEs: weight of the KL divergence, reached linearly in a tenth of `batches`; None for the config's own.
        free_bits: VAEs: bits of the KL divergence that cost nothing; None for the config's own.
        sampling: VAEs: share of previous events that the decoder is not told but samples, reached linearly in half of
            `batches`.
        start: weights to begin from, as `engine.training.initial.read_start` finds them; None for random ones.
        precision: "bfloat16" rounds the factors of products on CPUs (`engine.training.machine.use_precision`), else
            "float32".
    """

    config: str
    sizes: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = 32
    steps: int = 128
    learning_rate: float = 2e-3
    batches: int = 4800
    warmup: int = 200
    clip: float = 1.0
    dropout: float = 0.15
    evaluate_every: int = 200
    patience: int = 20
    source_weights: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    beta: float | None = None
    free_bits: float | None = None
    sampling: float = 0.5
    start: str | None = None
    precision: str = "float32"


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs (an array [B, T, ...], or several by name), labels [B, T, ...], weights [B, T] float32 (0: padded)."""

    inputs: Any
    labels: np.ndarray
    weights: np.ndarray


class Task(Protocol):
    """One network to be trained on one set of pieces.

    Attributes:
        model: a Keras model with `set_by_name` and `get_by_name`; weights are set.
        loss: of labels and the model's outputs; per label, averaged with the weights of a batch.
        seeds: where the model's chance comes from, so that a checkpoint keeps it.
    """

    model: Any
    loss: Any
    seeds: keras.random.SeedGenerator

    def batch(self, rng: np.random.Generator) -> Batch:
        """A batch to train on."""
        ...

    def before(self, step: int) -> None:
        """Set what a schedule moves, before the batch with this number."""
        ...

    def judge(self) -> dict[str, float]:
        """Figures on the held-out split; "held_out_loss" (lower is better) decides which weights are best."""
        ...
