"""Checkpoints of NSynth: which weights are taken, and what is refused."""

from __future__ import annotations

import tarfile

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks.checkpoints.files import open_checkpoint
from engine.timbres.nsynth.checkpoint import AVERAGE, open_model
from tests.networks.checkpoints.writing import bundle_entry, field, table, write_v2
from tests.timbres.nsynth.golden import CHECKPOINT, TOLERANCE, TRAINING, Golden, made_up_weights, tone

PREFIX = "model.ckpt-200000"


def variables() -> dict[str, np.ndarray]:
    layout = Golden("tiny").layout
    return made_up_weights(layout.encoder_shapes() | layout.decoder_shapes())


def test_of_a_training_the_raw_weights_are_taken_as_the_original_does_and_it_is_said():
    golden = Golden("tiny")
    model = open_model(TRAINING, stages=4)
    assert any("raw weights" in remark for remark in model.remarks)
    np.testing.assert_allclose(
        model.encoder().encode(tone(0, golden.info["n"])), golden["encoding"][0], atol=TOLERANCE, rtol=0
    )


def test_its_averages_are_taken_when_they_are_asked_for():
    source = open_checkpoint(TRAINING).source
    stored = source.read(["ae_startconv/biases" + AVERAGE])["ae_startconv/biases" + AVERAGE]
    encoder = open_model(TRAINING, stages=4, averages=True).encoder()
    np.testing.assert_array_equal(encoder._start_bias, stored)
    raw = open_model(TRAINING, stages=4).encoder()
    assert not np.allclose(encoder._start_bias, raw._start_bias)
    wave = tone(0, 1024)
    assert not np.allclose(encoder.encode(wave), raw.encode(wave), atol=1e-2)


def test_what_has_no_averages_says_so():
    with pytest.raises(PerpetuumError, match="no moving averages"):
        open_model(CHECKPOINT, stages=4, averages=True)


@pytest.mark.parametrize("name", ["", PREFIX, f"{PREFIX}.index"])
def test_a_folder_a_prefix_and_an_index_mean_the_same(name):
    assert open_model(CHECKPOINT / name, stages=4).layout == Golden("tiny").layout


def test_a_tar_file_is_read_without_unpacking(tmp_path):
    with tarfile.open(tmp_path / "wavenet-ckpt.tar", "w") as tar:
        tar.add(CHECKPOINT, "wavenet-ckpt")
    model = open_model(tmp_path / "wavenet-ckpt.tar", stages=4)
    assert model.encoder().encode(tone(0, 512)).shape == (1, 16)


def test_layers_that_are_no_whole_cycles_are_said():
    assert any("--stages" in remark for remark in open_model(CHECKPOINT).remarks)
    assert not open_model(CHECKPOINT, stages=4).remarks


def test_digests_tell_weights_and_settings_apart():
    models = [
        open_model(CHECKPOINT, 4),
        open_model(CHECKPOINT, 8),
        open_model(TRAINING, 4),
        open_model(TRAINING, 4, averages=True),
    ]
    assert len({model.digest() for model in models}) == 4


def test_another_network_is_called_what_it_is(tmp_path):
    name = "Generator/progressive_gan_generator/progressive_gan_block_1/conv0/bias"
    write_v2(tmp_path, "model.ckpt", {name: np.zeros(4, np.float32)})
    with pytest.raises(PerpetuumError, match="a GANSynth checkpoint, not NSynth"):
        open_model(tmp_path)
    with pytest.raises(PerpetuumError, match="no such checkpoint"):
        open_model(tmp_path / "none")


def test_a_missing_and_a_misshapen_variable_are_named(tmp_path):
    write_v2(tmp_path, "a", {name: value for name, value in variables().items() if name != "res_3/W"})
    with pytest.raises(PerpetuumError, match=r"res_3/W is missing"):
        open_model(tmp_path / "a")
    write_v2(tmp_path, "b", variables() | {"skip_2/biases": np.zeros(7, np.float32)})
    with pytest.raises(PerpetuumError, match=r"skip_2/biases has the shape \[7\] instead of \[20\]"):
        open_model(tmp_path / "b")


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    broken = variables()["logits/W"].copy()
    broken[0, 0, 3, 4] = np.nan
    write_v2(tmp_path, "a", variables() | {"logits/W": broken})
    model = open_model(tmp_path / "a", stages=4)
    with pytest.raises(PerpetuumError, match=r"logits/W.*no finite number"):
        model.decoder()


def test_weights_whose_checksum_does_not_fit_are_refused(tmp_path):
    for part in CHECKPOINT.iterdir():
        (tmp_path / part.name).write_bytes(part.read_bytes())
    data = tmp_path / f"{PREFIX}.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    model = open_model(tmp_path, stages=4)
    with pytest.raises(PerpetuumError, match="checksum does not fit"):
        (model.encoder(), model.decoder())


def test_variables_that_lie_over_each_other_take_no_more_memory_than_the_files_have(tmp_path):
    shapes = variables()
    biggest = max(value.nbytes for value in shapes.values())
    entries = [(b"", field(1, 1) + field(3, field(1, 1)))]
    entries += [(name.encode(), bundle_entry(shapes[name], 0)) for name in sorted(shapes)]
    (tmp_path / "a.index").write_bytes(table(entries))
    (tmp_path / "a.data-00000-of-00001").write_bytes(bytes(biggest))
    with pytest.raises(PerpetuumError, match="more bytes than its files"):
        open_model(tmp_path / "a")


def test_more_layers_than_any_network_has_are_refused(tmp_path):
    write_v2(tmp_path, "a", variables() | {"dilatedconv_9999/W": np.zeros((1, 3, 24, 48), np.float32)})
    with pytest.raises(PerpetuumError, match="9999 layers"):
        open_model(tmp_path / "a")
