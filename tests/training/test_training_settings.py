"""Facts about the files of trainings: strict, with places, and completed by how much music there is."""

from __future__ import annotations

import json
import re

import jsonschema
import numpy as np
import pytest

from engine import assets
from engine.errors import PerpetuumError
from engine.networks import read_card
from engine.networks.configs import CONFIGS
from engine.training.amount import events_of, shortage, with_held_out
from engine.training.checkpoint import read_log, write_log
from engine.training.datasets import Augmentation, Dataset, DatasetPiece
from engine.training.defaults import complete
from engine.training.machine import batch_size, bytes_per_excerpt, free_memory
from engine.training.run import fingerprint, resumed_options
from engine.training.settings import RECIPES, SCHEMA, TrainingFile, find_settings, read_settings, training_schema
from engine.training.watching.signs import has_diverged, overfits
from tests.training.small_pieces import beats


def wrong(tmp_path, text: str) -> list[tuple[int, int, str, str, str]]:
    """What is wrong with a file: line, column, message, expected, suggestion."""
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    settings, found = read_settings(path)
    assert settings is None
    return [(one.line, one.column, one.message, one.expected, one.suggestion) for one in found]


def completed(config: str = "drum_kit", pieces=None, **given):
    pieces = beats() if pieces is None else pieces
    return complete(TrainingFile(config=config, **given), pieces, lambda: 2**34, lambda: False)


def test_a_file_of_settings_is_read_as_it_is_written(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "config: performance\nsizes: {layers: [64, 32]}\nbatch_size: 8\nlearning_rate: 1e-3\n"
        "dataset: {sources: [a], tempo: 60..120 qpm, transpose: [-2, 2]}\ncard: {licence: CC0}\n"
    )
    name, settings, found = find_settings(str(path))
    assert (name, found) == ("mine", [])
    assert settings.sizes.given() == {"layers": (64, 32)}
    assert settings.dataset.tempo == (60, 120)
    assert (settings.batch_size, settings.card.licence, settings.seed) == (8, "CC0", 0)


