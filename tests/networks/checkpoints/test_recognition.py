"""Facts about telling which network a checkpoint is."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks import CONFIGS, load_network
from engine.networks.checkpoints import open_checkpoint, open_weights, read_card, recognise
from engine.networks.checkpoints.names import modernised, read_names
from engine.networks.checkpoints.variables import Variable
from tests.networks.checkpoints import writing
from tests.networks.checkpoints.test_reading import CHECKPOINTS, FIXTURES, REFERENCE, floats, reference_weights

INNER, OUTER = "melody_rnn__attention_rnn__small.mag", "melody_rnn__attention_rnn_outer__small.mag"
CONFIG_OF = {
    "basic_rnn.ckpt.index": "basic_rnn",
    "cat-mel_2bar_small.tar": "cat-mel_2bar_small",
    "drums_rnn__one_drum__small.mag": "one_drum",
    "groovae_4bar.tar": "groovae_4bar",
    "hierdec-mel_16bar.tar": "hierdec-mel_16bar",
    INNER: "attention_rnn",
    OUTER: "attention_rnn",
    "performance_rnn__performance_with_dynamics_compact__small.mag": "performance_with_dynamics_compact",
    "pianoroll_rnn_nade__rnn_nade_attn__small.mag": "rnn-nade_attn",
}


def variables_of(name: str) -> dict[str, np.ndarray]:
    source = open_checkpoint(FIXTURES / name).source
    return source.read(floats(source))


def checked_card(path):
    """Card of a checkpoint, after its weights were held against the rule of the reference run."""
    checkpoint = open_checkpoint(path)
    card, weights = open_weights(path)
    expected = reference_weights(path, checkpoint.generator, floats(checkpoint.source))
    assert weights.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(weights[name], value, err_msg=name)
    return card


@pytest.mark.parametrize("path", CHECKPOINTS, ids=lambda path: path.name)
def test_a_checkpoint_of_magenta_is_recognised_and_becomes_a_network(path):
    card = checked_card(path)
    assert card.config == CONFIG_OF[path.name]
    assert read_card(path) == card
    assert load_network(path).config.name == card.config


@pytest.mark.skipif(REFERENCE is None, reason="PERPETUUM_REFERENCE is not set")
def test_every_checkpoint_of_the_reference_is_recognised_and_becomes_a_network():
    assert REFERENCE is not None
    paths = [path for end in ("mag", "tar", "index") for path in REFERENCE.glob(f"checkpoints/*__small/*.{end}")]
    assert len(paths) > 60
    for path in paths:
        card = checked_card(path)
        wanted = re.split("__", path.parent.name)[1].removesuffix("_outer").replace("-", "_")
        # Fed otherwise, but the same weights: a bare checkpoint cannot tell.
        same = wanted if path.suffix == ".mag" else wanted.replace("_compact", "")
        assert card.config.replace("-", "_") in (wanted, same)
        assert load_network(path).config.name == card.config


@pytest.mark.skipif(REFERENCE is None, reason="PERPETUUM_REFERENCE is not set")
def test_a_training_of_magenta_loses_its_optimizer_and_says_how_long_it_was():
    assert REFERENCE is not None
    checkpoint = open_checkpoint(REFERENCE / "checkpoints/trained__drum_kit/train")
    recognition = recognise(checkpoint)
    assert recognition.config == "drum_kit"
    assert recognition.names.dropped == {"optimizer": 34, "counters and rates": 1}
    assert read_card(checkpoint.path).imported_from["training_steps"] == 30


@pytest.mark.parametrize("name", [INNER, OUTER])
@pytest.mark.parametrize(
    ("spelling", "era"),
    [(writing.legacy_name, "TensorFlow 0.12 or before"), (writing.early_name, "TensorFlow 1.0 or 1.1")],
)
def test_older_spellings_of_both_attention_layouts_give_the_same_weights(name, spelling, era, tmp_path):
    modern = variables_of(name)
    old = {spelling(key): value for key, value in modern.items()}
    assert len(old.keys() & modern.keys()) == 4 if era.startswith("TensorFlow 1") else 2
    path = tmp_path / "old.mag"
    path.write_bytes(writing.bundle("attention_rnn", writing.v1(old)))
    card, weights = open_weights(path)
    assert card.imported_from["names"] == era
    assert card.sizes["attention"] == ("inner" if name == INNER else "outer")
    assert weights.keys() == modern.keys()
    for key, value in modern.items():
        np.testing.assert_array_equal(weights[key], value, err_msg=key)


# The names of a published bundle of 2016, and of magenta-js.
@pytest.mark.parametrize(
    ("old", "modern"),
    [
        (
            "RNN/AttentionCellWrapper/MultiRNNCell/Cell1/BasicLSTMCell/Linear/Matrix",
            "rnn/attention_cell_wrapper/multi_rnn_cell/cell_1/basic_lstm_cell/kernel",
        ),
        ("RNN/AttentionCellWrapper/Attention/AttnW", "rnn/attention_cell_wrapper/attention/attn_w"),
        ("RNN/AttentionCellWrapper/Attention/Linear/Bias", "rnn/attention_cell_wrapper/attention/bias"),
        (
            "RNN/AttentionCellWrapper/AttnOutputProjection/Linear/Matrix",
            "rnn/attention_cell_wrapper/attn_output_projection/kernel",
        ),
        ("RNN/AttentionCellWrapper/Linear/Bias", "rnn/attention_cell_wrapper/bias"),
        (
            "rnn/attention_cell_wrapper/attention_output_projection/kernel",
            "rnn/attention_cell_wrapper/attn_output_projection/kernel",
        ),
        ("rnn/multi_rnn_cell/cell_0/basic_lstm_cell/weights", "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel"),
        ("fully_connected/weights", "fully_connected/weights"),
        ("decoder/z_to_initial_state/kernel", "decoder/z_to_initial_state/kernel"),
    ],
)
def test_names_are_brought_up_to_date(old, modern):
    assert modernised(old) == modern


def test_what_training_leaves_behind_is_left_out():
    w = Variable((2, 2), "float32")
    names = read_names(
        {
            "rnn/kernel": w,
            "rnn/kernel/Adam": w,
            "rnn/kernel/Adam_1": w,
            "rnn/kernel/ExponentialMovingAverage": w,
            "beta1_power": Variable((), "float32"),
            "global_step": Variable((), "int64"),
            "some/text": Variable((1,), ""),
            "mean": Variable((), "float32"),
        }
    )
    assert names.stored == {"rnn/kernel": "rnn/kernel"}
    assert names.dropped == {
        "optimizer": 3,
        "moving averages": 1,
        "counters and rates": 1,
        "single numbers and texts": 2,
    }


def test_sizes_come_from_the_shapes_and_not_from_the_config(tmp_path):
    # As the published basic_rnn, whose layers are not those of its config.
    weights = {
        "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel": np.zeros((38 + 32, 128), np.float32),
        "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/bias": np.zeros(128, np.float32),
        "fully_connected/weights": np.zeros((32, 38), np.float32),
        "fully_connected/biases": np.zeros(38, np.float32),
    }
    path = writing.write_v2(tmp_path, "model.ckpt", weights)
    assert read_card(path).sizes == {"layers": [32]}
    assert read_card(path).name == "basic_rnn"


def _attention_bundle(states, tmp_path):
    path = tmp_path / "attention.mag"
    graph = writing.meta_graph(states)
    path.write_bytes(writing.bundle("attention_rnn", writing.v1(variables_of(INNER)), graph=graph))
    return path


@pytest.mark.parametrize(
    ("rows", "states"),
    [
        (None, [(1, 20), (1, 20), (1, 20), (1, 800), (1, 12), (1, 12)]),
        (None, [(1, 2 * 20 + 20 + 800 + 2 * 12)]),
        (None, []),
        (None, [(1, 77)]),
        (None, [(1, 84 + 20 * 10**9)]),
        (16, [(128, 20), (128, 20), (128, 20), (128, 320), (128, 12), (128, 12)]),
        (16, [(1, 2 * 20 + 20 + 320 + 2 * 12)]),
    ],
)
def test_the_length_of_the_attention_window_comes_from_the_graph_where_the_config_says_otherwise(
    rows, states, tmp_path
):
    path = _attention_bundle(states, tmp_path)
    assert read_card(path).attention_length == rows
    assert load_network(path).config.attention_length == (rows or 40)


def test_the_same_shapes_are_told_apart_by_the_name_of_the_file(tmp_path):
    content = (FIXTURES / "groovae_4bar.tar").read_bytes()
    (tmp_path / "my_groovae.tar").write_bytes(content)
    assert read_card(tmp_path / "my_groovae.tar").config == "groovae_4bar"  # what is inside has a name, too
    source = open_checkpoint(FIXTURES / "groovae_4bar.tar").source
    for name, config in (
        ("groovae_2bar_humanize.ckpt", "groovae_2bar_humanize"),
        ("groovae_4bar_mine", "groovae_4bar"),
    ):
        path = writing.write_v2(tmp_path, name, source.read(floats(source)))
        assert read_card(path).config == config


def test_where_nothing_tells_networks_apart_the_choice_is_asked_for(tmp_path):
    source = open_checkpoint(FIXTURES / "groovae_4bar.tar").source
    path = writing.write_v2(tmp_path, "model.ckpt", source.read(floats(source)))
    with pytest.raises(
        PerpetuumError, match=r"its weights fit 4 networks: groovae_4bar, (?s:.*)--config groovae_4bar"
    ) as error:
        read_card(path)
    assert "groovae_2bar_humanize" in error.value.message
    card = read_card(path, "groovae_2bar_humanize")
    assert card.config == "groovae_2bar_humanize"


def test_a_small_and_a_big_network_are_told_apart_by_their_layers(tmp_path):
    weights = variables_of("cat-mel_2bar_small.tar")
    assert read_card(writing.write_v2(tmp_path, "model.ckpt", weights)).config == "cat-mel_2bar_small"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("lookback_rnn", r"not the weights of lookback_rnn: weight .*cell_0/basic_lstm_cell/kernel is \[\d+, 80\], "),
        ("attention_rnn", "not the weights of attention_rnn: weight .* is missing"),
        ("lookback", "there is no config 'lookback'"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_with_the_weight_that_does_not(config, message):
    with pytest.raises(PerpetuumError, match=message) as error:
        read_card(FIXTURES / "basic_rnn.ckpt.index", config)
    assert error.value.hint is not None
    assert "basic_rnn" in error.value.hint or "lookback_rnn" in error.value.hint


def test_a_bundle_that_is_not_what_it_calls_itself_is_refused(tmp_path):
    path = tmp_path / "wrong.mag"
    path.write_bytes(writing.bundle("mono_rnn", writing.v1(variables_of("basic_rnn.ckpt.index"))))
    with pytest.raises(
        PerpetuumError, match=r"a bundle that calls itself mono_rnn, but weight .* is \[58, 80\]"
    ) as error:
        read_card(path)
    assert error.value.hint == "Its weights fit basic_rnn: --config basic_rnn"


def test_a_bundle_of_somebodys_own_config_is_told_by_its_shapes(tmp_path):
    path = tmp_path / "mine.mag"
    path.write_bytes(writing.bundle("my_jazz_rnn", writing.v1(variables_of("basic_rnn.ckpt.index"))))
    assert read_card(path).config == "basic_rnn"


def test_a_network_of_no_known_kind_is_described(tmp_path):
    weights = variables_of("basic_rnn.ckpt.index") | {"fully_connected/biases": np.zeros(38, np.float32)}
    weights["fully_connected/weights"] = np.zeros((12, 99), np.float32)
    path = writing.write_v2(tmp_path, "model.ckpt", weights)
    with pytest.raises(PerpetuumError, match="an RNN with 38 inputs and 99 outputs, which no known network has"):
        read_card(path)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("Generator/progressive_gan_generator/progressive_gan_block_1/conv0/conv2d/kernel", "a GANSynth checkpoint"),
        ("ae_dilatedconv_1/W", "an NSynth WaveNet checkpoint"),
        ("cond_map_1/W", "an NSynth WaveNet checkpoint"),
        ("transformer/body/decoder/layer_0/weights", "a Transformer checkpoint"),
    ],
)
def test_networks_that_make_no_notes_are_refused_with_a_sentence(name, what, tmp_path):
    path = writing.write_v2(tmp_path, "model.ckpt", {name: np.zeros((2, 2), np.float32)})
    with pytest.raises(PerpetuumError, match=f"{what}, which is not a network for notes"):
        read_card(path)


@pytest.mark.skipif(REFERENCE is None, reason="PERPETUUM_REFERENCE is not set")
def test_the_variables_of_neural_audio_are_told_from_those_of_notes(tmp_path):
    assert REFERENCE is not None
    for file in sorted(REFERENCE.glob("golden/*__variables.json")):
        names = [name for name, _ in json.loads(file.read_text())]
        path = writing.write_v2(tmp_path, "model.ckpt", {name: np.zeros(1, np.float32) for name in names})
        with pytest.raises(PerpetuumError, match="which is not a network for notes"):
            read_card(path)


@pytest.mark.parametrize("shape", [(), (1,), (2, 0), (3, 1, 2)])
def test_weights_of_absurd_shapes_are_refused_by_every_config(shape, tmp_path):
    weights = {name: np.zeros(shape, np.float32) for name in variables_of(INNER)}
    weights |= {name: np.zeros(shape, np.float32) for name in variables_of("hierdec-mel_16bar.tar")}
    weights["decoder/dense/bias"] = weights["nade/w_enc"] = np.zeros(shape, np.float32)
    path = writing.write_v2(tmp_path, "model.ckpt", weights)
    for config in [None, *CONFIGS]:
        with pytest.raises(PerpetuumError):
            read_card(path, config)
