"""From the name of a config to what its training is about."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import PerpetuumError
from engine.networks.configs import CONFIGS
from engine.networks.rnn.configs import RnnConfig
from engine.networks.vae.configs import VaeConfig
from engine.training.pieces import Piece
from engine.training.rnn_task import RnnTask
from engine.training.task import Task, TrainingOptions
from engine.training.vae_task import VaeTask


def make_task(options: TrainingOptions, pieces: Sequence[Piece]) -> Task:
    """What the training of a config is about.

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
    config = CONFIGS[options.config]
    if isinstance(config, VaeConfig):
        return VaeTask(config, options, train, validation)
    assert isinstance(config, RnnConfig)
    return RnnTask(config, options, train, validation)
