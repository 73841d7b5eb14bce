"""The trainer: Adam with clipping, warm-up and decay, dropout, early stopping, and checkpoints that resume exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from engine.errors import PerpetuumError
from engine.output_file import output_folder
from engine.training.checkpoint import (
    BEST,
    TrainingCheckpoint,
    read_checkpoint,
    read_log,
    write_checkpoint,
    write_log,
    write_npz,
)
from engine.training.tasks.task import Task, TrainingOptions
from engine.training.watching.signs import has_diverged, overfits
from engine.training.watching.watcher import TrainingWatcher, Watchers

SECONDS_BETWEEN_CHECKPOINTS = 240.0
"""Evaluations keep checkpoints too; this is what a power cut costs at most, besides one batch."""


class TrainingEnding(StrEnum):
    """Why a training ended."""

    FINISHED = "finished"
    """All batches are done."""

    NO_BETTER = "no better"
    """Early stopping: the held-out loss has not fallen for a while."""

    STOPPED = "stopped"
    """It was asked to, and can go on."""


class Trainer:
    """One training run in a folder: `checkpoint.npz` to resume from, `best.npz` weights, `log.jsonl`.

    Args:
        options: see `TrainingOptions`.
        task: what is trained, on what.
        folder: where the run lives; made when absent.
        watcher: told how it goes.
        facts: what each checkpoint keeps of the run besides, as JSON has it.
        clock: seconds that only grow.

    Attributes:
        step: batches so far.
        best_step, best_loss: when the held-out loss was lowest, and how low.
        history: a line per evaluation, see `evaluate`.
    """

    def __init__(
        self,
        options: TrainingOptions,
        task: Task,
        folder: Path,
        watcher: TrainingWatcher | None = None,
        facts: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options, self.task, self.folder = options, task, folder
        self.watcher, self.facts, self.clock = watcher or Watchers(), dict(facts or {}), clock
        self.model = task.model
        self.model.compile(
            optimizer=keras.optimizers.Adam(options.learning_rate, global_clipnorm=options.clip),
            loss=task.loss,
            # JAX runs operation by operation otherwise; TensorFlow's loops over time are slower with XLA on a CPU.
            jit_compile=keras.backend.backend() == "jax",
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self.rng = np.random.default_rng(options.seed)
        self.step, self.best_step, self.best_loss = 0, 0, float("inf")
        self.losses: list[float] = []
        self.first_loss: float | None = None
        self.seconds, self.history = 0.0, []
        output_folder(folder)

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then cosine decay to a twentieth."""
        options = self.options
        if step < options.warmup:
            return options.learning_rate * (step + 1) / options.warmup
        progress = min(1.0, (step - options.warmup) / max(1, options.batches - options.warmup))
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
            raise self._diverged("the loss is no number any more")
        if self.first_loss is None:
            self.first_loss = loss
        self.step += 1
        self.losses.append(loss)
        self.watcher.trained(self.step, loss, float(batch.weights.sum()))
        return loss

    @property
    def exhausted(self) -> bool:
        """Whether the held-out loss has not become better for as long as `patience` says."""
        return self.step - self.best_step >= self.options.patience * self.options.evaluate_every

    def run(self, until: float | None = None, asked: Callable[[], bool] = lambda: False) -> TrainingEnding:
        """Train to the end, to early stopping, to a moment, or until asked to stop; a checkpoint is kept each time.

        Args:
            until: time of the clock after which to stop; None for no limit.
            asked: whether somebody wants it to stop; looked at after every batch.

        Raises:
            PerpetuumError: the training has diverged, or a file cannot be written.
        """
        options, saved = self.options, self.clock()
        began = saved - self.seconds
        self.watcher.begun(self.step, options.batches)
        if self.step == 0:
            self.save()
        while self.step < options.batches:
            if self.exhausted:
                return TrainingEnding.NO_BETTER
            self.train_step()
            now = self.clock()
            self.seconds = now - began
            if self.step % options.evaluate_every == 0 or self.step == options.batches:
                self.evaluate()
                saved = self.clock()
            stopping = asked() or (until is not None and now > until)
            if (stopping and self.losses) or now - saved > SECONDS_BETWEEN_CHECKPOINTS:
                self._refuse_divergence()
                self.save()
                saved = self.clock()
            if stopping and self.step < options.batches:
                return TrainingEnding.STOPPED
        return TrainingEnding.FINISHED

    def is_best_now(self) -> bool:
        """Whether the network is better than the best so far; nothing is kept of it, so that the run stays as it is."""
        return self.task.judge()["held_out_loss"] < self.best_loss

    def evaluate(self) -> dict[str, Any]:
        """Judge the network on what is held out, keep it if it is the best so far, and write a checkpoint.

        Returns:
            What the log has of it: "step", "train_loss" (mean since the last evaluation), the task's figures,
            "learning_rate", "best" (held-out loss), "minutes" (of training so far) and "minutes_left".

        Raises:
            PerpetuumError: the training has diverged, or a file cannot be written.
        """
        self._refuse_divergence()
        figures = self.task.judge()
        loss = figures["held_out_loss"]
        if not np.isfinite(loss):
            raise self._diverged("the held-out loss is no number")
        if loss < self.best_loss:
            self.best_loss, self.best_step = loss, self.step
            write_npz(self.folder / BEST, self.model.get_by_name())
        line = {
            "step": self.step,
            "train_loss": round(float(np.mean(self.losses)), 4),
            **{name: round(value, 4) for name, value in figures.items()},
            "learning_rate": float(f"{self.learning_rate(self.step - 1):.3g}"),
            "best": round(self.best_loss, 4),
            "minutes": round(self.seconds / 60, 1),
            "minutes_left": round(self.seconds / self.step * (self.options.batches - self.step) / 60, 1),
        }
        warned = overfits(self.history)
        self.history.append(line)
        self.losses = []
        # The log before the checkpoint: what a checkpoint knows of is always in the log.
        write_log(self.folder, self.history)
        self.save()
        self.watcher.judged(line)
        if overfits(self.history) and not warned:
            self.watcher.said(
                "The held-out loss rises while the training loss falls: the network learns these pieces by heart. "
                f"Its best weights, of batch {self.best_step}, are kept. More music helps most; then a smaller network "
                "(sizes), more dropout, and wider transposition in the data set."
            )
        return line

    def save(self) -> None:
        """Write a checkpoint that `resume` continues from bit by bit."""
        state = {
            "options": asdict(self.options),
            "rng": self.rng.bit_generator.state,
            "step": self.step,
            "best_step": self.best_step,
            "best_loss": self.best_loss,
            "losses": self.losses,
            "first_loss": self.first_loss,
            "seconds": self.seconds,
            "facts": self.facts,
        }
        optimizer = [np.asarray(ops.convert_to_numpy(variable)) for variable in self.model.optimizer.variables]
        seeds = np.asarray(ops.convert_to_numpy(self.task.seeds.state))
        write_checkpoint(self.folder, TrainingCheckpoint(self.model.get_by_name(), optimizer, seeds, state))

    def resume(self) -> bool:
        """Continue from the folder's checkpoint, if there is one; whether there was.

        Raises:
            PerpetuumError: the checkpoint is of a network of another shape, or cannot be read.
        """
        found = read_checkpoint(self.folder)
        if found is None:
            return False
        try:
            self.model.set_by_name(found.weights)
            for variable, value in zip(self.model.optimizer.variables, found.optimizer, strict=True):
                variable.assign(value)
        except (KeyError, ValueError) as error:
            raise PerpetuumError(
                f"{self.folder}: the checkpoint does not fit this network ({error})",
                "Give the same config and sizes, or another output folder.",
            ) from error
        self.task.seeds.state.assign(found.seeds)
        state = found.state
        self.rng.bit_generator.state = state["rng"]
        self.step, self.best_step, self.best_loss = state["step"], state["best_step"], state["best_loss"]
        self.losses, self.first_loss = list(state.get("losses", ())), state.get("first_loss")
        self.seconds = state.get("seconds", 0.0)
        self.history = read_log(self.folder, self.step)
        return True

    def _refuse_divergence(self) -> None:
        if self.first_loss is not None and has_diverged(self.first_loss, self.losses):
            raise self._diverged(f"the loss has grown from {self.first_loss:.3g} to {np.mean(self.losses[-20:]):.3g}")

    def _diverged(self, what: str) -> PerpetuumError:
        kept = f"; the best weights are those of batch {self.best_step}" if self.best_step else ""
        return PerpetuumError(
            f"{self.folder}: {what} after {self.step} batches: the training has diverged. "
            f"Its last checkpoint is kept as it was{kept}",
            f"Begin again in another folder with a smaller learning_rate, {self.options.learning_rate / 4:.2g} say; if "
            "that does not help, look for what is strange in the data with `perpetuum dataset stats`.",
        )
