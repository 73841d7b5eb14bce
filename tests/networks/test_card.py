"""Facts about weights files."""

from __future__ import annotations

import json
import stat
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from engine import assets
from engine.errors import PerpetuumError
from engine.networks import CONFIGS, load_network, read_card
from engine.networks.card import WeightsCard, read_weights, write_weights
from engine.networks.rnn.layout import OUTPUT_BIASES, RnnLayout

LAYOUT = RnnLayout(74, 40, (4, 3), "inner", 40)
SHIPPED = sorted(assets.names("weights", ".safetensors"))


@pytest.fixture(scope="module")
def weights():
    rng = np.random.default_rng(7)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in LAYOUT.shapes().items()}


CARD = WeightsCard(
    "Test",
    "melody_rnn",
    "attention_rnn",
    {"layers": [4, 3], "attention": "inner"},
    "CC0",
    credits=("nobody",),
    metrics={"network": 1.5},
    imported_from={"file": "test.mag"},
)


def raw_file(path, header: object, data: bytes = b"", size: int | None = None) -> None:
    """A safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if size is None else size) + text + data)


def test_a_card_is_read_as_it_was_written(tmp_path, weights):
    write_weights(tmp_path / "net.safetensors", CARD, weights)
    assert read_card(tmp_path / "net.safetensors") == CARD
    assert load_network(tmp_path / "net.safetensors").config.name == "attention_rnn"
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


def test_a_weights_file_can_be_read_by_whoever_may_read_other_files(tmp_path, weights):
    write_weights(tmp_path / "net.safetensors", CARD, weights)
    (tmp_path / "other").touch()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


@pytest.mark.parametrize(
    ("dtype", "error"), [(np.float64, 0), (np.float32, 0), (np.float16, 2**-11)], ids=lambda value: str(value)
)
def test_weights_of_every_precision_are_read_as_float32(dtype, error, tmp_path, weights):
    write_weights(tmp_path / "net.safetensors", CARD, weights, dtype)
    _, read = read_weights(tmp_path / "net.safetensors")
    for name, value in weights.items():
        assert read[name].dtype == np.float32
        np.testing.assert_allclose(read[name], value, rtol=error, atol=1e-7 if error else 0)


def test_bfloat16_is_the_upper_half_of_a_float32(tmp_path, weights):
    header: dict = {"__metadata__": {"card": json.dumps(_values())}}
    data = b""
    for name, value in weights.items():
        upper = (value.view(np.uint32) >> 16).astype(np.uint16).tobytes()
        header[name] = {"dtype": "BF16", "shape": value.shape, "data_offsets": [len(data), len(data) + len(upper)]}
        data += upper
    raw_file(tmp_path / "net.safetensors", header, data)
    _, read = read_weights(tmp_path / "net.safetensors")
    for name, value in weights.items():
        np.testing.assert_allclose(read[name], value, rtol=2**-7)


def test_weights_too_large_for_their_precision_are_not_written(tmp_path, weights):
    with pytest.raises(ValueError, match="fully_connected/biases has numbers that float16 cannot hold"):
        write_weights(tmp_path / "net.safetensors", CARD, weights | {OUTPUT_BIASES: np.full(40, 1e6, np.float32)})
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_stays_whole_when_writing_fails(tmp_path, weights):
    path = tmp_path / "net.safetensors"
    write_weights(path, CARD, weights)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="cannot hold"):
        write_weights(path, CARD, weights | {OUTPUT_BIASES: np.full(40, np.nan, np.float32)})
    assert path.read_bytes() == before


def test_the_length_of_an_attention_window_is_taken_from_the_card(tmp_path, weights):
    write_weights(tmp_path / "net.safetensors", WeightsCard(**(_values() | {"attention_length": 16})), weights)
    assert load_network(tmp_path / "net.safetensors").config.attention_length == 16


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_say_where_they_come_from(name):
    path = assets.find("weights", name, suffix=".safetensors")
    assert path is not None
    card = read_card(path)
    assert card.config in CONFIGS
    assert card.licence
    assert card.credits
    assert card.training_data
    assert path.stat().st_size < 20_000_000


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
def test_a_broken_file_is_a_clear_error(tmp_path, weights, how):
    path = tmp_path / "net.safetensors"
    write_weights(path, CARD, weights)
    path.write_bytes(_damaged(path.read_bytes(), how))
    for read in (read_card, load_network):
        with pytest.raises(PerpetuumError, match="not a readable weights file"):
            read(path)


def _tensor(begin: int, end: int, shape=(2,), dtype="F32") -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "header",
    [
        {"a": _tensor(0, 8), "b": _tensor(4, 12)},  # one inside the other
        {"a": _tensor(0, 8), "b": _tensor(16, 24)},  # a gap
        {"a": _tensor(0, 1 << 40, (1 << 38,))},  # beyond the end
        {"a": _tensor(0, 8, (1 << 62, 4))},  # a product that overflows
        {"a": _tensor(8, 0)},
        {"a": _tensor(0, 8, (-2, -1))},
        {"a": _tensor(0, 8, dtype="F99")},
        {"a": 7},
        [],
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_hostile_header_is_a_clear_error(header, tmp_path):
    raw_file(tmp_path / "net.safetensors", header, bytes(64))
    for read in (read_card, read_weights):
        with pytest.raises(PerpetuumError, match="not a readable weights file"):
            read(tmp_path / "net.safetensors")


@pytest.mark.parametrize("size", [1 << 62, (1 << 64) - 1, 50_000_000])
def test_a_header_that_claims_to_be_huge_takes_no_memory(size, tmp_path):
    path = tmp_path / "net.safetensors"
    raw_file(path, b"{" + b" " * 9_000_000, size=size)
    tracemalloc.start()
    try:
        with pytest.raises(PerpetuumError, match="its header would be larger than"):
            read_card(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_numbers_that_are_no_weights_are_a_clear_error(tmp_path, weights):
    integers = {name: value.astype(np.int32) for name, value in weights.items()}
    save_file(integers, tmp_path / "net.safetensors", metadata={"card": json.dumps(_values())})
    with pytest.raises(PerpetuumError, match="is stored as I32"):
        read_card(tmp_path / "net.safetensors")


def test_a_safetensors_file_without_a_card_is_a_clear_error(tmp_path, weights):
    save_file(weights, tmp_path / "net.safetensors")
    with pytest.raises(PerpetuumError, match="without a card"):
        read_card(tmp_path / "net.safetensors")


def _values(**changes) -> dict:
    """The card as JSON values."""
    values = {name: getattr(CARD, name) for name in CARD.__slots__}
    return values | changes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "its card cannot be read"),
        ("[]", "its card cannot be read"),
        ("[" * 100_000, "its card cannot be read"),
        ("1" * 10_000, "its card cannot be read"),
        (json.dumps({"version": 1, "config": "drum_kit"}), "its card cannot be read"),
        (json.dumps({"version": 99}), "newer perpetuum"),
        (json.dumps(_values(config="oboe_rnn")), "'oboe_rnn', which this perpetuum does not know"),
        (json.dumps(_values(config=["drum_kit"])), "config is no text"),
        (json.dumps(_values(sizes=[4, 3])), "sizes is no mapping"),
        (json.dumps(_values(credits="nobody")), "credits is no list of texts"),
        (json.dumps(_values(credits=[1])), "credits is no list of texts"),
        (json.dumps(_values(name="\ud800")), "its card cannot be read"),
        (json.dumps(_values(attention_length=1 << 60)), "attention_length is 1152921504606846976"),
        (json.dumps(_values(attention_length=True)), "attention_length is True"),
        (json.dumps(_values(config="basic_rnn", attention_length=8)), "speaks of attention, which basic_rnn does not"),
        (json.dumps(_values(sizes={"layers": [5, 3]})), r"the card says \{'layers': \[5, 3\]\}, the weights have"),
    ],
)
def test_a_card_that_makes_no_sense_is_a_clear_error(tmp_path, weights, text, message):
    save_file(weights, tmp_path / "net.safetensors", metadata={"card": text})
    with pytest.raises(PerpetuumError, match=message):
        read_card(tmp_path / "net.safetensors")


@settings(max_examples=80)
@given(at=st.integers(0, 3000), new=st.binary(min_size=1, max_size=12), cut=st.integers(0, 5))
def test_nothing_but_a_clear_error_comes_out_of_a_mangled_file(tmp_path_factory, weights, at, new, cut):
    path = tmp_path_factory.getbasetemp() / "mangled.safetensors"
    write_weights(path, CARD, weights)
    content = path.read_bytes()
    path.write_bytes(content[:at] + new + content[at + cut :])
    try:
        card, _ = read_weights(path)
    except PerpetuumError as error:
        assert error.message.startswith(str(path))  # noqa: PT017
    else:
        assert card.config in CONFIGS


def test_a_missing_a_misshapen_and_a_strange_weight_are_named(tmp_path, weights):
    path = tmp_path / "net.safetensors"
    write_weights(path, CARD, {name: value for name, value in weights.items() if name != OUTPUT_BIASES})
    with pytest.raises(PerpetuumError, match="fully_connected/biases is missing"):
        read_card(path)
    write_weights(path, CARD, weights | {OUTPUT_BIASES: np.zeros(7, np.float32)})
    with pytest.raises(PerpetuumError, match=r"fully_connected/biases is \[7\], but attention_rnn needs \[40\]"):
        read_card(path)
    write_weights(path, CARD, weights | {"one_more": np.zeros(7, np.float32)})
    with pytest.raises(PerpetuumError, match="one_more is left over"):
        read_card(path)


def test_weights_that_are_not_numbers_are_a_clear_error(tmp_path, weights):
    worse = weights | {OUTPUT_BIASES: np.full(40, np.nan, np.float32)}
    save_file(worse, tmp_path / "net.safetensors", metadata={"card": json.dumps(_values())})
    with pytest.raises(PerpetuumError, match="not finite"):
        load_network(tmp_path / "net.safetensors")
