"""Facts about training the ensemble network: its twin is the network that plays, and it learns to hear."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks import CONFIGS, build_network
from engine.networks.card import WeightsCard
from engine.training.checkpoint import read_best
from engine.training.datasets.music.ensembles import PART
from engine.training.evaluation.evaluate import evaluate, evaluate_music
from engine.training.export import scene_lines
from engine.training.tasks.batches import drop_fields
from tests.training.evaluation.pieces import basses
from tests.training.small_pieces import trainer_of

SMALL = {"sizes": {"layers": (20,)}, "batch_size": 4, "steps": 64, "dropout": 0.0, "warmup": 2}


@pytest.mark.models
def test_the_network_in_training_is_the_one_in_play(tmp_path):
    trainer = trainer_of("ensemble", basses(), tmp_path, **SMALL)
    batch = trainer.task.batch(np.random.default_rng(1))
    network = build_network(CONFIGS["ensemble"], trainer.model.get_by_name())
    expected = network.logits(batch.inputs["columns"], batch.inputs["places"])
    found = np.asarray(trainer.model.predict_on_batch(batch.inputs))
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.models
def test_it_learns_resumes_and_is_less_surprised_where_it_hears(tmp_path):
    """The chords of these basses come by chance of the bar: only who hears them knows the root."""
    rng = np.random.default_rng(2)
    pieces = [chance(piece, rng) for piece in basses(24) if piece.events[0, PART] == 0]
    settings = SMALL | {"batches": 90, "evaluate_every": 30, "learning_rate": 2e-2}
    trainer = trainer_of("ensemble", pieces, tmp_path, **settings)
    before = trainer.task.judge()
    assert set(before) == {"held_out_loss", *(f"bass_{w}{d}" for w in ("rhythm", "pitch") for d in ("", "_deaf"))}
    trainer.run()
    after = trainer.history[-1]
    assert after["held_out_loss"] < 0.5 * before["held_out_loss"]
    assert after["bass_pitch"] < 0.5 * after["bass_pitch_deaf"]
    again = trainer_of("ensemble", pieces, tmp_path, **settings)
    assert again.resume()
    assert again.task.judge()["held_out_loss"] == pytest.approx(after["held_out_loss"], abs=1e-3)
    figures = evaluate(build_network(CONFIGS["ensemble"], read_best(tmp_path)), pieces, samples=4)
    assert figures["network"] == pytest.approx(figures["rhythm"] + figures["pitch"])
    assert figures["network"] < figures["told_nothing"]
    assert figures["network"] < figures["bigram"]
    assert figures["per_bar"] == pytest.approx(16 * figures["network"])
    assert figures["overlap_duration"] > 0.8
    assert "melody" not in figures


def chance(piece, rng):
    """The same with each bar's chord C or G by chance, and its root in the bass."""
    upper = np.repeat(rng.random(10) < 0.5, 16)
    events = piece.events.copy()
    events[:, 0] = np.where(events[:, 0] >= 0, np.where(upper, 43, 36), events[:, 0])
    events[:, 3:] = 0
    return replace(piece, events=events, chords=np.where(upper, "G", "C"))


@pytest.mark.models
def test_where_there_are_lead_sheets_alone_it_learns_melodies(tmp_path):
    pieces = [piece for piece in basses() if piece.events[0, PART] == 1]
    pieces = [*pieces, replace(pieces[0], name="more", split="train")]
    trainer = trainer_of("ensemble", pieces, tmp_path, **SMALL)
    assert np.isfinite(trainer.train_step())
    assert set(trainer.task.judge()) > {"melody_rhythm", "melody_pitch"}


def test_of_what_is_on_a_share_is_dropped_and_the_rest_is_louder():
    rng = np.random.default_rng(1)
    columns = rng.choice([-1.0, 0.0, 0.0, 0.25, 1.0], (40, 500)).astype(np.float32)
    dropped = columns.copy()
    drop_fields(dropped, 0.1, rng)
    on = columns != 0
    assert not dropped[~on].any()
    kept = on & (dropped != 0)
    assert kept.sum() / on.sum() == pytest.approx(0.9, abs=0.01)
    np.testing.assert_allclose(dropped[kept], columns[kept] / 0.9, rtol=1e-6)


def test_both_are_judged_each_for_itself():
    network = build_network(CONFIGS["ensemble"], zeros())
    figures = evaluate(network, basses(), "validation", samples=0)
    assert figures["network"] == pytest.approx(np.log(3) + figures["notes"] / figures["events"] * np.log(88))
    assert figures["told_nothing"] == pytest.approx(figures["network"])
    assert figures["in_scenes"] == pytest.approx(figures["network"])
    assert figures["melody"] == pytest.approx(figures["melody_told_nothing"])
    assert figures["melody"] > figures["network"], "there are more notes in a tune"


def test_what_it_makes_is_a_bass_for_each_held_out_one():
    music = evaluate_music(build_network(CONFIGS["ensemble"], zeros()), basses(), "test", 3, (0.9,))
    assert {"overlap_pitch", "copied_bars"} <= set(music.figures)
    assert {"held out", "training", "at 0.9", "at 0.9, primed"} == set(music.table)
    assert [sample.source for sample in music.samples] == [music.held_out[0].source] * 3
    assert all(sample.length == 32.0 for sample in music.samples)


@pytest.mark.models
def test_it_has_one_layer(tmp_path):
    with pytest.raises(PerpetuumError, match="ensemble has one layer, not 2"):
        trainer_of("ensemble", basses(), tmp_path, sizes={"layers": (20, 20)})


@pytest.mark.models
def test_what_is_held_out_has_two_bars(tmp_path):
    short = [piece if piece.split == "train" else replace(piece, events=piece.events[:31]) for piece in basses()]
    with pytest.raises(PerpetuumError, match="no piece of the validation split is long enough"):
        trainer_of("ensemble", short, tmp_path, **SMALL)


def test_its_lines_of_a_scene_name_what_it_hears(tmp_path):
    card = WeightsCard("mine", "ensemble", "ensemble", {"layers": [20]}, "CC0-1.0")
    lines = scene_lines(card, tmp_path / "mine.safetensors")
    assert "chords: chords, rhythm: drums, " in lines[0]
    assert lines[1] == "instrument: round_bass"


def zeros():
    from engine.networks.ensemble.configs import ensemble_shapes

    return {name: np.zeros(shape, np.float32) for name, shape in ensemble_shapes(20, 16).items()}
