"""Facts about the figures of networks that play drums with feel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.networks import CONFIGS, build_network
from engine.networks.vae.configs import HUMANIZE_TEMPO
from engine.training.evaluation import evaluate
from engine.training.evaluation.held_out.groove import WIDE, Strokes, groove_samples, stroke_figures, usual_velocities
from tests.networks.golden import made_up_weights
from tests.networks.vae.golden import small_network
from tests.training.evaluation.pieces import grooves

USUAL = np.full(9, 0.5)


def strokes(count: int = 4000, **changes: np.ndarray) -> Strokes:
    """What a drummer plays: drums with timing and loudness of their own; played by the network without fault."""
    rng = np.random.default_rng(1)
    drums = rng.integers(2, size=count)
    offsets = np.clip(rng.normal(0.3 * drums, 0.1), -1, 1)
    velocities = np.clip(rng.normal(0.4 + 0.3 * drums, 0.05), 0, 1)
    played = Strokes(drums, np.full(count, 125.0), offsets, offsets.copy(), velocities, velocities.copy())
    return played._replace(**changes)


def test_who_plays_like_the_drummer_has_no_fault():
    figures = stroke_figures(strokes(), USUAL)
    for name in ("timing_mae_ms", "timing_mse", "velocity_mae", "timing_kl", "velocity_kl", "timing_kl_pooled"):
        assert figures[name] == 0.0
    assert figures["overlap_timing"] == figures["overlap_velocity_played"] == 1.0


def test_who_plays_on_the_grid_has_the_faults_of_the_grid():
    figures = stroke_figures(strokes(made_offsets=np.zeros(4000)), USUAL)
    assert figures["timing_mae_ms"] == pytest.approx(figures["quantised_mae_ms"])
    assert figures["timing_mse"] == pytest.approx(figures["quantised_mse"])
    assert figures["timing_kl"] == pytest.approx(figures["quantised_timing_kl"])
    assert figures["timing_kl"] > 1.0


def test_a_stroke_a_quarter_of_a_sixteenth_late_is_so_many_milliseconds():
    played = strokes()
    figures = stroke_figures(played._replace(made_offsets=played.offsets - 0.5), USUAL)
    assert figures["timing_mae_ms"] == pytest.approx(0.25 * 125)
    assert figures["timing_mse"] == pytest.approx(1 / 16)


def test_who_plays_what_is_likely_is_as_wide_as_the_drummer_at_more_than_the_whole():
    played = strokes()
    usual = played.velocities.mean()
    shy = played._replace(
        made_offsets=played.offsets / WIDE, made_velocities=usual + (played.velocities - usual) / WIDE
    )
    figures = stroke_figures(shy, USUAL)
    assert figures["timing_kl"] > 0.05
    assert figures["velocity_kl"] > 0.05
    for name in ("timing_mae_ms", "timing_kl", "timing_kl_pooled", "velocity_kl", "velocity_kl_pooled"):
        assert figures[f"wide_{name}"] < 0.01


def test_drums_that_change_roles_are_told_apart_by_drum_alone():
    played = strokes()
    mirrored = np.where(played.drums == 1, 0, 1)
    shuffled = np.random.default_rng(2).normal(0.3 * mirrored, 0.1)
    figures = stroke_figures(played._replace(made_offsets=shuffled), USUAL)
    assert figures["timing_kl_pooled"] < 0.05
    assert figures["timing_kl"] > 1.0


def test_the_constant_velocity_is_each_drums_own_in_training():
    pieces = grooves()
    for piece in pieces:
        struck = piece.events[:, :9] > 0
        piece.events[:, 9:18][struck] = 0.25
        piece.events[:, 9][struck[:, 0]] = 0.75
    usual = usual_velocities([piece for piece in pieces if piece.split == "train"])
    np.testing.assert_allclose(usual, [0.75] + [0.25] * 8)


def small(name):
    layout = replace(CONFIGS[name].layout(), encoder=(10,), decoder=(12, 8), latent=6)
    return build_network(CONFIGS[name], made_up_weights(layout.shapes()))


@pytest.mark.parametrize("config", ["groovae_2bar_humanize", HUMANIZE_TEMPO])
def test_figures_of_a_network_are_about_the_strokes_that_were_played(config):
    network, pieces = small(config), grooves()
    figures = evaluate(network, pieces)
    judged = np.concatenate([piece.events for piece in pieces if piece.split == "test"])
    hits, _, offsets = np.split(judged, 3, axis=1)
    assert figures["windows"] == 4
    assert figures["quantised_mae_ms"] == pytest.approx(np.abs(offsets[hits > 0]).mean() / 2 * 120, rel=1e-4)
    assert figures["timing_mae_ms"] > 10
    assert figures["timing_kl"] > 0.5, "random weights play nothing like a drummer"
    assert ("hits" in figures) == (config != HUMANIZE_TEMPO), "it is told the strokes, and cannot guess them"
    assert 0.0 <= figures.get("hits", 0.5) < 0.6


def test_samples_are_windows_before_and_after_the_network():
    network, pieces = small_network("groovae_2bar_humanize"), grooves()
    played, made = groove_samples(network, pieces, 3, seed=1)
    assert [sample.length for sample in played + made] == [8.0] * 6
    assert all(len(sample.notes) > 20 for sample in played)
    again, _ = groove_samples(network, pieces, 3, seed=1)
    np.testing.assert_array_equal(again[0].notes, played[0].notes)
