"""Facts about training the autoencoders: the network in training is the one in play, it learns, and it resumes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.networks import build_network
from engine.networks.vae.configs import HUMANIZE_TEMPO, TRIO, VAE_CONFIGS
from engine.networks.vae.converters import converter_of
from engine.networks.vae.converters.trio import TrioConverter
from engine.networks.vae.heads import classes_of
from engine.training.datasets import Augmentation, augmentation_of
from engine.training.datasets.pieces import DatasetPiece
from engine.training.tasks.vae_windows import CLASS_WINDOWS, DRUM_GROUPS, WINDOWS, GrooveWindows, held_out_windows
from tests.networks.golden import made_up_weights
from tests.networks.vae.golden import VaeGolden, vae_weights
from tests.training.evaluation.pieces import grooves, melodies, trios
from tests.training.small_pieces import trainer_of

SIZES = {"encoder": (10,), "decoder": (12, 8), "latent": 6}
TRIO_CONFIG, TEMPO_CONFIG = (
    next(config for config in VAE_CONFIGS if config.name == name) for name in (TRIO, HUMANIZE_TEMPO)
)
TWINS = [c.name for c in VAE_CONFIGS if not c.bars and not c.nade and c not in (TRIO_CONFIG, TEMPO_CONFIG)]


def vae_trainer(config, pieces, folder, **changes):
    settings = {"batch_size": 4, "warmup": 2, "batches": 8, "dropout": 0.2, "evaluate_every": 4} | changes
    return trainer_of(config, pieces, folder, sizes=SIZES, **settings)


@pytest.mark.models
@pytest.mark.parametrize("name", TWINS)
def test_the_autoencoder_in_training_is_the_one_in_play(name):
    from engine.networks.vae.keras_vae import VaeModel, categorical_losses, groove_losses

    golden = VaeGolden(f"{name}_small")
    groove = golden.config.head == "groove"
    model = VaeModel(golden.config.read_layout(golden.shapes), groove)
    weights = vae_weights(golden.config, golden.shapes)
    model.set_by_name(weights)
    controls = golden.get("enc_controls")
    for prefix in ("enc", "enc_short"):
        mu, sigma = model.encode(golden["enc_inputs"].astype("f4"), golden[f"{prefix}_lengths"], controls)
        np.testing.assert_allclose(mu, golden[f"{prefix}_mu"], atol=1e-4)
        np.testing.assert_allclose(sigma, golden[f"{prefix}_sigma"], atol=1e-4)
    targets = golden["tf_target"].astype("f4") if groove else golden["tf_target"].argmax(axis=-1).astype("i4")
    outputs = model.told(golden["tf_z"], targets, controls)
    np.testing.assert_allclose(np.asarray(outputs)[:, golden["steps"]], golden["tf_rnn_output"], atol=1e-4)
    losses = (groove_losses if groove else categorical_losses)(targets, outputs)
    np.testing.assert_allclose(np.sum(losses, axis=-1), golden["tf_r_loss"], atol=1e-3)
    for key, value in model.get_by_name().items():
        np.testing.assert_array_equal(value, weights[key])


@pytest.mark.models
def test_the_trio_in_training_is_the_one_in_play(monkeypatch):
    from engine.networks.vae.keras_vae import VaeModel, parts_losses

    monkeypatch.setattr("engine.networks.scan.UNROLLED", 0)
    config, kind = TRIO_CONFIG, WINDOWS[TRIO]
    layout = replace(config.layout(), encoder=(10,), decoder=(12, 8), latent=6)
    weights = made_up_weights(layout.shapes())
    model, network = VaeModel(layout), build_network(config, weights)
    model.set_by_name(weights)
    inputs, classes = (
        np.stack(part) for part in zip(*(kind.tensors(one.events[:64]) for one in trios(2)), strict=True)
    )
    mu, sigma = network.encode(inputs)
    for mine, theirs in zip(model.encode(inputs), (mu, sigma), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
    converter = converter_of(TRIO)
    assert isinstance(converter, TrioConverter)
    targets = np.stack([converter.slice_of(row).targets for row in classes])
    outputs, costs = network.teacher_forced(mu, targets)
    told = np.asarray(model.told(mu, classes))
    np.testing.assert_allclose(told, outputs, atol=1e-5)
    losses = np.asarray(parts_losses(config.output_sizes)(classes, told))
    np.testing.assert_allclose(losses.sum(axis=1), costs, rtol=1e-5)
    # What it hears of itself, where it listens to nothing else, is what it would play.
    likely = classes_of(outputs, config.output_sizes)
    model.sampling.assign(1.0)
    heard = np.asarray(model._mixed(classes, 1e6 * outputs))
    assert (heard[:, 0] == -1).all()
    np.testing.assert_array_equal(heard[:, 1:], likely[:, :-1])


@pytest.mark.models
def test_a_network_whose_hits_are_known_is_judged_and_taught_by_what_it_plays_itself():
    from engine.networks.vae.keras_vae import VaeModel

    config, kind = TEMPO_CONFIG, WINDOWS[HUMANIZE_TEMPO]
    assert isinstance(kind, GrooveWindows)
    layout = replace(config.layout(), encoder=(10,), decoder=(12, 8), latent=6)
    weights = made_up_weights(layout.shapes())
    model = VaeModel(layout, groove=True, known=kind.converter.known)
    model.set_by_name(weights)
    network = build_network(config, weights)
    windows = [kind.material(piece)[:32] for piece in grooves()[:3]]
    inputs, targets = (np.stack(part) for part in zip(*map(kind.tensors, windows), strict=True))
    controls = np.stack([kind.controls(window) for window in windows])
    mu, sigma = network.encode(inputs, controls=controls)
    for mine, theirs in zip(model.encode(inputs, controls=controls), (mu, sigma), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
    outputs = np.asarray(model.as_in_play(mu, targets, controls))
    played = network.decode(mu, controls=controls, hits=kind.converter.given(targets))
    # Two passes are as in play for two steps.
    np.testing.assert_allclose(np.asarray(model._strokes(targets, outputs))[:, :2], played[:, :2], atol=1e-5)
    otherwise = np.concatenate([targets[..., :9], np.ones_like(targets[..., 9:])], axis=-1)
    np.testing.assert_array_equal(model.as_in_play(mu, otherwise, controls), outputs)
    # So in training, where it listens to nothing but itself.
    model.sampling.assign(1.0)
    first = model.told(mu, model._first_told(targets), controls)
    np.testing.assert_array_equal(model._mixed(targets, first), model._mixed(otherwise, first))


@pytest.mark.models
def test_a_resumed_training_of_an_autoencoder_is_the_same_training(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.networks.scan.UNROLLED", 0)  # a graph that is built sooner
    whole = vae_trainer("cat-mel_2bar_small", melodies(), tmp_path)
    for _ in range(3):
        whole.train_step()
    whole.save()
    resumed = vae_trainer("cat-mel_2bar_small", melodies(), tmp_path, seed=9)
    assert resumed.resume()
    assert [resumed.train_step() for _ in range(3)] == [whole.train_step() for _ in range(3)]
    for name, value in whole.model.get_by_name().items():
        np.testing.assert_array_equal(resumed.model.get_by_name()[name], value)


@pytest.mark.models
@pytest.mark.parametrize("config", ["groovae_2bar_humanize", HUMANIZE_TEMPO])
def test_a_groove_network_learns_and_the_cost_of_z_grows(config, tmp_path):
    learner = vae_trainer(config, grooves(), tmp_path, learning_rate=2e-2, batches=24, free_bits=0.0)
    before = learner.task.judge()["held_out_loss"]
    betas = []
    for _ in range(24):
        learner.train_step()
        betas.append(float(learner.model.beta))
    assert learner.task.judge()["held_out_loss"] < before - 0.2
    assert betas[0] == 0.0 < betas[1] < betas[-1] == pytest.approx(0.2)
    assert 0.0 < float(learner.model.sampling) <= 0.5


@pytest.mark.parametrize("name", sorted(CLASS_WINDOWS))
def test_windows_of_classes_mean_the_events_that_they_were_made_of(name):
    rng = np.random.default_rng(2)
    kind = CLASS_WINDOWS[name]
    events = melodies()[0].events[32:64] if "mel" in name else rng.integers(0, 512, 32)
    if name == TRIO:
        events = trios()[0].events[64:128]
    inputs, classes = kind.tensors(events)
    np.testing.assert_array_equal(kind.events(classes), events)
    config = next(c for c in VAE_CONFIGS if c.name == name)
    assert inputs.shape == (len(events), config.input_size)
    assert len(kind.bias(classes)) == config.output_size


def test_a_trio_is_heard_in_training_as_in_play():
    kind, converter = WINDOWS[TRIO], converter_of(TRIO)
    assert isinstance(converter, TrioConverter)
    inputs, classes = kind.tensors(trios()[0].events[64:128])
    heard = converter.slice_of(classes)
    np.testing.assert_array_equal(inputs, heard.inputs)
    np.testing.assert_array_equal(classes_of(heard.targets, TRIO_CONFIG.output_sizes), classes)


def test_a_crossed_trio_keeps_its_harmony_and_takes_other_drums():
    kind, rng = WINDOWS[TRIO], np.random.default_rng(4)
    one, other = (piece.events[:64] for piece in trios(2))
    crossed = kind.crossed(one, other, rng)
    np.testing.assert_array_equal(crossed[:, :2], one[:, :2])
    np.testing.assert_array_equal(crossed[:, 2], other[:, 2])
    moved = kind.augmented(one, rng, Augmentation((3, 3)))
    for line in range(2):
        sung = one[:, line] >= 0
        np.testing.assert_array_equal(moved[sung, line], one[sung, line] + 3)
        np.testing.assert_array_equal(moved[~sung, line], one[~sung, line])
    quiet = one.copy()
    quiet[:, 1] = -2
    assert kind.enough(one)
    assert not kind.enough(quiet), "the bass rests"


def test_only_windows_with_music_are_learnt_from():
    kind = WINDOWS["cat-drums_2bar_small"]
    events = np.zeros(96, np.int16)
    events[32:40] = 1
    (found,) = held_out_windows(kind, [DatasetPiece("p", "s", "test", events)], 32)
    np.testing.assert_array_equal(found, events[32:64])
    high = np.full(32, 109, np.int16)
    assert not WINDOWS["cat-mel_2bar_small"].enough(high)
    assert WINDOWS["cat-mel_2bar_small"].enough(high - 12)


@pytest.mark.parametrize("name", [name for name in sorted(WINDOWS) if name.startswith("groovae")])
def test_groove_networks_hear_less_than_they_give(name):
    kind = WINDOWS[name]
    events, strokes = kind.material(grooves()[0])[:32], grooves()[0].events[:32]
    inputs, targets = kind.tensors(events)
    np.testing.assert_array_equal(targets, strokes)
    assert inputs.shape == targets.shape
    heard, played = (np.split(part, 3, axis=1) for part in (inputs, targets))
    assert (kind.controls(events) is not None) == (name == HUMANIZE_TEMPO)
    if "humanize" in name:
        np.testing.assert_array_equal(heard[0], played[0])
        assert not heard[1].any()
        assert not heard[2].any()
    elif name.endswith("closed_hh"):
        assert not inputs[:, 2::9].any()
        np.testing.assert_array_equal(np.delete(inputs, [2, 11, 20], axis=1), np.delete(targets, [2, 11, 20], axis=1))
    else:
        np.testing.assert_array_equal(heard[0].sum(axis=1), played[0].any(axis=1))
        assert not heard[1].any()


def test_windows_that_are_told_the_tempo_lose_drums_and_take_none_of_another_tempo():
    kind, rng = WINDOWS[HUMANIZE_TEMPO], np.random.default_rng(4)
    one, other = (kind.material(piece)[:32] for piece in grooves()[:2])
    lost = set()
    for _ in range(60):
        made = kind.crossed(one, other, rng)
        gone = [drum for drum in range(9) if (made[:, drum:27:9] != one[:, drum:27:9]).any()]
        assert not made[:, gone].any()
        assert (made[:, 27] == one[:, 27]).all()
        lost.update(gone)
    assert len(lost) > 1
    told = kind.augmented(one, rng, augmentation_of(HUMANIZE_TEMPO))[0, 27]
    assert told != one[0, 27]
    assert told == pytest.approx(one[0, 27], rel=0.15)


def test_crossed_drums_are_a_bar_of_each_or_some_drums_of_each():
    kind, rng = WINDOWS["cat-drums_2bar_small"], np.random.default_rng(4)
    one, other = rng.integers(0, 512, (2, 32))
    bars = np.concatenate([one[:16], other[16:]])
    ways = set()
    for _ in range(60):
        made = kind.crossed(one, other, rng)
        if (made == bars).all():
            ways.add("bars")
            continue
        groups = [group for group in DRUM_GROUPS if ((made ^ one) & group).any()]
        for group in DRUM_GROUPS:
            np.testing.assert_array_equal(made & group, (other if group in groups else one) & group)
        ways.add(len(groups))
    assert {"bars", 2, 3} <= ways
    assert sum(DRUM_GROUPS) == 511, "each drum in one group"


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_drums_are_crossed_and_melodies_are_not(name):
    kind, rng = WINDOWS[name], np.random.default_rng(0)
    pieces = grooves() if "groovae" in name else trios() if name == TRIO else melodies()
    one, other = (kind.material(piece)[:32] for piece in pieces[:2])
    made = [kind.crossed(one, other, rng) for _ in range(8)]
    assert all((each == one).all() for each in made) == (name == "cat-mel_2bar_small")


@pytest.mark.models
def test_errors_of_velocity_and_timing_count_more_where_there_is_a_stroke():
    from engine.networks.vae.keras_vae import groove_losses
    from engine.training.tasks.vae import EMPHASIS, emphasised

    targets, outputs = np.zeros((2, 27), np.float32), np.zeros((2, 27), np.float32)
    targets[0, 0] = 1.0  # a stroke, softer than the network plays it, and one where nothing is
    targets[:, 18] = 0.5
    plain, more = np.asarray(groove_losses(targets, outputs)), np.asarray(emphasised(targets, outputs))
    np.testing.assert_allclose(plain[0], plain[1], rtol=1e-5)
    np.testing.assert_allclose(more - plain, [EMPHASIS * (0.5 + 0.5), 0.0], atol=1e-5)


@pytest.mark.models
def test_a_stroke_that_the_network_is_sure_of_costs_a_number():
    from engine.networks.vae.keras_vae import groove_losses

    targets, outputs = np.zeros((3, 27), np.float32), np.zeros((3, 27), np.float32)
    targets[1, 0] = 1.0
    outputs[:2, 0] = 40.0
    wrong, right, unsure = np.asarray(groove_losses(targets, outputs))
    assert wrong - right == pytest.approx(40.0)
    assert unsure - right == pytest.approx(np.log(2))
