"""Training of the MusicVAEs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import log
from typing import Any

import keras
import numpy as np

from engine.errors import PerpetuumError
from engine.networks.vae.configs import VaeConfig
from engine.networks.vae.heads import classes_of
from engine.networks.vae.keras_vae import VaeJudge, VaeModel, categorical_losses, groove_losses, parts_losses
from engine.training.datasets import Augmentation, augmentation_of
from engine.training.datasets.pieces import STEPS_PER_BAR, DatasetPiece
from engine.training.initial import initial_vae_weights
from engine.training.tasks.task import Batch, TrainingOptions
from engine.training.tasks.vae_windows import CROSSED, WINDOWS, GrooveWindows, held_out_windows

EMPHASIS = 4.0
"""Of errors at hits. After 600 batches without any, strokes were 40 off in velocity (of 127) and the divergence of
their timing was 3.4 nats; with errors at hits five times as heavy 30, and 1.8. Absolute ones rather than squares leave
the timing as wide as it is: in a network without a bottleneck 0.65 nats instead of 0.74, both 19.1 ms off."""


class VaeTask:
    """See `engine.training.tasks.task.Task`.

    Args:
        config: of the network.
        options: see `TrainingOptions`; sizes are "encoder", "decoder" and "latent", by default the config's own.
        train, validation: pieces.
        augmentation: how pieces are varied; None for what is usual for the config.
    """

    def __init__(
        self,
        config: VaeConfig,
        options: TrainingOptions,
        train: Sequence[DatasetPiece],
        validation: Sequence[DatasetPiece],
        augmentation: Augmentation | None = None,
    ) -> None:
        self.kind, self.options, self.steps = WINDOWS[config.name], options, config.steps
        self.augmentation = augmentation or augmentation_of(config.name)
        self.beta = config.training.max_beta if options.beta is None else options.beta
        self.free_nats = log(2) * (config.training.free_bits if options.free_bits is None else options.free_bits)
        weights = options.source_weights
        self.pieces = [p for p in train if len(p.events) >= self.steps and weights.get(p.source, 1.0)]
        windows = held_out_windows(self.kind, self.pieces, self.steps, 4000)
        self.held_out = held_out_windows(self.kind, validation, self.steps)
        if not windows or not self.held_out:
            raise PerpetuumError(
                f"{len(windows)} windows of {self.steps // STEPS_PER_BAR} bars to train on and {len(self.held_out)} "
                "held out: both are needed",
                "Give more files, or longer ones; windows with next to nothing in them do not count.",
            )
        self.material = [self.kind.material(piece) for piece in self.pieces]
        chances = np.array([len(p.events) * weights.get(p.source, 1.0) for p in self.pieces])
        self.edges = np.cumsum(chances / chances.sum())
        layout = replace(config.layout(), **{name: _size(value) for name, value in options.sizes.items()})
        self.groove = config.head == "groove"
        known = self.kind.converter.known if isinstance(self.kind, GrooveWindows) else None
        self.model = VaeModel(layout, self.groove, self.free_nats, options.dropout, options.seed, known)
        self.judged = VaeJudge(self.model)
        self.seeds, self.sizes = self.model.seeds, layout.output_sizes
        losses = categorical_losses if len(self.sizes) == 1 else parts_losses(self.sizes)
        self.loss = StepLoss(emphasised if self.groove else losses)
        bias = self.kind.bias(np.concatenate([self.kind.tensors(window)[1] for window in windows]))
        self.model.set_by_name(initial_vae_weights(layout.shapes(), bias, np.random.default_rng(options.seed)))

    def batch(self, rng: np.random.Generator) -> Batch:
        """Windows from any bar on, each in a guise of its own."""
        return self._batch([self._window(rng) for _ in range(self.options.batch_size)])

    def before(self, step: int) -> None:
        """The KL divergence comes to count, and the decoder comes to listen to itself."""
        options = self.options
        self.model.beta.assign(self.beta * min(1.0, step / (0.1 * options.batches)))
        # Where hits are known, what comes before a step in play is known from the start: what the network played.
        share = 1.0 if self.model.hits_known else min(1.0, step / (0.5 * options.batches))
        self.model.sampling.assign(options.sampling * share)

    def judge(self) -> dict[str, float]:
        """See `Task.judge`.

        Returns:
            "held_out_loss": negative ELBO per step at the final `beta`, with z = mu; "nll": its reconstruction part
            per step, the decoder being told the steps before (nats; for grooves with errors, see `emphasised`);
            "kl": nats per window; for classes "accuracy": share of steps whose likeliest class is right, over all
            parts.
        """
        losses, hits, costs, weights = [], [], [], []
        for batch in self._held_out_batches():
            made = self.judged.predict_on_batch(batch.inputs)
            outputs = made["outputs"]
            kept = batch.weights[:, 0] > 0
            losses.append(_numpy(self.loss.call(batch.labels, outputs))[kept].mean(axis=1))
            weights.append(batch.weights[kept, 0])
            if not self.groove:
                hits.append((classes_of(_numpy(outputs), self.sizes) == batch.labels)[kept])
            costs.append(made["kl"][kept])
        kl, nll = np.concatenate(costs), float(np.average(np.concatenate(losses), weights=np.concatenate(weights)))
        charged = np.maximum(kl - self.free_nats, 0.0).mean() / self.steps
        figures = {"held_out_loss": nll + self.beta * float(charged), "nll": nll, "kl": float(kl.mean())}
        return figures | ({"accuracy": float(np.concatenate(hits).mean())} if hits else {})

    def _window(self, rng: np.random.Generator) -> np.ndarray:
        while True:
            window = self._drawn(rng)
            if rng.random() < CROSSED:
                window = self.kind.crossed(window, self._drawn(rng), rng)
            if self.kind.enough(window):
                return window

    def _drawn(self, rng: np.random.Generator) -> np.ndarray:
        events = self.material[int(np.searchsorted(self.edges, rng.random() * self.edges[-1]))]
        start = int(rng.integers((len(events) - self.steps) // STEPS_PER_BAR + 1)) * STEPS_PER_BAR
        return self.kind.augmented(events[start : start + self.steps], rng, self.augmentation)

    def _batch(self, windows: Sequence[np.ndarray]) -> Batch:
        inputs, targets = zip(*(self.kind.tensors(window) for window in windows), strict=True)
        labels = np.stack(targets)
        told = [controls for window in windows if (controls := self.kind.controls(window)) is not None]
        heard = {"inputs": np.stack(inputs), "targets": labels} | ({"controls": np.stack(told)} if told else {})
        weights = np.array([self.kind.weight(window) for window in windows], np.float32)
        return Batch(heard, labels, np.repeat(weights[:, None], labels.shape[1], axis=1))

    def _held_out_batches(self) -> Iterator[Batch]:
        size = self.options.batch_size
        for k in range(0, len(self.held_out), size):
            part = self.held_out[k : k + size]
            batch = self._batch(part + [part[0]] * (size - len(part)))
            batch.weights[len(part) :] = 0.0
            yield batch


def emphasised(targets: Any, outputs: Any) -> Any:
    """`groove_losses` with the `EMPHASIS` of training."""
    return groove_losses(targets, outputs, EMPHASIS)


class StepLoss(keras.losses.Loss):
    """A loss per step, averaged with the weights of a batch.

    Args:
        losses: of labels and outputs, [B, T].
    """

    def __init__(self, losses: Callable[[Any, Any], Any]) -> None:
        super().__init__(reduction="mean_with_sample_weight")
        self._losses = losses

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Losses [B, T]."""
        return self._losses(y_true, y_pred)


def _numpy(tensor: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def _size(value: Any) -> int | tuple[int, ...]:
    return value if isinstance(value, int) else tuple(value)
