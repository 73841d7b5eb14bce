"""Facts about `perpetuum train`: from a folder of MIDI files to a scene that plays what was learnt."""

import re

import mido
import numpy as np
import pytest

from engine.generators.chain import make_phrase
from engine.networks import read_card
from engine.score.phrase import Origin
from engine.training.export import scene_lines
from engine.training.settings import training_schema
from tests.cli.generating import fails, run
from tests.cli.weights import made_up
from tests.generators.asking import request

TINY = """\
config: performance
sizes: {layers: [12]}
batch_size: 4
steps: 64
batches: 6
evaluate_every: 3
card: {name: Mine, licence: CC0, credits: [the test]}
"""
SCENE = """\
perpetuum: 1
title: Mine
meter: 4/4
tempo: 100 qpm
key: C major
parts:
  piano:
    LINES
sections:
  all: {bars: 8 bars, parts: [piano]}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_performance(path, seed):
    """A piece of piano, played freely: runs and chords at any time."""
    rng = np.random.default_rng(seed)
    track = mido.MidiTrack()
    for pitch in 60 + rng.integers(-12, 13, 160):
        track.append(mido.Message("note_on", note=int(pitch), velocity=70, time=int(rng.integers(0, 60))))
        track.append(mido.Message("note_off", note=int(pitch), time=int(rng.integers(30, 200))))
    path.parent.mkdir(exist_ok=True)
    mido.MidiFile(tracks=[track]).save(path)


@pytest.mark.models
def test_a_folder_of_midi_files_becomes_a_network_that_plays_in_a_scene(tmp_path):
    for seed in range(12):
        write_performance(tmp_path / "midi" / f"{seed}.mid", seed)
    (tmp_path / "tiny.yaml").write_text(TINY)
    stopped = run("train", "tiny.yaml", "--data", "midi", "-o", "run", "--minutes", 1e-9)
    assert stopped.exit_code == 0, stopped.output
    assert "Stopped after batch 1 of 6." in stopped.stderr
    assert "the same command goes on with it" in stopped.stderr
    assert "weights of batch 1," in stopped.stdout
    assert "12 pieces of performance" in stopped.stderr
    assert "This is little music" in stopped.stderr
    done = run("train", "tiny.yaml", "--data", "midi", "-o", "run")
    assert done.exit_code == 0, done.output
    assert "Going on with run after batch 1 of 6." in done.stderr
    assert "All 6 batches are done" in done.stderr
    first, figures, *heard = done.stdout.splitlines()
    heard, lines = heard[: heard.index("In a scene:")], heard[heard.index("In a scene:") + 1 :]
    assert any(re.search(r"voices at once \([\d.]+\), notes of [\d.]+ s \([\d.]+\)", row) for row in heard)
    assert any(re.fullmatch(r"  Begin with temperature: [\d.]+", row) for row in heard)
    assert any("To listen to: run/tiny-listen.mid" in row for row in heard)
    assert sum(one.type == "note_on" for one in mido.MidiFile("run/tiny-listen.mid"))
    assert first.startswith("run/tiny.safetensors: performance_rnn performance, weights of batch ")
    assert re.search(r"\d+ % (less|more) surprised by it", figures)
    card = read_card("run/tiny.safetensors")
    assert (card.name, card.licence, card.credits, card.training_data) == ("Mine", "CC0", ("the test",), ("midi",))
    assert card.metrics["network"] > 0
    assert re.fullmatch(r"[0-9a-f]{64}", card.trained["data"])
    assert len(lines) == 2
    (tmp_path / "mine.yaml").write_text(SCENE.replace("LINES", "\n    ".join(line.strip() for line in lines)))
    checked = run("check", "mine.yaml")
    assert checked.exit_code == 0, checked.output
    settings = {"config": "performance", "weights": "run/tiny.safetensors"}
    phrase, _ = make_phrase("performance_rnn", request("performance_rnn", settings=settings, bars=2), {})
    assert phrase.provenance.origin is Origin.NETWORK
    other = fails("train", "tiny.yaml", "--data", "midi", "-o", "run", "--seed", 4)
    assert "seed 4, it has 0" in other
    write_performance(tmp_path / "more" / "x.mid", 99)
    assert "it has" in fails("train", "tiny.yaml", "--data", "more", "-o", "run")


@pytest.mark.parametrize(
    "config",
    [
        "one_drum",
        "lookback_rnn",
        "basic_improv",
        "polyphony",
        "performance_with_dynamics",
        "cat-mel_2bar_small",
        "cat-drums_2bar_small",
        "groovae_2bar_tap_fixed_velocity",
        "groovae_2bar_add_closed_hh",
    ],
)
def test_the_lines_for_a_scene_are_valid_for_every_family(tmp_path, config):
    (tmp_path / "my run").mkdir()
    path = made_up(tmp_path / "my run", config)
    lines = scene_lines(read_card(path), path.relative_to(tmp_path))
    assert len(lines) == (3 if config == "cat-drums_2bar_small" else 2)
    part = "\n    ".join(lines) + ("" if "instrument" in lines[-1] else "\n    instrument: studio_kit")
    chords = "chords:\n    generator: chord_walk\n    instrument: warm_pad\n  piano:"
    scene = SCENE.replace("piano:\n", chords + "\n").replace("[piano]", "[chords, piano]").replace("LINES", part)
    (tmp_path / "mine.yaml").write_text(scene)
    checked = run("check", "mine.yaml")
    assert checked.exit_code == 0, checked.output


def test_what_is_wrong_with_the_settings_is_told_with_its_place_before_anything_is_read(tmp_path):
    (tmp_path / "mine.yaml").write_text("config: performance\nlayers: [64]\n")
    result = run("train", "mine.yaml", "--data", tmp_path)
    assert result.exit_code == 1
    assert "mine.yaml:2:1: error: unknown key `layers` in the training" in result.stderr
    assert not (tmp_path / "mine-run").exists()


def test_a_config_that_is_none_is_told_what_is_near(tmp_path):
    assert "Did you mean performance?" in fails("train", "perfomance", "--data", tmp_path)


def test_a_recipe_says_which_folders_it_wants(tmp_path):
    text = fails("train", "recipes/drum_kit", "--data", tmp_path)
    assert f"{tmp_path}/groove: there is no such folder" in text
    assert "groove, freedoom_midi" in text


def test_the_schema_of_settings_is_printed_for_editors(tmp_path):
    result = run("schema", "--training")
    assert (result.exit_code, result.stdout) == (0, training_schema())
    assert "two different things" in fails("schema", "--training", "--settings")
