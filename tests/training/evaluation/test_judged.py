"""Facts about what is judged, and on what."""

from __future__ import annotations

from dataclasses import replace

from engine.networks.card import read_weights
from engine.training.checkpoint import TrainingCheckpoint, write_checkpoint
from engine.training.datasets import Dataset
from engine.training.evaluation.judged import open_judged, other_data
from engine.training.run import fingerprint
from tests.cli.weights import made_up
from tests.training.evaluation.pieces import beats


def test_figures_on_another_data_set_than_the_weights_were_trained_on_are_doubted(tmp_path):
    judged, dataset = open_judged(made_up(tmp_path, "one_drum"), "one_drum"), Dataset(beats(), "drums")
    assert other_data(judged, dataset) == "", "nobody knows what these were trained on"
    trained = replace(judged, card=replace(judged.card, trained={"data": fingerprint(dataset)}))
    assert other_data(trained, dataset) == ""
    assert "was trained on another data set" in other_data(trained, Dataset(beats(4), "drums"))


def test_a_run_that_goes_on_knows_its_data_set_too(tmp_path):
    _, weights = read_weights(made_up(tmp_path, "one_drum"))
    dataset = Dataset(beats(), "drums")
    (tmp_path / "run").mkdir()
    write_checkpoint(
        tmp_path / "run", TrainingCheckpoint(weights, [], beats()[0].events, {"facts": {"data": "0" * 64}})
    )
    assert "was trained on another data set" in other_data(open_judged(tmp_path / "run", "one_drum"), dataset)
