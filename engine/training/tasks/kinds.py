"""From the name of a config to what its training is about."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import PerpetuumError
from engine.networks.chorale.configs import ChoraleConfig
from engine.networks.configs import CONFIGS
from engine.networks.ensemble.configs import EnsembleConfig
from engine.networks.rnn.configs import RnnConfig
from engine.networks.vae.configs import VaeConfig
from engine.training.datasets import Augmentation
from engine.training.datasets.pieces import DatasetPiece
from engine.training.initial import read_start
from engine.training.tasks.chorale import ChoraleTask
from engine.training.tasks.ensemble import EnsembleTask
from engine.training.tasks.rnn import RnnTask
from engine.training.tasks.task import Task, TrainingOptions
from engine.training.tasks.vae import VaeTask


def make_task(
    options: TrainingOptions, pieces: Sequence[DatasetPiece], augmentation: Augmentation | None = None
) -> Task:
    """What the training of a config is about.

    Args:
        options: see `TrainingOptions`.
        pieces: of all splits.
        augmentation: how pieces are varied; None for what is usual for the config.

    Raises:
        PerpetuumError: too few pieces, or a config whose training is not known.
    """
    train = [piece for piece in pieces if piece.split == "train"]
    validation = [piece for piece in pieces if piece.split == "validation"]
    if not train or not validation:
        raise PerpetuumError(
            f"{len(train)} pieces to train on and {len(validation)} held out: both are needed",
            "Give more files: about one piece in sixteen is held out.",
        )
    if not any(options.source_weights.get(piece.source, 1.0) for piece in train):
        sources = ", ".join(sorted({piece.source for piece in train}))
        raise PerpetuumError(
            "source_weights: all that there is to train on has the weight 0", f"The sources are {sources}."
        )
    config = CONFIGS[options.config]
    if isinstance(config, VaeConfig):
        task = VaeTask(config, options, train, validation, augmentation)
    elif isinstance(config, ChoraleConfig):
        task = ChoraleTask(options, train, validation, augmentation)
    elif isinstance(config, EnsembleConfig):
        task = EnsembleTask(options, train, validation, augmentation)
    else:
        assert isinstance(config, RnnConfig)
        task = RnnTask(config, options, train, validation, augmentation)
    if options.start is not None:
        task.model.set_by_name(read_start(options.start, task.model.get_by_name()))
    return task
