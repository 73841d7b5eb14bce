"""What the families that stand make of the same lines: melody_rnn alone, and improv_rnn, which is told the chords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.assets import find
from engine.networks import CONFIGS, build_network, load_network
from engine.training.checkpoint import read_best
from engine.training.datasets.music.ensembles import LINE
from engine.training.datasets.pieces import DatasetPiece
from engine.training.evaluation.held_out.rnn import evaluate_rnn
from engine.training.lines import Nats
from engine.training.tasks.kinds import make_task
from engine.training.tasks.task import TrainingOptions
from engine.training.trainer import Trainer

LAYERS, BATCHES = (128, 128), 2400


def learnt(config: str, lines: Sequence[DatasetPiece], run: Path, seed: int, minutes: float) -> Nats:
    """Train a network of a config on lines as `perpetuum train` does, and judge it on their test split.

    Args:
        config: `mono_rnn`, whose music is put into all twelve keys, for it is brought into none; or another.
        lines: of all splits.
        run: folder of the training, which goes on where it was.
        seed, minutes: of the training.
    """
    pieces = [_alone(line) for line in lines]
    if config == "mono_rnn":
        pieces = [_shifted(one, shift) for one in pieces for shift in (range(-5, 7) if one.split == "train" else (0,))]
    options = TrainingOptions(
        config, {"layers": LAYERS}, batches=BATCHES, dropout=0.25, evaluate_every=150, patience=8, seed=seed
    )
    trainer = Trainer(options, make_task(options, pieces), run)
    trainer.resume()
    trainer.run(until=trainer.clock() + 60 * minutes)
    return _judged(build_network(CONFIGS[config], read_best(run)), lines)


def shipped(config: str, lines: Sequence[DatasetPiece]) -> Nats:
    """The shipped weights of a config, which were trained on the training split of these lines."""
    path = find("weights", config, ".safetensors")
    assert path is not None
    return _judged(load_network(path), lines)


def _judged(network: Any, lines: Sequence[DatasetPiece]) -> Nats:
    """Rhythm and pitches are one event to these networks."""
    found = evaluate_rnn(network, [_alone(line) for line in lines])
    return Nats(found["network"], 0.0, int(found["events"]))


def _alone(piece: DatasetPiece) -> DatasetPiece:
    return replace(piece, events=piece.events[:, LINE])


def _shifted(piece: DatasetPiece, semitones: int) -> DatasetPiece:
    events = piece.events.copy()
    events[events >= 0] += semitones
    return replace(piece, events=events)
