"""The polyphonic networks in Keras, for training: the same numbers as in numpy, and their losses fall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.networks import build_network
from engine.networks.encodings.pianoroll import mask_of
from engine.networks.polyphonic.configs import ENCODER
from tests.networks.polyphonic.golden import Golden, weights_of
from tests.networks.polyphonic.test_parity import CONFIGS

pytestmark = pytest.mark.models


@pytest.mark.parametrize("name", ["polyphony", "multiconditioned_performance_with_dynamics"])
def test_at_full_size_keras_and_numpy_agree_within_1e_4(name):
    from engine.networks.rnn.keras_rnn import EventSequenceModel

    config, golden = CONFIGS[name], Golden(name)
    layout = config.default_layout()
    weights = weights_of(layout.shapes())
    model = EventSequenceModel(layout)
    model.set_by_name(weights)
    inputs = golden["p0_inputs"][:12]
    expected, _ = build_network(config, weights).run(inputs)
    np.testing.assert_allclose(np.asarray(model(inputs[None]))[0], expected, atol=1e-4)


@pytest.mark.parametrize("name", ["rnn-nade", "rnn-nade_attn"])
def test_keras_finds_frames_as_likely_as_magenta(name):
    from engine.networks.polyphonic.keras_nade import NadeLoss, RnnNadeModel

    golden, config = Golden(name), replace(CONFIGS[name], default_hidden=14)
    model = RnnNadeModel(config, golden.layers)
    model.set_by_name(weights_of({name: tuple(weight.shape) for name, weight in model.by_name.items()}))
    frames = golden["p0_inputs"]
    outputs = model(np.concatenate([np.zeros_like(frames[:1]), frames[:-1]])[None])
    made = np.asarray(NadeLoss(model).call(frames[None], outputs))[0]
    np.testing.assert_allclose(-made, golden["p0_nade_log_prob"], atol=1e-4)


def test_a_piano_roll_is_learnt_and_played():
    import keras

    from engine.networks.polyphonic.keras_nade import NadeLoss, RnnNadeModel

    config, golden = CONFIGS["rnn-nade"], Golden("rnn-nade")
    model = RnnNadeModel(config, (16,))
    model.set_by_name(weights_of({name: tuple(weight.shape) for name, weight in model.by_name.items()}))
    model.compile(keras.optimizers.Adam(0.02), NadeLoss(model), jit_compile=False)
    frames = golden["p0_inputs"][None]
    before = np.concatenate([np.zeros_like(frames[:, :1]), frames[:, :-1]], axis=1)
    encoder = model.get_by_name()[ENCODER]
    losses = [float(np.ravel(model.train_on_batch(before, frames))[0]) for _ in range(30)]
    assert losses[-1] < 0.5 * losses[0]
    assert np.abs(model.get_by_name()[ENCODER] - encoder).max() > 0.01
    events = [mask_of(frame) for frame in frames[0]]
    assert build_network(config, model.get_by_name()).log_likelihood(events) > -2 * 31 * losses[-1]
