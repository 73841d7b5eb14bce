"""MusicVAE by TensorFlow gives what numpy gives, told the same chance; and when it fails, numpy goes on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.networks import CONFIGS, build_network
from engine.networks.vae.configs import TRIO, VaeConfig
from engine.networks.vae.music_vae import MusicVae
from engine.networks.vae.twin.network import TwinError, VaeTwin
from engine.timbres.backend import tensorflow
from tests.networks.vae.golden import VaeGolden, vae_weights

pytestmark = pytest.mark.models

NEAR = 1e-4
"""Between outputs, and between two classes that are all but equally likely."""
ROWS = 3


def both(name: str) -> tuple[MusicVae, MusicVae, VaeTwin, int]:
    """A network in numpy, the same one with a twin, the twin, and how many weights there are."""
    if name == TRIO:
        config = CONFIGS[TRIO]
        assert isinstance(config, VaeConfig)
        shapes = replace(config.layout(), latent=16, encoder=(24,), decoder=(24, 24)).shapes()
    else:
        known = VaeGolden(f"{name}_small")
        config, shapes = known.config, known.shapes
    plain, twinned = (build_network(config, vae_weights(config, shapes)) for _ in range(2))
    count = sum(int(np.prod(shape)) for shape in shapes.values())
    return plain, twinned, VaeTwin(twinned, tensorflow("this test"), "CPU:0"), count


def controls_of(network: MusicVae, steps: int) -> np.ndarray | None:
    size = network.config.control_size
    return np.random.default_rng(5).random((steps, size)).astype(np.float32) if size else None


@pytest.mark.parametrize("name", ["cat-mel_2bar_big", "cat-mel_2bar_med_chords", TRIO, "hierdec-mel_16bar"])
def test_the_twin_chooses_and_hears_what_numpy_does_under_the_same_chance(name):
    plain, twinned, twin, weights = both(name)
    z = np.random.default_rng(1).standard_normal((ROWS, plain.latent_size))
    controls = controls_of(plain, plain.config.steps)
    for temperature in (None, 1.0):
        made, twin_made = (
            one.decode_with_outputs(z, None, controls, temperature, [np.random.default_rng(k) for k in range(ROWS)])
            for one in (plain, twinned)
        )
        assert made[1] is not None
        assert twin_made[1] is not None
        differing = np.argwhere((made[0] != twin_made[0]).any(axis=2))
        # Where a choice falls otherwise, all that follows does. Of these none does.
        assert not len(differing), differing
        assert np.allclose(made[1], twin_made[1], rtol=0, atol=NEAR)
    inputs = np.random.default_rng(2).random((2, 9, plain.config.input_size))
    told = controls_of(plain, 9)
    for own, by_twin in zip(*(one.encode(inputs, np.array([4, 9]), told) for one in (plain, twinned)), strict=True):
        assert np.allclose(own, by_twin, rtol=0, atol=NEAR)
    assert not twin.problem
    assert twin.bytes == 4 * weights, "all lies there, as float32"


def test_a_call_that_fails_is_made_by_numpy_and_so_are_all_after_it(monkeypatch):
    plain, twinned, twin, _ = both("cat-mel_2bar_big")
    z = np.random.default_rng(1).standard_normal((1, plain.latent_size))
    assert twin.bytes

    def full(*_: object) -> object:
        raise MemoryError("OOM when allocating tensor\nhint: ...")

    monkeypatch.setattr(twinned.decoders[0], "_run", full)
    for _ in range(2):
        assert (twinned.decode(z) == plain.decode(z)).all()
    assert (twin.problem, twin.bytes) == ("MemoryError: OOM when allocating tensor", 0)


@pytest.mark.parametrize("wrong", [0.01, np.nan])
def test_a_device_that_computes_something_else_plays_nothing(monkeypatch, wrong):
    from engine.networks.vae.twin import layers

    decode = layers.decode

    def rounding(*args: object) -> tuple[object, ...]:
        choices, outputs, sound = decode(*args)
        return choices, outputs + wrong, sound

    monkeypatch.setattr(layers, "decode", rounding)
    plain, twinned, twin, _ = both("cat-mel_2bar_big")
    assert "differs from numpy" in twin.problem
    z = np.ones((1, plain.latent_size))
    assert (twinned.decode(z) == plain.decode(z)).all()


def test_what_becomes_no_number_on_the_way_is_made_by_numpy(monkeypatch):
    plain, twinned, twin, _ = both("hierdec-mel_16bar")
    z = np.ones((1, plain.latent_size))
    twin._weights["decoder 0"]["from_embedding"] *= np.nan
    assert (twinned.decode(z) == plain.decode(z)).all()
    assert "no number" in twin.problem


def test_hits_and_sets_have_no_twin():
    with pytest.raises(TwinError, match="chooses no classes"):
        both("groovae_4bar")
