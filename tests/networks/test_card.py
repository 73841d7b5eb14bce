"""Facts about weights files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from engine import assets
from engine.errors import PerpetuumError
from engine.networks import CONFIGS, load_network, read_card
from engine.networks.card import WeightsCard, write_weights
from engine.networks.layout import OUTPUT_BIASES, weight_shapes
from tests.networks.golden import made_up_weights

LAYERS = (4, 3)


@pytest.fixture
def weights():
    encoding = CONFIGS["attention_rnn"].make_encoding()
    return made_up_weights(weight_shapes(encoding.input_size, encoding.num_classes, LAYERS, 40))


@pytest.fixture
def card():
    return WeightsCard(
        "Test", "melody_rnn", "attention_rnn", LAYERS, "CC0", credits=("nobody",), metrics={"network": 1.5}
    )


def test_a_card_is_read_as_it_was_written(tmp_path, weights, card):
    write_weights(tmp_path / "net.safetensors", card, weights)
    assert read_card(tmp_path / "net.safetensors") == card
    assert load_network(tmp_path / "net.safetensors").layers == LAYERS
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


@pytest.mark.parametrize("name", ["drum_kit", "attention_rnn"])
def test_shipped_weights_are_small_and_say_where_they_come_from(name):
    path = assets.find("weights", name, suffix=".safetensors")
    assert path is not None
    card = read_card(path)
    assert card.config == name
    assert card.licence
    assert card.credits
    assert card.training_data
    assert path.stat().st_size < 8_000_000


@pytest.mark.parametrize("name", ["drum_kit", "attention_rnn"])
def test_shipped_weights_beat_every_baseline_on_held_out_music(name):
    path = assets.find("weights", name, suffix=".safetensors")
    assert path is not None
    metrics = read_card(path).metrics
    for baseline in ("unigram", "bigram", "copy_last", "copy_bar"):
        assert metrics["network"] < metrics[baseline]


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(PerpetuumError, match="no such weights file"):
        read_card(tmp_path / "net.safetensors")


def _damaged(content: bytes, how: str) -> bytes:
    if how == "empty":
        return b""
    if how == "cut":
        return content[: len(content) // 2]
    if how == "other":
        return b"PK\x03\x04 something else entirely" * 10
    return b"\xff" * 8 + content[8:]


@pytest.mark.parametrize("how", ["empty", "cut", "other", "header"])
def test_a_broken_file_is_a_clear_error(tmp_path, weights, card, how):
    path = tmp_path / "net.safetensors"
    write_weights(path, card, weights)
    path.write_bytes(_damaged(path.read_bytes(), how))
    for read in (read_card, load_network):
        with pytest.raises(PerpetuumError, match="not a readable weights file"):
            read(path)


def test_a_safetensors_file_without_a_card_is_a_clear_error(tmp_path, weights):
    save_file(weights, tmp_path / "net.safetensors")
    with pytest.raises(PerpetuumError, match="without a card"):
        read_card(tmp_path / "net.safetensors")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "its card cannot be read"),
        ("[]", "its card cannot be read"),
        (json.dumps({"version": 1, "config": "drum_kit"}), "its card cannot be read"),
        (json.dumps({"version": 99}), "newer perpetuum"),
        (
            json.dumps({"version": 1, "name": "", "family": "", "config": "oboe_rnn", "layers": [4], "licence": ""}),
            "'oboe_rnn', which this perpetuum does not know",
        ),
    ],
)
def test_a_card_that_makes_no_sense_is_a_clear_error(tmp_path, weights, text, message):
    save_file(weights, tmp_path / "net.safetensors", metadata={"card": text})
    with pytest.raises(PerpetuumError, match=message):
        read_card(tmp_path / "net.safetensors")


def test_a_missing_or_misshapen_weight_is_named(tmp_path, weights, card):
    path = tmp_path / "net.safetensors"
    write_weights(path, card, {name: value for name, value in weights.items() if name != OUTPUT_BIASES})
    with pytest.raises(PerpetuumError, match="fully_connected/biases is missing"):
        read_card(path)
    write_weights(path, card, weights | {OUTPUT_BIASES: np.zeros(7, np.float32)})
    with pytest.raises(PerpetuumError, match=r"fully_connected/biases is \[7\], but attention_rnn needs \[40\]"):
        read_card(path)


def test_weights_that_are_not_numbers_are_a_clear_error(tmp_path, weights, card):
    write_weights(tmp_path / "net.safetensors", card, weights | {OUTPUT_BIASES: np.full(40, np.nan, np.float32)})
    with pytest.raises(PerpetuumError, match="not finite"):
        load_network(tmp_path / "net.safetensors")
