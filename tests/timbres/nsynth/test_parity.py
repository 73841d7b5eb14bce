"""NSynth computes what the original computes."""

from __future__ import annotations

import numpy as np
import pytest

from engine.timbres.nsynth import encoder
from engine.timbres.nsynth.checkpoint import open_model
from engine.timbres.nsynth.decoder import WaveSteps
from engine.timbres.nsynth.layout import HOP, WaveNetLayout
from engine.timbres.nsynth.mu_law import MIDDLE, choose, inverse_mu_law, mu_law
from engine.timbres.nsynth.synthesis import Synthesis
from tests.timbres.nsynth.golden import CHECKPOINT, FOLDER, TOLERANCE, Columns, Golden, made_up_weights, tone


@pytest.fixture(scope="module", params=["tiny", "small"])
def golden(request):
    return Golden(request.param)


@pytest.fixture(scope="module")
def decoder(golden):
    return golden.decoder()


def test_values_of_samples_and_samples_of_values_are_the_originals():
    with np.load(FOLDER / "nsynth__mulaw.npz") as original:
        np.testing.assert_array_equal(mu_law(original["x"]), original["q"])
        np.testing.assert_array_equal(inverse_mu_law(original["inv_in"]), original["inv_numpy"])
        np.testing.assert_array_equal(mu_law(inverse_mu_law(original["inv_in"])), original["roundtrip"])


def test_draws_choose_the_originals_classes():
    with np.load(FOLDER / "nsynth__mulaw.npz") as original:
        draws = np.random.RandomState(99).rand(len(original["pmf"]))
        np.testing.assert_array_equal(choose(original["pmf"], draws), original["pmf_bins_seed99"])


def test_a_draw_beyond_what_probabilities_add_up_to_takes_the_last_class():
    assert choose(np.full((1, 256), 1 / 256 - 1e-6, np.float32), np.array([0.99999999])) == [255]


def test_encodings_are_the_originals(golden):
    for wave, values, encoding in zip(golden.waves(), golden["mu_q"], golden["encoding"], strict=True):
        np.testing.assert_array_equal(mu_law(wave), values)
        np.testing.assert_allclose(golden.encoder().encode(wave), encoding, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("frames", [1, 3, 5])
@pytest.mark.parametrize("part", [128, 2])
def test_what_is_heard_is_what_convolutions_make_at_every_dilation_and_length(frames, part, monkeypatch):
    monkeypatch.setattr(encoder, "_PART", part)
    layout = WaveNetLayout(1, 8, 8, encoder_layers=12, encoder_width=8, encoder_stages=11)
    weights = made_up_weights(layout.encoder_shapes())
    wave = np.random.default_rng(frames).uniform(-0.9, 0.9, frames * HOP).astype(np.float32)
    x = _convolved(mu_law(wave)[:, None] / MIDDLE, weights, "ae_startconv", 1)
    for number in range(1, 13):
        hidden = _convolved(np.maximum(x, 0), weights, f"ae_dilatedconv_{number}", layout.encoder_dilation(number - 1))
        x = x + _convolved(np.maximum(hidden, 0), weights, f"ae_res_{number}", 1)
    expected = _convolved(x, weights, "ae_bottleneck", 1).reshape(frames, HOP, 16).mean(axis=1)
    np.testing.assert_allclose(encoder.WaveEncoder(weights, layout).encode(wave), expected, atol=1e-5, rtol=0)


def _convolved(x, weights, name, dilation):
    """A convolution with zeros beyond both ends, in float64."""
    kernel, bias = weights[f"{name}/W"][0].astype(np.float64), weights[f"{name}/biases"]
    reach = len(kernel) // 2 * dilation
    padded = np.pad(x, ((reach, reach), (0, 0)))
    return sum(padded[tap * dilation :][: len(x)] @ each for tap, each in enumerate(kernel)) + bias


def test_true_samples_give_the_originals_probabilities_and_leave_its_queues(golden, decoder):
    steps = golden.info["queue_after_forced_steps"]
    player, probabilities = golden.forced(decoder, steps)
    known = golden["pred_at"] < steps
    found = probabilities[golden["pred_at"][known]].transpose(1, 0, 2)
    np.testing.assert_allclose(found, golden["pred"][:, known], atol=TOLERANCE, rtol=0)
    queues = golden.queues()
    assert len(queues) == 2 * (golden.layout.layers + 1)
    for (layer, which), rows in queues.items():
        np.testing.assert_allclose(golden.shown(player.queues(layer)[which - 1]), rows, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("run", ["s1", "a1", "s2"])
def test_generation_gives_the_originals_samples_across_a_frame(golden, decoder, run):
    about = golden.info[f"gen_{run}"]
    batch, steps, seed = about["batch"], about["steps"], about["seed"]
    draws = None if seed is None else np.random.RandomState(seed).rand(steps, batch)
    player, inputs = WaveSteps(decoder, batch), np.zeros(batch, np.float32)
    values, kept = np.empty((batch, steps), np.int16), []
    for step in range(steps):
        if step % HOP == 0:
            player.condition(golden["encoding"][:batch, step // HOP])
        probabilities = player.step(inputs)
        if step in golden[f"{run}_probs_at"]:
            kept.append(probabilities.copy())
        classes = probabilities.argmax(axis=1) if draws is None else choose(probabilities, draws[step])
        values[:, step] = classes - MIDDLE
        inputs = (values[:, step] / MIDDLE).astype(np.float32)
    np.testing.assert_array_equal(values + MIDDLE, golden[f"{run}_bins"])
    np.testing.assert_allclose(np.stack(kept), golden[f"{run}_probs"], atol=TOLERANCE, rtol=0)
    np.testing.assert_allclose(inverse_mu_law(values), golden[f"{run}_wave"], atol=1e-6, rtol=0)


def test_a_batch_gives_the_originals_samples():
    golden = Golden("tiny")
    decoder = golden.decoder()
    steps, seed = golden.info["gen_s2"]["steps"], golden.info["gen_s2"]["seed"]
    frames = -(-steps // HOP)
    encodings = [encoding[:frames] for encoding in golden["encoding"]]
    synthesis = Synthesis(decoder, encodings, [Columns(seed, 2, note, steps) for note in range(2)])
    synthesis.run()
    for note in range(2):
        np.testing.assert_array_equal(synthesis.values(note)[:steps] + MIDDLE, golden["s2_bins"][note])


def test_a_checkpoint_plays_what_the_originals_synthesize_wrote():
    golden = Golden("tiny")
    model = open_model(CHECKPOINT, stages=4)
    assert model.layout == golden.layout
    encoding = model.encoder().encode(tone(0, golden.info["n"]))
    np.testing.assert_allclose(encoding, golden["encoding"][0], atol=TOLERANCE, rtol=0)
    source = np.random.RandomState(golden.info["synthesize"]["seed"])
    synthesis = Synthesis(model.decoder(), [encoding], [source])
    synthesis.run()
    np.testing.assert_array_equal(synthesis.values(0) + MIDDLE, golden["synthesize_bins"])
    np.testing.assert_allclose(synthesis.wave(0), golden["synthesize_wav"], atol=1e-6, rtol=0)
