"""Pieces that are trained on in seconds."""

from __future__ import annotations

import numpy as np

from engine.training.datasets import DatasetPiece


def beats(count: int = 10) -> list[DatasetPiece]:
    """Drums of four bars: kick and snare, hats by chance; two of ten held out, one of them to test."""
    rng = np.random.default_rng(5)
    found = []
    for k in range(count):
        events = 4 * (rng.random(64) < 0.1).astype(np.int16)
        events[::8] |= 1
        events[4::8] |= 2
        split = {8: "validation", 9: "test"}.get(k % 10, "train")
        found.append(DatasetPiece(f"b{k}", "s", split, events))
    return found


def trainer_of(config, pieces, folder, watcher=None, **settings):
    """A trainer with options; imports Keras."""
    from engine.training.tasks.kinds import make_task
    from engine.training.tasks.task import TrainingOptions
    from engine.training.trainer import Trainer

    options = TrainingOptions(config, **settings)
    return Trainer(options, make_task(options, pieces), folder, watcher)
