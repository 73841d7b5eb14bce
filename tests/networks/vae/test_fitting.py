"""Finding z of music by gradient descent, with made-up weights and with those of a published decoder."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from engine.networks import build_network
from engine.networks.vae.fitting import cost_gradient, fit_latent
from engine.networks.vae.music_vae import MusicVae
from engine.networks.vae.operations import interpolate
from tests.networks.vae.golden import CONFIGS, VaeGolden, small_network

_FOLDER = Path(os.environ.get("PERPETUUM_REFERENCE", "/nonexistent"))
_DECODER = "mel_2bar_small_decoder.npz"
_GOLDEN = "vae__cat_mel_2bar_small__real_decoder.npz"
_FOUND = [path for name in (".", "golden", "magenta/golden") if (path := _FOLDER / name / _DECODER).is_file()]
published = pytest.mark.skipif(not _FOUND, reason=f"PERPETUUM_REFERENCE names no folder with {_DECODER}")


@cache
def decoder() -> MusicVae:
    weights = dict(np.load(_FOUND[0]))
    return build_network(
        CONFIGS["cat-mel_2bar_small"], {name: value for name, value in weights.items() if name.startswith("decoder/")}
    )


@cache
def reference() -> dict[str, np.ndarray]:
    return dict(np.load(_FOUND[0].with_name(_GOLDEN)))


@pytest.mark.parametrize("name", ["cat-mel_2bar_small", "cat-mel_2bar_med_chords"])
def test_the_gradient_is_how_the_cost_grows(name):
    known = VaeGolden(f"{name}_small")
    z, targets = known["tf_z"], known["tf_target"].astype(np.float32)
    controls = known.get("enc_controls")
    controls = None if controls is None else controls.astype(np.float32)
    direction = np.random.default_rng(0).standard_normal(z.shape).astype(np.float32)
    costs, gradient = cost_gradient(known.network.decoders[0], z, targets, controls)
    assert np.allclose(costs, known["tf_r_loss"], rtol=1e-5)
    ahead, behind = (
        known.network.teacher_forced(z + side * 0.01 * direction, targets, controls)[1] for side in (1, -1)
    )
    assert np.allclose((ahead - behind) / 0.02, (gradient * direction).sum(axis=1), rtol=0.02, atol=0.02)


def test_a_fit_costs_less_than_the_prior_mean():
    known = VaeGolden("cat-mel_2bar_small_small")
    targets = known["tf_target"]
    z, costs = fit_latent(known.network, targets, rounds=40)
    assert (costs < known.network.teacher_forced(np.zeros_like(z), targets)[1] - 5).all()
    assert np.allclose(costs, known.network.teacher_forced(z, targets)[1])


def test_a_tighter_prior_keeps_z_nearer():
    network = small_network("cat-mel_2bar_small")
    targets = VaeGolden("cat-mel_2bar_small_small")["tf_target"]
    loose, _ = fit_latent(network, targets, rounds=30, prior=0.01)
    tight, _ = fit_latent(network, targets, rounds=30, prior=10.0)
    assert np.linalg.norm(tight) < 0.5 * np.linalg.norm(loose)


@pytest.mark.parametrize("name", ["groovae_4bar", "nade-drums_2bar_full", "hierdec-mel_16bar"])
def test_other_decoders_are_refused(name):
    network = small_network(name)
    with pytest.raises(ValueError, match="no flat decoder of classes"):
        fit_latent(network, np.zeros((1, network.config.steps, network.config.output_size)))


@published
def test_the_published_decoder_says_what_it_said_in_the_original():
    known = reference()
    samples, outputs = decoder().decode_with_outputs(known["dec_z"])
    assert np.array_equal(samples, known["dec_samples"])
    assert outputs is not None
    assert np.allclose(outputs, known["dec_rnn_output"], rtol=0, atol=1e-4)


@published
def test_the_published_decoder_goes_from_melody_to_melody_in_small_steps():
    known = reference()
    melodies = np.concatenate([known["p0_all_outputs"], known["p1_all_outputs"]])
    z, _ = fit_latent(decoder(), melodies, rounds=100)
    heard = decoder().decode(interpolate(z[0], z[1], 9)).argmax(axis=2)
    given = melodies.argmax(axis=2)
    assert np.array_equal(heard[[0, -1]], given)
    alike = (heard[1:] == heard[:-1]).mean(axis=1)
    apart = (given[0] == given[1]).mean()
    assert alike.min() > 0.75, "neighbours share most of their events"
    assert alike.min() > apart + 0.2
    to_first = (heard == given[0]).mean(axis=1)
    to_last = (heard == given[1]).mean(axis=1)
    assert to_first[2] > to_first[6]
    assert to_last[6] > to_last[2]