def test_the_example_of_the_page_is_valid(tmp_path):
    page = (RECIPES.parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    (tmp_path / "page.yaml").write_text(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    settings, found = read_settings(tmp_path / "page.yaml")
    assert found == []
    assert settings.config == "performance_with_dynamics"
    made = settings.dataset.build_settings(settings.config)
    assert (made.filters.tempo, made.augmentation.transpose) == ((60, 180), (-3, 3))
    assert made.augmentation.stretch == (0.95, 1.05)


def test_wrong_keys_and_values_are_told_all_at_once_with_their_places(tmp_path):
    text = "config: drumkit\nsizes:\n  layer: [64]\n  latent: 0\nlearning_rate: fast\ndropout: 1.5\nbatchsize: 3\n"
    found = wrong(tmp_path, text)
    assert [(line, column) for line, column, *_ in found] == [(1, 9), (3, 3), (4, 11), (5, 16), (6, 10), (7, 1)]
    assert [suggestion for *_, suggestion in found] == ["drum_kit", "layers", "", "", "", "batch_size"]
    assert found[3][2:4] == ("`learning_rate`: `fast` will not do", "a number")
    assert found[4][3] == "less than 1"


def test_what_is_wrong_with_the_choice_of_music_is_told_with_its_place(tmp_path):
    text = "config: performance\ndataset:\n  meters: [4/4, five]\n  instruments: [pino, 1]\n  transpose: [6, -6]\n"
    found = wrong(tmp_path, text + "  stretch: [0.9, 1, 1.1]\n")
    assert [(line, column) for line, column, *_ in found] == [(3, 17), (4, 17), (5, 3), (6, 3)]
    assert found[1][4] == "piano"
    assert "the lower one first" in found[2][3]
    assert found[3][3] == "two numbers, like `[0.95, 1.05]`"


def test_sizes_of_another_kind_of_network_are_told_with_their_place(tmp_path):
    (found,) = wrong(tmp_path, "config: cat-mel_2bar_small\nsizes: {layers: [64]}\n")
    assert found[:2] == (2, 9)
    assert "an autoencoder" in found[2]
    assert found[3] == "`encoder`, `decoder` or `latent`"


def test_a_network_that_cannot_be_trained_yet_is_refused_with_those_that_can(tmp_path):
    with pytest.raises(PerpetuumError, match="cannot be trained yet") as refusal:
        find_settings("performance_with_dynamics_and_note_encoding")
    assert "performance" in refusal.value.hint
    (found,) = wrong(tmp_path, "config: rnn-nade\n")
    assert "only imported" in found[2]
    assert "`polyphony`" in found[3]


def test_a_misspelt_config_or_recipe_is_told_what_is_near():
    with pytest.raises(PerpetuumError, match="no such file") as refusal:
        find_settings("perfomance")
    assert refusal.value.hint == "Did you mean performance?"
    with pytest.raises(PerpetuumError) as refusal:
        find_settings("recipes/drumkit")
    assert refusal.value.hint == "Did you mean recipes/drum_kit?"


def test_the_name_of_a_family_is_answered_with_its_configs():
    with pytest.raises(PerpetuumError, match="melody_rnn is a family of networks; say which one") as refusal:
        find_settings("melody_rnn")
    assert "attention_rnn" in refusal.value.hint


def test_every_shipped_weights_file_has_a_recipe():
    shipped = {path.stem for path in assets.shipped("weights").glob("*.safetensors")}
    assert shipped <= {path.stem for path in RECIPES.glob("*.yaml")}


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_recipes_are_valid_and_say_what_they_come_to(path):
    name, settings, found = find_settings(f"recipes/{path.stem}")
    assert (name, found) == (path.stem, [])
    assert settings.config in CONFIGS
    card = read_card(assets.shipped("weights") / f"{path.stem}.safetensors")
    assert card.config == settings.config
    assert settings.expected
    for figure, value in settings.expected.items():
        assert value == pytest.approx(card.metrics[figure], abs=6e-4), f"{figure} of the card"
    assert settings.cpu_hours
    assert settings.card.credits
    assert settings.card.licence != "not stated"
    assert path.read_text().startswith("# yaml-language-server: $schema=../training.schema.json\n")


def test_the_schema_beside_the_recipes_is_the_one_of_the_settings(tmp_path):
    assert SCHEMA.read_text(encoding="utf-8") == training_schema(), "write it with `perpetuum schema --training -o`"
    schema = json.loads(training_schema())
    jsonschema.Draft7Validator.check_schema(schema)
    judge = jsonschema.Draft7Validator(schema)
    assert judge.is_valid({"config": "performance", "sizes": {"layers": [8]}, "x-note": 1})
    for bad in ({}, {"config": "perf"}, {"config": "performance", "size": {}}, {"config": "drum_kit", "dropout": 1}):
        assert not judge.is_valid(bad)


def test_little_music_gets_a_small_network_and_much_dropout_and_is_told():
    few, told = completed()
    assert (few.sizes, few.dropout) == ({"layers": (64, 64)}, 0.4)
    assert "layers 64 + 64" in told
    assert f"{events_of([p for p in beats() if p.split == 'train'], 'drum_kit')} sixteenths" in told
    many, _ = completed(pieces=[DatasetPiece("p", "s", "train", np.zeros(16 * 40000, np.int16))])
    assert many.sizes["layers"] > few.sizes["layers"]
    assert many.dropout < few.dropout
    assert few.batches < many.batches


def test_what_is_given_is_not_chosen():
    given = {"sizes": {"layers": [5]}, "dropout": 0.1, "batches": 7, "batch_size": 3, "steps": 64, "warmup": 0}
    options, told = completed(**given)
    assert (options.sizes, options.batches, options.batch_size, options.steps) == ({"layers": (5,)}, 7, 3, 64)
    assert (options.dropout, options.warmup, told) == (0.1, 0, "")


def test_autoencoders_have_free_bits_and_their_own_length():
    options, told = completed("cat-drums_2bar_small")
    assert set(options.sizes) == {"latent", "encoder", "decoder"}
    assert (options.steps, options.free_bits) == (32, 48)
    assert "latent 32" in told


def test_a_batch_fits_the_memory_and_the_music():
    each = bytes_per_excerpt("performance", {"layers": (512, 512)}, 384)
    assert 10**7 < each < 10**8
    assert batch_size(each, 10**6, 2**36, gpu=True) == 128
    assert batch_size(each, 10**6, 2**36, gpu=False) == 32
    assert batch_size(each, 10**6, 16 * each, gpu=True) == 4
    assert batch_size(each, 1000, 2**36, gpu=False) == 16
    assert batch_size(each, 60, 2**36, gpu=False) == 8
    assert bytes_per_excerpt("cat-mel_2bar_small", {"encoder": (8,), "decoder": (8, 8)}, 32) > 0
    assert 2**20 < free_memory() < 2**50


def test_a_run_goes_on_with_its_own_settings_and_refuses_others(tmp_path):
    known, _ = completed(seed=3, dropout=0.25, batches=50)
    again = resumed_options(tmp_path, TrainingFile(config="drum_kit"), known, beats())
    assert again == known
    longer = resumed_options(tmp_path, TrainingFile(config="drum_kit", batches=80), known, beats())
    assert (longer.batches, longer.warmup) == (80, known.warmup)
    with pytest.raises(PerpetuumError) as refusal:
        resumed_options(tmp_path, TrainingFile(config="drum_kit", seed=4, dropout=0.3, batches=20), known, beats())
    for part in ("seed 4, it has 3", "dropout 0.3, it has 0.25", "batches 20, it has 50", str(tmp_path)):
        assert part in refusal.value.message
    with pytest.raises(PerpetuumError, match="config performance, it has drum_kit"):
        resumed_options(tmp_path, TrainingFile(config="performance"), known, beats())


def test_other_music_has_another_fingerprint():
    plain = Dataset(beats(), "drums")
    assert fingerprint(plain) == fingerprint(Dataset(beats(), "drums"))
    changed = [*beats()[:-1], DatasetPiece("b9", "s", "train", beats()[-1].events)]
    assert fingerprint(Dataset(changed, "drums")) != fingerprint(plain)
    assert fingerprint(Dataset(beats(), "drums", Augmentation((0, 1)))) != fingerprint(plain)


def test_where_nothing_is_held_out_by_chance_something_is_held_out():
    pieces = [DatasetPiece(str(k), "s", "train", beats()[0].events) for k in range(30)]
    split, told = with_held_out(pieces)
    assert [piece.split for piece in split].count("validation") == 2
    assert "2 of them are held out" in told
    kept, told = with_held_out(beats())
    assert ([piece.split for piece in kept], told) == ([piece.split for piece in beats()], "")
    parts = [DatasetPiece(f"{k // 3}#{k}", "s", "train", beats()[0].events) for k in range(30)]
    split, _ = with_held_out(parts)
    assert [piece.name for piece in split if piece.split == "validation"] == ["8#24", "8#25", "8#26"]
    split, _ = with_held_out(parts[:3])
    assert [piece.split for piece in split] == ["train", "train", "validation"]
    (train, end), told = with_held_out(pieces[:1])
    assert (train.split, end.split) == ("train", "validation")
    assert (len(train.events), len(end.events)) == (32, 32)
    assert "one piece" in told
    with pytest.raises(PerpetuumError, match="too short"):
        with_held_out([DatasetPiece("p", "s", "test", np.zeros(32, np.int16))])
    with pytest.raises(PerpetuumError, match="no music"):
        with_held_out([])


def test_little_music_is_told_with_how_much_is_wanted():
    assert "512 sixteenths in 8 pieces" in shortage(beats(), "drum_kit")
    assert shortage([DatasetPiece("p", "s", "train", np.zeros(200_000, np.int16))], "drum_kit") == ""


def test_over_fitting_is_a_rising_held_out_loss_under_a_falling_training_loss():
    def lines(train, held):
        return [{"train_loss": a, "held_out_loss": b} for a, b in zip(train, held, strict=True)]

    assert overfits(lines([3, 2, 1.5, 1.2, 1], [3, 2, 2.1, 2.2, 2.3]))
    assert not overfits(lines([3, 2, 1.5, 1.2, 1], [3, 2, 2.1, 2.0, 2.3]))
    assert not overfits(lines([1, 2, 2.5, 3, 4], [3, 2, 2.1, 2.2, 2.3]))
    assert not overfits(lines([3, 2, 1], [3, 2, 2.1]))


def test_divergence_is_a_loss_far_above_the_first_one():
    assert has_diverged(2.0, [2.0] * 5 + [9.0] * 20)
    assert not has_diverged(2.0, [7.0] * 20)
    assert not has_diverged(0.1, [2.0] * 20)
    assert not has_diverged(2.0, [])


def test_the_log_forgets_what_the_checkpoint_does_not_know(tmp_path):
    lines = [{"step": step, "train_loss": 1.0} for step in (5, 10, 15)]
    write_log(tmp_path, lines)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 20, "tra')
    assert read_log(tmp_path, 12) == lines[:2]
    assert read_log(tmp_path, 99) == lines
    assert read_log(tmp_path / "none", 9) == []
