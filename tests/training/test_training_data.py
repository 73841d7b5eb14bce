"""Facts about what a run is trained on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.training.checkpoint import (
    TrainingCheckpoint,
    alone_in,
    read_best,
    read_checkpoint,
    read_state,
    write_checkpoint,
)
from engine.training.datasets import Dataset, DatasetPiece, open_dataset, save_pieces
from engine.training.datasets.build import Built
from engine.training.datasets.dataset import is_built, write_dataset
from engine.training.datasets.music.kinds import KINDS, corpus_of, trainable
from engine.training.run import open_data, prepare
from engine.training.settings import TrainingFile
from engine.training.tasks.task import TrainingOptions
from tests.training.datasets.writing import rock, write_drums
from tests.training.evaluation import pieces
from tests.training.small_pieces import beats


@pytest.fixture
def songs(tmp_path):
    for k in range(3):
        write_drums(tmp_path / "songs" / f"{k}.mid", rock(8, seed=k))
    return tmp_path / "songs"


def given(**dataset) -> TrainingFile:
    return TrainingFile.model_validate({"config": "drum_kit", "dataset": dataset})


def names(dataset) -> list[str]:
    return [piece.name for piece in dataset.pieces]


def test_raw_music_is_built_into_the_runs_folder_once(songs, tmp_path):
    first, told = open_data(given(), [songs], tmp_path / "run")
    assert told == ""
    assert len(first.pieces) == 3
    assert (tmp_path / "run" / "dataset" / "manifest.json").is_file()
    write_drums(songs / "new.mid", rock(8, seed=9))
    again, told = open_data(given(), [songs], tmp_path / "run")
    assert names(again) == names(first)
    assert "new files need a new run" in told


def test_a_run_that_has_begun_refuses_other_music(songs, tmp_path):
    run = tmp_path / "run"
    open_data(given(), [songs], run)
    write_drums(tmp_path / "more" / "a.mid", rock(8, seed=5))
    other, _ = open_data(given(), [tmp_path / "more"], run)
    assert len(other.pieces) == 1
    known = prepare(run, given(), other, "tensorflow", 1)
    state = {"options": {"config": "drum_kit"}, "step": 1}
    write_checkpoint(run, TrainingCheckpoint({}, [], beats()[0].events, state))
    with pytest.raises(PerpetuumError, match="songs"):
        open_data(given(), [songs], run)
    with pytest.raises(PerpetuumError, match="meters"):
        open_data(given(meters=["4/4"]), [tmp_path / "more"], run)
    assert not known.resumed


def test_a_run_that_was_begun_before_there_was_a_setting_has_the_usual_one(songs, tmp_path):
    run = tmp_path / "run"
    open_data(given(), [songs], run)
    origin = json.loads((run / "dataset.json").read_text())
    for name in ("validation", "test"):
        del origin["dataset"][name]
    (run / "dataset.json").write_text(json.dumps(origin))
    state = {"step": 1, "options": {"config": "drum_kit"}}
    write_checkpoint(run, TrainingCheckpoint({}, [], beats()[0].events, state))
    assert "new files need a new run" in open_data(given(), [songs], run)[1]
    with pytest.raises(PerpetuumError, match="other settings"):
        open_data(given(validation="20 %"), [songs], run)


def test_a_run_that_was_killed_while_it_wrote_its_data_set_builds_it_again(songs, tmp_path, monkeypatch):
    run = tmp_path / "run"
    open_data(given(), [songs], run)
    write_drums(tmp_path / "more" / "a.mid", rock(8, seed=5))

    def killed(folder, built):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("engine.training.run.write_dataset", killed)
        with pytest.raises(KeyboardInterrupt):
            open_data(given(), [tmp_path / "more"], run)
    found, _ = open_data(given(), [tmp_path / "more"], run)
    assert len(found.pieces) == 1
    with monkeypatch.context() as patched:
        patched.setattr("engine.training.datasets.dataset.save_pieces", lambda path, pieces: None)
        write_dataset(run / "dataset", Built([], {}))
    assert not is_built(run / "dataset")


@pytest.mark.models
def test_sources_without_music_are_told_and_no_music_at_all_is_refused(tmp_path):
    from engine.training.tasks.kinds import make_task  # imports Keras

    options = TrainingFile(config="drum_kit", source_weights={"t": 2.0})
    assert (
        "source_weights: there is no source t."
        in prepare(tmp_path, options, Dataset(beats(), "drums"), "tensorflow", 1).remarks
    )
    with pytest.raises(PerpetuumError, match="source_weights") as refusal:
        make_task(TrainingOptions("drum_kit", source_weights={"s": 0.0}), beats())
    assert "sources are s" in refusal.value.hint


PIECES = {
    "drums": pieces.beats(),
    "groove": pieces.grooves(),
    "melody": pieces.melodies(),
    "lead_sheet": pieces.lead_sheets(),
    "trio": pieces.trios(),
    "ensemble": pieces.basses(),
    "polyphony": pieces.chorales(),
    "performance": pieces.performances(),
    "chorale": [DatasetPiece("c", "s", "train", np.full((32, 4), 60, np.int16))],
}
ALIKE = {("lead_sheet", "melody"), ("drums", "melody"), ("polyphony", "performance"), ("performance", "polyphony")}
"""Those that are taken for the other: notes are notes, a melody with chords is a melody, and masks of few drums may be
pitches."""


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_another_kind_of_music_are_refused(kind, tmp_path):
    config = next(name for name in trainable() if corpus_of(name) == kind)
    for name, found in PIECES.items():
        path = tmp_path / f"{name}.npz"
        save_pieces(path, found)
        if name == kind or (name, kind) in ALIKE:
            assert open_dataset([path], config).kind == kind
            continue
        with pytest.raises(PerpetuumError, match=f"{name}.npz: .* is no {kind.replace('_', ' ')}") as refusal:
            open_dataset([path], config)
        assert f"--for {config}" in refusal.value.hint


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 half of a file", b"\x93NUMPY", b"no file of arrays"])
def test_a_damaged_checkpoint_is_a_clear_error(tmp_path, damage):
    for name, read in (("checkpoint.npz", read_state), ("checkpoint.npz", read_checkpoint), ("best.npz", read_best)):
        (tmp_path / name).write_bytes(damage)
        with pytest.raises(PerpetuumError, match="cannot be read"):
            read(tmp_path)


def test_what_cannot_be_read_in_a_runs_folder_is_named(tmp_path):
    with pytest.raises(PerpetuumError, match=r"cannot train in .*missing\.json"), alone_in(tmp_path / "run"):
        (tmp_path / "run" / "missing.json").read_text()


def test_sources_are_looked_for_below_the_data(songs, tmp_path):
    dataset, _ = open_data(given(sources=["songs"]), [tmp_path], tmp_path / "run")
    assert len(dataset.pieces) == 3
    with pytest.raises(PerpetuumError, match="drums: there is no such folder"):
        open_data(given(sources=["songs", "drums"]), [tmp_path], tmp_path / "other")


def test_a_data_set_that_is_built_is_taken_as_it_is(songs, tmp_path):
    save_pieces(tmp_path / "beats.npz", beats())
    dataset, told = open_data(given(sources=["x"]), [tmp_path / "beats.npz"], tmp_path / "run")
    assert (names(dataset), told) == ([piece.name for piece in beats()], "")
    _, told = open_data(given(tempo="60..90 qpm"), [tmp_path / "beats.npz"], tmp_path / "run")
    assert "tempo of `dataset` are not looked at" in told


def test_two_trainings_do_not_run_in_one_folder(tmp_path):
    with (
        alone_in(tmp_path / "run"),
        pytest.raises(PerpetuumError, match="another training"),
        alone_in(tmp_path / "run"),
    ):
        pass
    with alone_in(tmp_path / "run"):
        assert (tmp_path / "run").is_dir()
