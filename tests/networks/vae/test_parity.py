"""The networks of MusicVAE and GrooVAE give what the original gives: every config, and two at full size."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from engine.networks.vae.layout import encoder_cell
from engine.networks.vae.operations import interpolate
from tests.networks.vae.golden import CONFIGS, LARGE, REFERENCES, VaeGolden

NEAR_TIES = {"cat-mel_2bar_big_small": [(0, 28)]}
"""(sequence, step) at which two classes are equally likely to the last digit."""


@cache
def golden(reference: str) -> VaeGolden:
    return VaeGolden(reference)


@pytest.fixture(params=REFERENCES)
def reference(request) -> VaeGolden:
    return golden(request.param)


def test_there_is_a_reference_of_every_config():
    assert {golden(name).config.name for name in REFERENCES} == set(CONFIGS)


def test_names_and_shapes_are_magentas(reference):
    layout = reference.config.read_layout(reference.shapes)
    assert layout.shapes() == reference.shapes
    assert layout.sizes() == reference.network.sizes
    assert reference.network.latent_size == reference.info["z_size"]
    assert (reference.config.steps, reference.config.input_size, reference.config.output_size) == (
        reference.info["max_seq_len"],
        reference.info["input_depth"],
        reference.info["output_depth"],
    )
    assert reference.config.control_size == reference.info["control_depth"]


@pytest.mark.parametrize("name", LARGE)
def test_default_sizes_are_those_of_the_published_networks(name):
    assert golden(name).config.layout().shapes() == golden(name).shapes


def test_mu_and_sigma_are_magentas(reference):
    mu, sigma = reference.network.encode(
        reference["enc_inputs"], reference["enc_lengths"], reference.get("enc_controls")
    )
    assert np.allclose(mu, reference["enc_mu"], rtol=0, atol=1e-4)
    assert np.allclose(sigma, reference["enc_sigma"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", [name for name in REFERENCES if "16bar" not in name])
def test_mu_and_sigma_of_shorter_sequences_are_magentas(name):
    known = golden(name)
    lengths = known["enc_short_lengths"]
    assert len(set(lengths.tolist())) == 2, "one whole, one cut"
    mu, sigma = known.network.encode(known["enc_inputs"], lengths, known.get("enc_controls"))
    assert np.allclose(mu, known["enc_short_mu"], rtol=0, atol=1e-4)
    assert np.allclose(sigma, known["enc_short_sigma"], rtol=0, atol=1e-4)


def test_the_likeliest_music_is_magentas(reference):
    samples, outputs = reference.network.decode_with_outputs(reference["dec_z"], controls=reference.get("dec_controls"))
    assert np.allclose(samples, reference["dec_samples"], rtol=0, atol=1e-5)
    assert outputs is not None
    assert np.allclose(outputs[:, reference["steps"]], reference["dec_rnn_output"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", [name for name in REFERENCES if "interp_z" in golden(name)])
def test_interpolations_are_magentas(name):
    known = golden(name)
    z = interpolate(known["enc_mu"][0], known["enc_mu"][1], 6)
    assert np.allclose(z, known["interp_z"], rtol=0, atol=1e-6)
    samples = known.network.decode(known["interp_z"], controls=known.get("dec_controls"))
    differing = np.argwhere(np.abs(samples - known["interp_samples"]).max(axis=2) > 1e-5)
    assert {tuple(place) for place in differing.tolist()} <= set(NEAR_TIES.get(name, []))


def test_outputs_and_cost_of_sequences_that_are_told_are_magentas(reference):
    outputs, costs = reference.network.teacher_forced(
        reference["tf_z"], reference["tf_target"], reference.get("enc_controls")
    )
    assert np.allclose(outputs[:, reference["steps"]], reference["tf_rnn_output"], rtol=0, atol=1e-4)
    assert np.allclose(costs, reference["tf_r_loss"], rtol=1e-5, atol=1e-4)


def test_a_padded_sequence_is_heard_as_it_is_without_padding():
    known = golden("cat-mel_2bar_small_small")
    inputs = known["enc_inputs"].astype(np.float32)
    short, _ = known.network.encode(inputs[:, :9])
    padded, _ = known.network.encode(inputs, np.array([9, 9]))
    assert np.allclose(short, padded, rtol=0, atol=1e-6)


def test_the_second_layer_of_an_encoder_hears_both_directions():
    """A cut sequence of a stacked encoder: layer 1 backwards begins at the sequence's own last step."""
    known = golden("hierdec-mel_16bar_small")
    inputs = known["enc_inputs"].astype(np.float32)
    assert encoder_cell(1, "bw") + "/kernel" in known.shapes
    alone, _ = known.network.encode(inputs[:, :21])
    beside, _ = known.network.encode(np.repeat(inputs, 2, axis=0), np.array([21, 256]))
    assert np.allclose(beside[:1], alone, rtol=0, atol=1e-6)
    assert np.allclose(beside[1], known["enc_mu"][0], rtol=0, atol=1e-4)
