"""Facts about training: it learns, resumes exactly, and what it exports plays."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks import CONFIGS, read_card
from engine.networks.encodings.whole import encode
from engine.training.__main__ import main
from engine.training.batches import Crops, held_out, held_out_batches
from engine.training.corpora import read_corpus
from engine.training.evaluate_rnn import baselines, event_mass
from engine.training.material import Excerpt, material_of, reorchestrate
from engine.training.pieces import Piece, split_by_family
from engine.training.statistics import drum_statistics, melody_statistics
from tests.networks.golden import made_up_weights
from tests.training.test_corpora import rock, write_drums

LAYERS = (12, 8)


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    for k in range(40):
        write_drums(folder / f"{k}.mid", rock(6, seed=k))
    return folder


def pieces_of(songs) -> list[Piece]:
    pieces = split_by_family(list(read_corpus("drums", songs)))
    names = ("train", "validation", "test")
    # Every tenth piece held out for each purpose, whatever the hash says of so few.
    return [Piece(p.name, p.source, names[max(0, k % 10 - 7)], p.events) for k, p in enumerate(pieces)]


def trainer_of(config, pieces, folder, **settings):
    from engine.training.task import TrainingOptions
    from engine.training.tasks import make_task
    from engine.training.trainer import Trainer

    options = TrainingOptions(config, **settings)
    return Trainer(options, make_task(options, pieces), folder, say=lambda line: None)


def trainer(songs, folder, **changes):
    settings = {"batch_size": 4, "steps": 32, "warmup": 2, "total": 12, "dropout": 0.3, "evaluate_every": 4} | changes
    return trainer_of("drum_kit", pieces_of(songs), folder, sizes={"layers": LAYERS}, **settings)


@pytest.mark.models
def test_from_midi_files_to_generated_drums_by_the_command(songs, tmp_path, capsys):
    run, weights = tmp_path / "run", tmp_path / "tiny.safetensors"
    (tmp_path / "about.json").write_text(json.dumps({"name": "Tiny", "licence": "CC0", "credits": ["the test"]}))
    pieces = ["--data", str(run / "pieces.npz")]
    train = ["train", "drum_kit", "--data", str(songs), "-o", str(run), "--layers", "12", "8", "--batch-size", "4"]
    assert main([*train, "--steps", "32", "--batches", "6", "--evaluate-every", "3"]) == 0
    printed = capsys.readouterr().out
    assert "held_out_loss" in printed
    assert "minutes_left" in printed
    assert (
        main(["export", "drum_kit", str(run), *pieces, "-o", str(weights), "--about", str(tmp_path / "about.json")])
        == 0
    )
    card = read_card(weights)
    assert (card.name, card.licence, card.sizes["layers"]) == ("Tiny", "CC0", list(LAYERS))
    capsys.readouterr()
    assert main(["evaluate", "drum_kit", *pieces, str(weights)]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["network"] == pytest.approx(card.metrics["network"], abs=1e-3)
    assert figures["bigram"] < figures["unigram"]
    assert main(["sample", "drum_kit", *pieces, str(weights), "--count", "2", "--temperatures", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["corpus"]["backbeat"] == 1.0
    assert main(["train", "attention_rnn", "--data", str(songs), "-o", str(tmp_path / "none")]) == 1
    assert "no melody found" in capsys.readouterr().err


@pytest.mark.models
def test_training_lowers_the_loss_and_keeps_the_best(songs, tmp_path):
    learner = trainer(songs, tmp_path, learning_rate=2e-2)
    before = learner.task.judge()["held_out_loss"]
    learner.run()
    assert learner.best_loss < before - 0.1
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [4, 8, 12]
    assert learner.best_loss == pytest.approx(min(line["held_out_loss"] for line in lines), abs=1e-4)


@pytest.mark.models
def test_a_resumed_training_is_the_same_training(songs, tmp_path):
    whole = trainer(songs, tmp_path / "whole")
    losses = [whole.train_step() for _ in range(6)]
    first = trainer(songs, tmp_path / "parts")
    assert not first.resume()
    parts = [first.train_step() for _ in range(3)]
    first.save()
    second = trainer(songs, tmp_path / "parts", seed=99)
    assert second.resume()
    assert second.step == 3
    parts += [second.train_step() for _ in range(3)]
    assert parts == losses
    for name, value in whole.model.get_by_name().items():
        np.testing.assert_array_equal(second.model.get_by_name()[name], value)


@pytest.mark.models
def test_a_checkpoint_of_another_network_is_a_clear_error(songs, tmp_path):
    trainer(songs, tmp_path).save()
    other = trainer_of("drum_kit", pieces_of(songs), tmp_path, sizes={"layers": (5,)}, steps=32)
    with pytest.raises(PerpetuumError, match="does not fit this network"):
        other.resume()


@pytest.mark.models
def test_too_few_pieces_are_a_clear_error(songs, tmp_path):
    with pytest.raises(PerpetuumError, match="both are needed"):
        trainer_of("drum_kit", pieces_of(songs)[:1], tmp_path, sizes={"layers": (5,)})


def melody_piece() -> Piece:
    events = np.full(320, -2, np.int16)
    events[::4] = [62 + (0, 2, 4, 5, 7, 9, 11)[k * 3 % 7] for k in range(80)]
    return Piece("m", "s", "train", events)


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


def test_an_events_probability_is_that_of_all_classes_that_mean_it():
    encoding = CONFIGS["attention_rnn"].make_encoding()
    network = CONFIGS["attention_rnn"].build(made_up_weights(CONFIGS["attention_rnn"].default_layout((6,)).shapes()))
    inputs, _ = encode(encoding, [60] * 20)
    logits = network.run(inputs)[0][-1]
    shares = np.exp(logits) / np.exp(logits).sum()
    stream = encoding.stream()
    for event in [60] * 20:
        stream.push(event)
    mass = event_mass(encoding, stream, shares)
    assert sum(mass.values()) == pytest.approx(1.0)
    assert mass[60] == pytest.approx(shares[60 - 48] + shares[38])


def test_baselines_know_what_they_can_know():
    rng = np.random.default_rng(0)
    noise = [Excerpt(rng.integers(0, 512, 512)) for _ in range(6)]
    bars = [Excerpt(np.tile(rng.integers(0, 512, 16), 32)) for _ in range(6)]
    pairs = [Excerpt(np.array([1, 2] * 128)) for _ in range(6)]
    random, repeated, alternating = (baselines(part[:4], part[4:], 512, 16) for part in (noise, bars, pairs))
    assert random["unigram"] == pytest.approx(np.log(512), abs=0.3)
    assert repeated["copy_bar"] < 0.6 < repeated["unigram"]
    assert alternating["bigram"] < 0.1 < alternating["unigram"]


def test_statistics_tell_silence_and_repetition():
    bar = np.zeros(16, np.int16)
    bar[[0, 4, 12]] = [1, 2, 2]
    figures = drum_statistics([np.concatenate([bar, bar, np.zeros(16, np.int16), bar])])
    assert (figures["silent_bars"], figures["backbeat"], figures["hits_per_bar"]) == (0.25, 0.75, 2.25)
    assert figures["repeated_bars"] == pytest.approx(1 / 3)
    melody = np.full(32, -2, np.int16)
    melody[[0, 4, 8]] = [60, 64, -1]
    figures = melody_statistics([melody])
    assert (figures["notes_per_bar"], figures["rest_share"], figures["range"]) == (1.0, 0.75, 4.0)
    assert (figures["mean_length"], figures["on_beat"], figures["in_key"]) == (4.0, 1.0, 1.0)
