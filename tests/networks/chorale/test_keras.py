"""The chorale network in Keras, for training: the same numbers as in numpy, and its loss falls."""

from __future__ import annotations

import numpy as np
import pytest

from engine.networks import build_network
from engine.networks.chorale.configs import CHORALE
from engine.networks.chorale.layout import ChoraleLayout
from engine.training.datasets.pieces import DatasetPiece
from tests.networks.chorale.test_network import random_piece

pytestmark = pytest.mark.models


def chorales(count: int, steps: int = 80) -> list[DatasetPiece]:
    return [
        DatasetPiece(
            f"{k}", "made", "train" if k % 3 else "validation", np.repeat(random_piece(steps // 4, k), 4, axis=0)
        )
        for k in range(count)
    ]


def test_keras_and_numpy_agree_within_1e_4_on_a_whole_piece():
    from engine.networks.chorale.keras_chorale import ChoraleModel
    from engine.training.tasks.chorale import ChoraleTask, TokenTable, initial_chorale_weights
    from engine.training.tasks.task import TrainingOptions

    layout = ChoraleLayout((48, 40), embedding=48, attention=24, heads=2, window=100, dense=36)
    rng = np.random.default_rng(0)
    weights = initial_chorale_weights(layout, np.ones(51), rng)
    weights = {name: value + rng.normal(0, 0.05, value.shape).astype(np.float32) for name, value in weights.items()}
    task = ChoraleTask(TrainingOptions("chorale", {"layers": (8, 8)}, 2, 161), chorales(6, 40), chorales(6, 40))
    piece = random_piece(40, 5)
    batch = task._batch([(TokenTable(piece), 0, 0, 0)])
    model = ChoraleModel(layout)
    model.set_by_name(weights)
    made = np.asarray(model(batch.inputs))[0]
    heard = build_network(CHORALE, weights).hear(piece)
    assert batch.labels[0].tolist() == heard.labels.tolist()
    np.testing.assert_allclose(made, heard.logits, atol=1e-4)


def test_a_few_chorales_are_learnt():
    from engine.training.tasks.kinds import make_task
    from engine.training.tasks.task import TrainingOptions

    task = make_task(TrainingOptions("chorale", {"layers": (16, 16)}, 4, 128), chorales(6))
    import keras

    task.model.compile(keras.optimizers.Adam(0.01), task.loss, jit_compile=False)
    rng, losses = np.random.default_rng(0), []
    for _ in range(15):
        batch = task.batch(rng)
        loss = task.model.train_on_batch(batch.inputs, batch.labels, sample_weight=batch.weights)
        losses.append(float(np.ravel(loss)[0]))
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:2])
    assert 0 < task.judge()["held_out_loss"] < 2.0


def test_a_piece_in_another_key_is_told_as_the_piece_itself_but_for_the_pitches():
    """From the second sixteenth on; before, intervals count from what voices usually sing, which moves along."""
    from engine.training.tasks.chorale import TokenTable, transposed

    piece = random_piece(30, 5)
    piece[0] = 70, 64, 58, 50
    moved = TokenTable(np.where(piece >= 0, piece + 2, piece))
    np.testing.assert_array_equal(transposed(TokenTable(piece).columns, 2)[4:], moved.columns[4:])
