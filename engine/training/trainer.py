"""The trainer: Adam with clipping, warm-up and decay, dropout, early stopping, and checkpoints that resume exactly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
from keras import ops

from engine.errors import PerpetuumError
from engine.training.task import Task, TrainingOptions


class Trainer:
    """One training run in a folder: `checkpoint.npz` to resume from, `best.npz` weights, `log.jsonl`.

    Args:
        options: see `TrainingOptions`.
        task: what is trained, on what.
        folder: where the run lives; made when absent.
        say: told the progress, line by line.
    """

    def __init__(self, options: TrainingOptions, task: Task, folder: Path, say: Callable[[str], None] = print) -> None:
        self.options, self.task, self.folder, self.say = options, task, folder, say
        self.model = task.model
        self.model.compile(
            optimizer=keras.optimizers.Adam(options.learning_rate, global_clipnorm=options.clip),
            loss=task.loss,
            jit_compile=False,
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
        """One batch; its loss.

        Raises:
            PerpetuumError: the training has diverged.
        """
        batch = self.task.batch(self.rng)
        self.task.before(self.step)
        self.model.optimizer.learning_rate.assign(self.learning_rate(self.step))
        loss = self.model.train_on_batch(batch.inputs, batch.labels, sample_weight=batch.weights)
        loss = float(np.ravel(np.asarray(loss))[0])
        if not np.isfinite(loss):
            raise PerpetuumError(
                f"{self.folder}: the loss is no number any more after {self.step} batches: the training has diverged",
                "Start it again in the same folder, from its last checkpoint, with a smaller --learning-rate.",
            )
        self.step += 1
        return loss

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
            figures = self.task.judge()
            loss = figures["held_out_loss"]
            if loss < self.best_loss:
                self.best_loss, self.best_step = loss, self.step
                _write_npz(self.folder / "best.npz", self.model.get_by_name())
            self.save()
            spent = time.monotonic() - begun
            left = spent / (self.step - first) * (options.total - self.step)
            line = {
                "step": self.step,
                "train_loss": round(float(np.mean(losses)), 4),
                **{name: round(value, 4) for name, value in figures.items()},
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
        arrays["seeds"] = np.asarray(ops.convert_to_numpy(self.task.seeds.state))
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
            self.task.seeds.state.assign(data["seeds"])
        self.rng.bit_generator.state = state["rng"]
        self.step, self.best_step, self.best_loss = state["step"], state["best_step"], state["best_loss"]
        return True


def _write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write whole or not at all, so that a power cut leaves the last good file."""
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, allow_pickle=False, **arrays)
    partial.replace(path)
