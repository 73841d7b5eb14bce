"""Facts about the figures of autoencoders of two bars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.networks import CONFIGS, build_network
from engine.training.evaluation import evaluate
from engine.training.evaluation.copies import KnownPieces
from engine.training.evaluation.figures import card_metrics, unit
from engine.training.evaluation.held_out.vae import divergences, edit_distances, evaluate_vae, walk_figures
from tests.networks.golden import made_up_weights
from tests.networks.vae.golden import small_network
from tests.training.evaluation.pieces import melodies, trios


def test_figures_of_a_network_of_chance_say_so():
    network = small_network("cat-mel_2bar_small")
    figures = evaluate_vae(network, melodies())
    assert figures["windows"] == 15
    assert figures["all_hold"] == pytest.approx(0.5, abs=0.05)
    for name in ("told", "told_z", "reconstructed", "reconstructed_z", "sampled_mu", "sampled"):
        assert 0.0 <= figures[name] < 0.5
    assert figures["nll"] > 2.0
    assert figures["elbo"] > figures["kl"] / 32
    assert figures == evaluate_vae(network, melodies()), "the same seed"
    assert figures["sampled"] != evaluate_vae(network, melodies(), seed=5)["sampled"]


def test_each_voice_of_a_trio_is_judged_beside_holding_on():
    config = CONFIGS["trio_4bar"]
    layout = replace(config.layout(), encoder=(6,), decoder=(8,), latent=4)
    network = build_network(config, made_up_weights(layout.shapes()))
    figures = evaluate(network, trios(), samples=2)
    assert figures["windows"] == 2
    assert figures["all_hold_bass"] == pytest.approx(0.6875, abs=0.01), "eleven sixteenths of each bar"
    for name in ("sampled", "reconstructed", "told", "all_hold"):
        voices = [figures[f"{name}_{voice}"] for voice in ("melody", "bass", "drums")]
        assert figures[name] == pytest.approx(np.mean(voices))
    assert {"overlap_pitch", "walk_copies", "copied_bars"} <= set(figures)
    assert unit("kl", config) == "nats per window of four bars"
    assert unit("windows", config) == "windows of four bars"
    assert all(unit(name, config) for name in figures)


def test_the_divergence_of_the_prior_from_itself_is_nothing():
    np.testing.assert_allclose(divergences(np.zeros((2, 3)), np.ones((2, 3))), 0.0)
    np.testing.assert_allclose(divergences(np.full((1, 4), 2.0), np.ones((1, 4))), [8.0])


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("abcd", "abcd", 0), ("abcd", "bcda", 2), ("abcd", "abce", 1), ("aaaa", "bbbb", 4), ("abab", "baba", 2)],
)
def test_an_edit_puts_in_takes_out_or_changes_a_step(first, second, distance):
    rows = [np.array([list(map(ord, text))] * 2) for text in (first, second)]
    assert edit_distances(*rows).tolist() == [distance, distance]


def test_walks_that_stand_still_and_walks_that_copy_are_seen():
    network = small_network("cat-mel_2bar_small")
    known = KnownPieces("melody", CONFIGS["cat-mel_2bar_small"], melodies())
    still = walk_figures(network, np.ones((1, network.latent_size), np.float32), known, np.random.default_rng(0))
    assert (still["walk_step"], still["walk_jump"], still["walk_ends"], still["walk_still"]) == (0.0, 0.0, 0.0, 1.0)
    mu = 3 * np.random.default_rng(1).standard_normal((20, network.latent_size)).astype(np.float32)
    moving = walk_figures(network, mu, known, np.random.default_rng(0))
    assert 0.0 < moving["walk_step"] <= moving["walk_jump"] <= 1.0
    assert moving["walk_still"] < 1.0
    assert moving["walk_copies"] == 0.0


def test_all_figures_have_a_name_and_a_unit():
    network = small_network("cat-mel_2bar_small")
    figures = evaluate(network, melodies(), samples=4)
    assert {"sampled", "walk_step", "overlap_pitch_train", "copied_bars_held_out"} <= set(figures)
    assert unit("nll", network.config) == "nats per sixteenth"
    for name in figures:
        assert unit(name, network.config)
    metrics = card_metrics(figures, network.config)
    assert metrics["unit"].endswith("test split")
    assert metrics["kl"] == round(figures["kl"], 4)
