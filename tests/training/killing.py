"""Trainings that are killed, for test_training_resumes: `python -m tests.training.killing FOLDER`.

Keras is imported once, and every training is a child that was forked before it computed anything: SIGKILL is real, and
ten starts of TensorFlow are saved.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np

from engine.networks import scan
from engine.training import checkpoint, trainer
from engine.training.tasks.kinds import make_task
from engine.training.tasks.task import TrainingOptions
from tests.training.small_pieces import beats

BATCHES, EVERY = 6, 3
scan.UNROLLED = 0  # graphs that are built in no time


def train(folder: Path, tick: float = 0.0) -> None:
    """Train a small network to the end, from where it is; the clock goes on by `tick` seconds when it is read."""
    options = TrainingOptions(
        "one_drum", {"layers": (6,)}, 4, 32, batches=BATCHES, warmup=2, dropout=0.3, evaluate_every=EVERY
    )
    times = itertools.count(0.0, tick)
    learner = trainer.Trainer(options, make_task(options, beats()), folder, clock=lambda: next(times))
    learner.resume()
    learner.run()


def die() -> None:
    """No handler, no flush, no farewell."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_before(name: str) -> None:
    """Die where the trainer would call a function."""

    def killing(*arguments: object) -> None:
        die()

    setattr(trainer, name, killing)


def die_in_a_file() -> None:
    """Die when half of the next file of arrays is on the disk."""
    savez = np.savez

    def half(file, **arrays: np.ndarray) -> None:
        whole = BytesIO()
        savez(whole, **arrays)
        file.write(whole.getvalue()[: whole.tell() // 2])
        file.flush()
        die()

    checkpoint.np.savez = half


def child(work: Callable[[], None]) -> int:
    """Do something in a process of its own; the signal that ended it, 0 for none."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)


def main(folder: Path) -> None:
    """Train once in peace, and once with deaths; print how each part ended."""
    killed = folder / "killed"

    def between() -> None:
        die_before("write_log")  # best.npz is written, log and checkpoint are not
        train(killed)

    def in_checkpoint() -> None:
        # A checkpoint of the clock's after batch 1, then half of the one after batch 2.
        written = itertools.count()
        original = trainer.write_checkpoint

        def counted(*arguments: object) -> None:
            if next(written) == 2:
                die_in_a_file()
            original(*arguments)

        trainer.write_checkpoint = counted
        train(killed, tick=200.0)

    parts = {"between": between, "in checkpoint": in_checkpoint}
    print("peace", child(lambda: train(folder / "whole")))
    for name, part in parts.items():
        print(name, child(part), checkpoint.read_state(killed)["step"])
    print("end", child(lambda: train(killed)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
