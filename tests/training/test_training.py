"""Facts about training: it learns, stops when it should, and keeps what is best."""

from __future__ import annotations

import json
import struct
from types import SimpleNamespace

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks import CONFIGS
from engine.training.checkpoint import read_best, read_state
from engine.training.datasets import DatasetPiece
from engine.training.material import material_of, reorchestrate
from engine.training.tasks.batches import Crops, held_out, held_out_batches
from engine.training.watching.event_files import EventFile
from tests.training.small_pieces import beats, trainer_of


def trainer(folder, watcher=None, config="one_drum", **changes):
    settings = {"batch_size": 4, "steps": 32, "batches": 12, "warmup": 2, "dropout": 0.3, "evaluate_every": 4} | changes
    return trainer_of(config, beats(20), folder, watcher, **{"sizes": {"layers": (8,)}, **settings})


def scalars(folder) -> dict[str, list[tuple[int, float]]]:
    """What an event file holds, read by its format: length, check sum, protocol buffer, check sum."""
    from tensorboard.compat.proto.event_pb2 import Event

    found: dict[str, list[tuple[int, float]]] = {}
    (path,) = (folder / "tensorboard").iterdir()
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        event = Event.FromString(data[12 : 12 + length])
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
        data = data[16 + length :]
    return found


@pytest.mark.models
def test_training_lowers_the_loss_keeps_the_best_and_draws_its_curves(tmp_path):
    watcher = EventFile(tmp_path)
    learner = trainer(tmp_path, watcher, learning_rate=2e-2)
    before = learner.task.judge()["held_out_loss"]
    assert learner.run() == "finished"
    watcher.ended()
    assert learner.best_loss < before - 0.02
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [4, 8, 12]
    assert learner.best_loss == pytest.approx(min(line["held_out_loss"] for line in lines), abs=1e-4)
    curves = scalars(tmp_path)
    assert set(curves) == {"loss/training", "loss/held_out", "accuracy", "learning_rate"}
    assert curves["loss/held_out"] == [(line["step"], pytest.approx(line["held_out_loss"])) for line in lines]


@pytest.mark.models
def test_a_training_that_is_asked_to_stop_keeps_every_batch_and_stops_early_when_nothing_gets_better(tmp_path):
    learner = trainer(tmp_path, patience=2, batches=100)
    assert learner.run(asked=lambda: learner.step == 3) == "stopped"
    state = read_state(tmp_path)
    assert (state["step"], len(state["losses"])) == (3, 3)
    assert not (tmp_path / "best.npz").exists()
    weights = learner.model.get_by_name()
    for name, value in read_best(tmp_path).items():
        np.testing.assert_array_equal(value, weights[name].astype(np.float16))
    learner.task.judge = lambda: {"held_out_loss": 5.0}
    assert learner.run() == "no better"
    assert (learner.step, learner.best_step) == (12, 4)


@pytest.mark.models
def test_learning_by_heart_is_said_once(tmp_path):
    said = []
    watcher = SimpleNamespace(trained=lambda *facts: None, judged=lambda line: None, said=said.append)
    learner = trainer(tmp_path, watcher)
    learner.history = [{"train_loss": 9.0 - k, "held_out_loss": 1.0 + k} for k in range(3)]
    learner.step, learner.best_step, learner.best_loss = 40, 20, 1.0
    for loss in (4.0, 5.0):
        learner.losses = [2.0]
        learner.task.judge = lambda loss=loss: {"held_out_loss": loss}
        learner.evaluate()
    assert len(said) == 1
    assert "learns these pieces by heart" in said[0]
    assert "of batch 20, are kept" in said[0]


@pytest.mark.models
def test_an_absurd_learning_rate_stops_with_what_to_do_and_leaves_the_last_good_checkpoint(tmp_path):
    learner = trainer(tmp_path, learning_rate=10.0, clip=100.0, batches=100, evaluate_every=20)
    with pytest.raises(PerpetuumError, match="has diverged") as error:
        learner.run()
    assert "smaller learning_rate, 2.5 say" in error.value.hint
    assert read_state(tmp_path)["step"] == 0
    assert all(np.isfinite(value).all() for value in read_best(tmp_path).values())


@pytest.mark.models
def test_a_checkpoint_of_another_network_is_a_clear_error(tmp_path):
    trainer(tmp_path).save()
    other = trainer(tmp_path, sizes={"layers": (5,)})
    with pytest.raises(PerpetuumError, match="does not fit this network"):
        other.resume()


@pytest.mark.models
def test_too_few_pieces_are_a_clear_error(tmp_path):
    with pytest.raises(PerpetuumError, match="both are needed"):
        trainer_of("drum_kit", beats()[:1], tmp_path)


def melody_piece() -> DatasetPiece:
    events = np.full(320, -2, np.int16)
    events[::4] = [62 + (0, 2, 4, 5, 7, 9, 11)[k * 3 % 7] for k in range(80)]
    return DatasetPiece("m", "s", "train", events)


def test_crops_are_decided_by_the_generator_and_predict_what_comes_next():
    encoding = CONFIGS["attention_rnn"].make_encoding()
    crops = Crops([melody_piece()], material_of(CONFIGS["attention_rnn"], 64), encoding, {})
    a, b = (crops.batch(np.random.default_rng(4), 8) for _ in range(2))
    np.testing.assert_array_equal(a.inputs, b.inputs)
    assert set(a.weights.sum(axis=1)) == {63.0, 64.0}
    notes = a.labels < encoding.note_range
    attacks = a.inputs[:, 1:, encoding.note_range + 2]
    np.testing.assert_array_equal(attacks[notes[:, :-1] & (a.weights[:, :-1] > 0) & (a.weights[:, 1:] > 0)], 1.0)


def test_reorchestrated_drums_keep_their_rhythm_and_their_kick_and_snare():
    rng = np.random.default_rng(0)
    events = rng.integers(0, 512, 64)
    made = [reorchestrate(events, rng) for _ in range(40)]
    for other in made:
        assert [int(e).bit_count() for e in other] == [int(e).bit_count() for e in events]
        np.testing.assert_array_equal(other & 0b11, events & 0b11)
    assert 3 <= sum((other == events).all() for other in made) <= 37
    assert any(((other >> 2 & 1) == (events >> 8 & 1)).all() for other in made)


def test_held_out_batches_hold_every_event_once():
    encoding = CONFIGS["attention_rnn"].make_encoding()
    excerpts = held_out([melody_piece()], material_of(CONFIGS["attention_rnn"], 128))
    assert [len(excerpt.events) for excerpt in excerpts] == [128, 128, 64]
    batches = list(held_out_batches(excerpts, encoding, 128, 2))
    assert [batch.inputs.shape for batch in batches] == [(2, 128, 74)] * 2
    assert sum(batch.weights.sum() for batch in batches) == 320
