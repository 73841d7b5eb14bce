"""Facts about GANSynth's checkpoints: what is read of them, and that a broken or hostile one is a message."""

import json
import os
import random
import shutil

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.timbres.gansynth.checkpoint import checkpoint_files, open_generator
from engine.timbres.gansynth.configuration import Configuration, read_configuration
from tests.timbres.golden import SMALL

STAGE = "stage_00012"
DATA = "model.ckpt-11000000.data-00000-of-00001"
SCOPE = "Generator/progressive_gan_generator/progressive_gan_block_"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "acoustic_only"
    shutil.copytree(SMALL, made)
    return made


def configured(folder, **settings):
    file = folder / "experiment.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))


def refused(folder):
    with pytest.raises(PerpetuumError) as caught:
        open_generator(folder)
    message = str(caught.value)
    assert str(folder.parent) in message or "stage" in message
    return message


def test_the_moving_averages_are_read_and_the_shapes_say_the_sizes():
    weights = open_generator(SMALL)
    assert (weights.latent_size, weights.start, weights.blocks, weights.progress) == (16, (2, 16), 7, 6.0)
    assert (weights.frames, weights.bins) == (128, 1024)
    assert [weights.level_share(block) for block in range(1, 8)] == [0, 0, 0, 0, 0, 0, 1]
    assert len(weights.weights) == 7 * 6
    assert weights.weights["block_1/conv0/kernel"].shape == (2, 16, 77, 12)


def test_a_stage_may_be_named_itself_and_the_last_one_is_taken(folder):
    whole = open_generator(folder)
    (folder / "stage_00002").mkdir()
    (folder / "stage_notes").mkdir()
    for named in (folder, folder / STAGE):
        assert np.array_equal(open_generator(named).weights["block_7/conv1/bias"], whole.weights["block_7/conv1/bias"])
    assert [path.name for path in checkpoint_files(folder)][:2] == ["experiment.json", "model.ckpt-11000000.index"]


def test_sizes_that_experiment_json_leaves_out_are_those_of_the_weights_not_the_originals_defaults(folder):
    """The original takes start 4 x 8, which no released network has, and cannot load them."""
    (folder / "experiment.json").write_text('{"data_type": "mel"}')
    assert open_generator(folder).start == (2, 16)


def test_without_experiment_json_it_is_taken_for_a_published_one_and_said(folder):
    (folder / "experiment.json").unlink()
    weights = open_generator(folder)
    assert weights.configuration == Configuration()
    assert weights.remarks[0].endswith("taken for a network of mel spectra as Magenta published them")


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 0.0), (31, 0.0), (32, 0.0), (48, 0.5), (63, 31 / 32), (64, 1.0), (10**9, 6.0)]
)
def test_the_place_between_two_levels_follows_the_images_trained_on(step, expected):
    """By the original's formula with its defaults: 32 images a level, 32 between two."""
    assert Configuration().progress(step, 7) == expected
    assert Configuration(train_progressive=False).progress(step, 7) == 6.0


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"latent_vector_size": 256}, "its weights have latent_vector_size 16, and experiment.json says 256"),
        ({"start_height": 4}, "start_height 2, and experiment.json says 4"),
        ({"data_type": "phase"}, "data_type is 'phase'"),
        ({"scale_mode": "H"}, "scale_mode is 'H'"),
        ({"simple_arch": True}, "simple_arch is True"),
        ({"num_resolutions": 6}, "has 7 levels, and experiment.json says num_resolutions 6"),
        ({"num_resolutions": 12}, "its spectra have the size 4096 x 32768"),
        ({"audio_length": 2**22}, "128 frames of 1024 bins are too few"),
        ({"audio_length": 0}, "audio_length is 0"),
        ({"mag_normalizer_a": 0.0}, "mag_normalizer_a is 0.0"),
        ({"sample_rate": 1e99}, "sample_rate is 1e"),
        ({"num_resolutions": 10**400}, "num_resolutions is 1"),
        ({"stable_stage_num_images": "many"}, "stable_stage_num_images is 'many'"),
    ],
)
def test_what_is_not_played_is_said_by_its_key(folder, settings, what):
    configured(folder, **settings)
    assert what in refused(folder)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{",
        b'{"a": NaN}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"num_resolutions": ' + b"9" * 5000 + b"}",
        b" " * (2**20 + 9),
    ],
)
def test_a_broken_experiment_json_is_a_message(folder, text):
    (folder / "experiment.json").write_bytes(text)
    assert "experiment.json" in refused(folder)


