"""`perpetuum chorale`, with a small network of made-up weights."""

from __future__ import annotations

import json

import jsonschema
import mido
import numpy as np
import pytest
from click.testing import CliRunner

from engine.cli import cli
from engine.score.midi.writing import write_piece
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from tests.cli.weights import made_up


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(made_up(tmp_path_factory.mktemp("weights"), "chorale"))


def run(weights, *words):
    common = ("--checkpoint", weights, "--seed", "1", "--candidates", "2")
    return CliRunner().invoke(cli, ["chorale", *common, *map(str, words)])


def tune(path, pitches=(72, 74, 76, 72)):
    notes = [(beat, beat + 1, pitch, 90) for beat, pitch in enumerate(pitches)]
    write_piece(path, Piece((Track(np.array(notes, NOTE), "Lead"),), 90.0))
    return path


@pytest.fixture(scope="module")
def made(weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    result = run(weights, "--bars", 2, "--json", "--top", 3, "-o", folder)
    assert result.exit_code == 0, result.output
    (text,) = folder.glob("*.json")
    return json.loads(text.read_text("utf-8")), text.with_suffix(".mid")


def test_the_json_is_as_its_schema_says(made):
    """By another validator than the one that wrote it."""
    schema = json.loads(CliRunner().invoke(cli, ["schema", "--chorale"]).output)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(made[0], schema)


def test_tokens_are_all_voices_in_the_order_in_which_they_were_sung(made):
    record = made[0]
    assert [(token["step"], token["voice"]) for token in record["tokens"]] == [
        (step, voice) for step in range(record["steps"]) for voice in range(4)
    ]
    assert all(len(token["expected"]) <= 3 for token in record["tokens"])
    assert all(sum(one["probability"] for one in token["expected"]) <= 1.001 for token in record["tokens"])


def test_the_file_has_four_tracks_whose_velocities_are_entropies(made):
    """The file as mido reads it, beside the entropies of the JSON."""
    record, path = made
    found = []
    for track in mido.MidiFile(str(path)).tracks:
        told = [message.dict() for message in track if message.type == "note_on"]
        found.append(sorted((one["note"], one["velocity"]) for one in told if one["velocity"]))
    found = [notes for notes in found if notes]
    entropy = {(token["step"], token["voice"]): token["entropy"] for token in record["tokens"]}
    for voice in range(4):
        notes = [note for note in record["notes"] if note["voice"] == voice]
        wanted = [(n["pitch"], round(1 + 42 * min(3, entropy[round(4 * n["start"]), voice]))) for n in notes]
        assert len(found[voice]) == len(wanted)
        for (pitch, velocity), (other, expected) in zip(found[voice], sorted(wanted), strict=True):
            assert pitch == other
            assert abs(velocity - expected) <= 1


def test_a_melody_is_sung_as_it_is(weights, tmp_path):
    result = run(weights, "--harmonise", tune(tmp_path / "tune.mid"), "--json", "-o", tmp_path)
    assert result.exit_code == 0, result.output
    record = json.loads(next(tmp_path.glob("*.json")).read_text("utf-8"))
    assert [(n["start"], n["end"], n["pitch"]) for n in record["notes"] if n["voice"] == 0] == [
        (0, 1, 72),
        (1, 2, 74),
        (2, 3, 76),
        (3, 4, 72),
    ]
    assert record["qpm"] == pytest.approx(90)
    assert all(token["given"] == (token["voice"] == 0) for token in record["tokens"])


def test_the_same_seed_gives_the_same_file_and_a_sweep_one_of_each_temperature(weights, tmp_path):
    for name in ("a", "b"):
        result = run(weights, "--bars", 1, "--temperature", 0.8, "--temperature", 1.2, "-o", tmp_path / name)
        assert result.exit_code == 0, result.output
    one, other = (sorted((tmp_path / name).glob("*.mid")) for name in ("a", "b"))
    assert [path.name for path in one] == ["chorale-0.8-01.mid", "chorale-1.2-01.mid"]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


@pytest.mark.parametrize(
    ("pitches", "words", "said"),
    [
        ((), (), "no notes"),
        ((40, 100), (), "spans 60 semitones"),
        ((60,), ("--track", "Nobody"), "no track"),
    ],
)
def test_what_cannot_be_harmonised_is_said(weights, tmp_path, pitches, words, said):
    result = run(weights, "--harmonise", tune(tmp_path / "tune.mid", pitches), *words, "-o", tmp_path)
    assert result.exit_code != 0
    assert said in str(result.exception)
    assert not list(tmp_path.glob("*chorale*"))


def test_a_melody_outside_the_voices_range_is_sung_where_it_lies(weights, tmp_path):
    result = run(weights, "--harmonise", tune(tmp_path / "low.mid", (40, 42)), "--json", "-o", tmp_path)
    assert result.exit_code == 0, result.output
    record = json.loads(next(tmp_path.glob("*.json")).read_text("utf-8"))
    assert [note["pitch"] for note in record["notes"] if note["voice"] == 0] == [40, 42]


def test_other_verbs_say_that_the_network_is_not_for_them(weights):
    result = CliRunner().invoke(cli, ["generate", weights])
    assert result.exit_code != 0
    assert "not for this" in str(result.exception)
