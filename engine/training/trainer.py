"""The trainer: Adam with clipping, warm-up and decay, dropout, early stopping, and checkpoints that resume exactly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np
from keras import ops

from engine.errors import PerpetuumError
from engine.networks.configs import CONFIGS
from engine.networks.encodings import EventEncoding, encode
from engine.networks.keras_rnn import EventSequenceModel
from engine.training.batches import Crops, held_out, held_out_batches
from engine.training.initial import initial_weights
from engine.training.pieces import Piece


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """Everything that decides a training, with the pieces.

    Attributes:
        config: a name of `engine.networks.configs.CONFIGS`.
        layers: LSTM units per layer; empty for the config's own.
        batch_size, steps: crops per batch and 16ths per crop.
        learning_rate: peak of Adam's; warms up linearly for `warmup` batches, then falls as a cosine to a twentieth at
            `total` batches.
        warmup, total: batches.
        clip: bound on the global norm of the gradient.
        dropout: share of outputs dropped between layers.
        evaluate_every: batches between evaluations on the held-out split.
        patience: evaluations without a better loss after which training stops.
        source_weights: factors on how often sources are drawn.
        seed: of weights, batches and dropout.
    """

    config: str
    layers: tuple[int, ...] = ()
    batch_size: int = 32
    steps: int = 128
    learning_rate: float = 2e-3
    warmup: int = 200
    total: int = 4800
    clip: float = 1.0
    dropout: float = 0.15
    evaluate_every: int = 200
    patience: int = 20
    source_weights: dict[str, float] = field(default_factory=dict)
    seed: int = 0


class Trainer:
    """One training run in a folder: `checkpoint.npz` to resume from, `best.npz` weights, `log.jsonl`.

    Args:
        options: see `TrainingOptions`.
        pieces: all splits.
        folder: where the run lives; made when absent.
        say: told the progress, line by line.
    """

    def __init__(
        self, options: TrainingOptions, pieces: Sequence[Piece], folder: Path, say: Callable[[str], None] = print
    ) -> None:
        config = CONFIGS[options.config]
        self.options, self.folder, self.say = options, folder, say
        self.encoding = config.make_encoding()
        train = [piece for piece in pieces if piece.split == "train"]
        validation = [piece for piece in pieces if piece.split == "validation"]
        if not train or not validation:
            raise PerpetuumError(
                f"{len(train)} pieces to train on and {len(validation)} held out: both are needed",
                "Give more files: about one piece in sixteen is held out.",
            )
        self.crops = Crops(train, self.encoding, options.steps, options.source_weights)
        self.held_out = held_out(validation, self.encoding, options.steps)
        self.layers = options.layers or config.default_layers
        self.model = EventSequenceModel(
            self.encoding.input_size,
            self.encoding.num_classes,
            self.layers,
            config.attention_length,
            options.dropout,
            options.seed,
        )
        shapes = {name: tuple(variable.shape) for name, variable in self.model.by_name.items()}
        shares = label_shares(train, self.encoding, options.steps)
        self.model.set_by_name(initial_weights(shapes, shares, np.random.default_rng(options.seed)))
        self.model.compile(
            optimizer=keras.optimizers.Adam(options.learning_rate, global_clipnorm=options.clip),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight"),
            jit_compile=False,  # pyright: ignore[reportArgumentType]
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self.rng = np.random.default_rng(options.seed)
        self.step, self.best_step, self.best_loss = 0, 0, float("inf")
        folder.mkdir(parents=True, exist_ok=True)

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then cosine decay to a twentieth."""
        options = self.options
        if step < options.warmup:
            return options.learning_rate * (step + 1) / options.warmup
        progress = min(1.0, (step - options.warmup) / max(1, options.total - options.warmup))
        return options.learning_rate * (0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * progress)))

    def train_step(self) -> float:
        """One batch; its loss."""
        batch = self.crops.batch(self.rng, self.options.batch_size)
        self.model.optimizer.learning_rate.assign(self.learning_rate(self.step))
        loss = self.model.train_on_batch(batch.inputs, batch.labels, sample_weight=batch.weights)
        self.step += 1
        return float(np.ravel(np.asarray(loss))[0])

    def evaluate(self) -> float:
        """Mean negative log-likelihood per label (nats) on the held-out split."""
        total = count = 0.0
        for batch in held_out_batches(self.held_out, self.encoding, self.options.steps, self.options.batch_size):
            logits = self.model.predict_on_batch(batch.inputs)
            total += float((label_losses(logits, batch.labels) * batch.weights).sum())
            count += float(batch.weights.sum())
        return total / count

    def run(self, until: float | None = None) -> None:
        """Train to the end, to early stopping, or to a moment.

        Args:
            until: `time.monotonic()` after which to stop at the next evaluation; None for no limit.
        """
        options, losses, begun, first = self.options, [], time.monotonic(), self.step
        while self.step < options.total:
            losses.append(self.train_step())
            if self.step % options.evaluate_every and self.step < options.total:
                continue
            loss = self.evaluate()
            if loss < self.best_loss:
                self.best_loss, self.best_step = loss, self.step
                _write_npz(self.folder / "best.npz", self.model.get_by_name())
            self.save()
            spent = time.monotonic() - begun
            left = spent / (self.step - first) * (options.total - self.step)
            line = {
                "step": self.step,
                "train_loss": round(float(np.mean(losses)), 4),
                "held_out_loss": round(loss, 4),
                "best": round(self.best_loss, 4),
                "minutes": round(spent / 60, 1),
                "minutes_left": round(left / 60, 1),
            }
            with (self.folder / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            self.say(", ".join(f"{key} {value}" for key, value in line.items()))
            losses = []
            if self.step - self.best_step >= options.patience * options.evaluate_every:
                self.say(f"no better held-out loss in {options.patience} evaluations: stopping")
                return
            if until is not None and time.monotonic() > until:
                return

    def save(self) -> None:
        """Write a checkpoint that `resume` continues from bit by bit."""
        arrays = {f"w:{name}": value for name, value in self.model.get_by_name().items()}
        for k, variable in enumerate(self.model.optimizer.variables):
            arrays[f"o:{k}"] = np.asarray(ops.convert_to_numpy(variable))
        arrays["dropout"] = np.asarray(ops.convert_to_numpy(self.model.dropout_seeds.state))
        state = {
            "options": asdict(self.options),
            "rng": self.rng.bit_generator.state,
            "step": self.step,
            "best_step": self.best_step,
            "best_loss": self.best_loss,
        }
        _write_npz(self.folder / "checkpoint.npz", arrays | {"state": np.array(json.dumps(state))})

    def resume(self) -> bool:
        """Continue from the folder's checkpoint, if there is one; whether there was.

        Raises:
            PerpetuumError: the checkpoint is of a network of another shape.
        """
        path = self.folder / "checkpoint.npz"
        if not path.exists():
            return False
        with np.load(path) as data:
            state = json.loads(str(data["state"]))
            try:
                self.model.set_by_name({name[2:]: data[name] for name in data.files if name.startswith("w:")})
                for k, variable in enumerate(self.model.optimizer.variables):
                    variable.assign(data[f"o:{k}"])
            except (KeyError, ValueError) as error:
                raise PerpetuumError(
                    f"{path}: the checkpoint does not fit this network ({error})",
                    "Give the same config and layers, or another output folder.",
                ) from error
            self.model.dropout_seeds.state.assign(data["dropout"])
        self.rng.bit_generator.state = state["rng"]
        self.step, self.best_step, self.best_loss = state["step"], state["best_step"], state["best_loss"]
        return True


def label_shares(pieces: Sequence[Piece], encoding: EventEncoding, steps: int) -> np.ndarray:
    """[num_classes] how often each class is the label in (up to 500 stretches of) some pieces, smoothed."""
    counts = np.full(encoding.num_classes, 0.5)
    stretches = held_out(pieces, encoding, steps)
    for events in stretches[:: max(1, len(stretches) // 500)]:
        counts += np.bincount(encode(encoding, events.tolist())[1], minlength=encoding.num_classes)
    return counts / counts.sum()


def label_losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Negative log-likelihood in nats of labels [...] under logits [..., num_classes]."""
    logits = logits - logits.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(logits, labels[..., None].astype(np.int64), axis=-1)[..., 0]
    return np.log(np.exp(logits).sum(axis=-1)) - chosen


def _write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write whole or not at all, so that a power cut leaves the last good file."""
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, allow_pickle=False, **arrays)
    partial.replace(path)