@pytest.mark.parametrize("kind", ["folder", "fifo", "loop", "unreadable"])
def test_an_experiment_json_that_is_no_file_is_a_message(folder, kind):
    file = folder / "experiment.json"
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind == "fifo":
        os.mkfifo(file)
    elif kind == "loop":
        file.symlink_to(file)
    else:
        file.symlink_to("/proc/self/mem")
    if kind == "loop":
        assert open_generator(folder).remarks
        return
    assert "experiment.json" in refused(folder)


def test_folders_that_hold_no_checkpoint_are_said(folder, tmp_path):
    assert f"Perhaps {folder} is meant" in refused(tmp_path)
    assert "not there" in refused(tmp_path / "nowhere")
    assert "a file, not a checkpoint" in refused(folder / "experiment.json")
    (folder / STAGE / "model.ckpt-11000000.index").unlink()
    assert refused(folder)


def test_a_file_cut_short_or_changed_anywhere_is_a_message(folder):
    """No byte of these files can be another without a message: all is under checksums."""
    chance, right = random.Random(3), open_generator(SMALL).weights
    for name in ("model.ckpt-11000000.index", DATA):
        file = folder / STAGE / name
        whole = file.read_bytes()
        for _ in range(8):
            broken = bytearray(whole)
            broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
            file.write_bytes(broken)
            try:
                weights = open_generator(folder)
            except PerpetuumError:
                continue
            # What is changed is none of the generator's averages: a raw weight.
            assert all(np.array_equal(weights.weights[key], right[key]) for key in right)
        for length in (0, 1, len(whole) // 2, len(whole) - 1):
            file.write_bytes(whole[:length])
            assert refused(folder)
        file.write_bytes(whole)


@pytest.mark.models
@pytest.mark.xdist_group("tensorflow")
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"global_step": None}, "how many images"),
        ({f"{SCOPE}3/conv1/bias/ExponentialMovingAverage": None}, "'.*block_3/conv1/bias/.*' is missing"),
        ({f"{SCOPE}1/conv0/conv2d/kernel/ExponentialMovingAverage": None}, "no moving averages"),
        ({f"{SCOPE}1/conv0/conv2d/kernel": None}, "no generator of GANSynth"),
        ({f"{SCOPE}2/conv0/conv2d/kernel/ExponentialMovingAverage": np.zeros((3, 3, 12, 5))}, "block 2, conv0, has"),
        ({f"{SCOPE}5/conv1/conv2d/kernel/ExponentialMovingAverage": np.zeros((5, 5, 12, 12))}, "block 5, conv1"),
        ({f"{SCOPE}7/to_rgb/bias/ExponentialMovingAverage": np.array([0, np.nan])}, "no finite number"),
        ({f"{SCOPE}1/conv0/conv2d/kernel/ExponentialMovingAverage": np.zeros(4)}, r"a kernel of shape \[4\]"),
        ({f"{SCOPE}1/conv0/bias/ExponentialMovingAverage": np.zeros(())}, "block 1, conv0"),
    ],
)  # fmt: skip
def test_a_checkpoint_of_other_variables_is_a_message(folder, change, what):
    from engine.networks.checkpoints import open_checkpoint
    from engine.timbres.backend import tensorflow

    tf = tensorflow()
    source = open_checkpoint(folder / STAGE).source
    held = source.read(source.variables)
    for name, value in change.items():
        held.pop(name)
        if value is not None:
            held[name] = value.astype(np.float32)
    tf.raw_ops.SaveV2(
        prefix=str(folder / STAGE / "model.ckpt-11000000"),
        tensor_names=list(held),
        shape_and_slices=[""] * len(held),
        tensors=[tf.constant(value) for value in held.values()],
    )
    with pytest.raises(PerpetuumError, match=what):
        open_generator(folder)


def test_what_a_configuration_says_is_taken_over_the_published(tmp_path):
    file = tmp_path / "experiment.json"
    file.write_text('{"p_normalizer_b": 0.25, "stable_stage_num_images": 800000, "unknown": {"a": [1]}}')
    read = read_configuration(file)
    assert (read.p_normalizer_b, read.stable_stage_num_images) == (0.25, 800000)
