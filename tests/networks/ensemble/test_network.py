"""The ensemble network in numpy: what it is told as it plays is what it is told of a whole line."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks import build_network, load_network
from engine.networks.card import WeightsCard, write_weights
from engine.networks.contract import Sampling
from engine.networks.ensemble.configs import ENSEMBLE, KINDS, ensemble_shapes
from engine.networks.ensemble.encoding import (
    BASS,
    BEGINS,
    COLUMNS,
    LOWEST,
    PITCHES,
    LineMemory,
    OtherParts,
    around,
    columns_of,
    kinds_of,
)
from engine.networks.ensemble.network import EnsembleNetwork
from engine.networks.sampling import log_probabilities

SHAPES = ensemble_shapes(units=12, dense=10)
FREE = np.zeros((48, PITCHES))


def network(scale: float = 0.3) -> EnsembleNetwork:
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(0, scale, shape).astype(np.float32) for name, shape in SHAPES.items()}
    return EnsembleNetwork(ENSEMBLE, weights)


def others(steps: int, seed: int = 1, known: int = 0) -> OtherParts:
    rng = np.random.default_rng(seed)
    roots = np.repeat(rng.integers(-1, 12, steps // 8), 8)
    drums, sounding, begun = rng.integers(0, 512, (3, steps))
    return OtherParts(roots, rng.random((steps, 12)) < 0.3, drums, sounding, begun, known)


@pytest.mark.parametrize("known", [0, 32])
def test_what_a_line_costs_as_it_is_played_is_what_it_costs_as_a_whole(known):
    past = np.array([40, -2, -1, -2] * 8)
    heard = around(others(80, known=known), 80)
    made = network().play(BASS, past, heard, FREE, Sampling(), np.random.default_rng(3), count=3)
    for events, nats in zip(made.events, made.nats, strict=True):
        line, every = np.concatenate([past, events]), np.arange(80)
        memory = LineMemory(1, 80)
        memory.push(line[None])
        columns, places = columns_of(BASS, every, memory.past(np.zeros(80, int), every), heard)
        logits = network().logits(columns[None], places[None])[0, 32:]
        kinds = kinds_of(events)
        found = -log_probabilities(logits[:, :KINDS], 1.0)[np.arange(48), kinds].sum()
        begins = np.flatnonzero(kinds == BEGINS)
        found -= log_probabilities(logits[:, KINDS:], 1.0)[begins, events[begins] - LOWEST].sum()
        assert found == pytest.approx(nats, rel=1e-5)


def test_of_drums_and_notes_before_they_are_known_nothing_is_told():
    tables = [around(others(64, seed, known=32), 64, chords=False).columns for seed in (1, 2)]
    np.testing.assert_array_equal(tables[0][:32], tables[1][:32])
    assert (tables[0][32:] != tables[1][32:]).any()


def test_no_note_ends_that_does_not_sound_and_none_of_the_past_goes_on():
    past = np.array([40, *[-2] * 15])
    made = network(1.0).play(BASS, past, around(others(64), 64), FREE, Sampling(), np.random.default_rng(3), count=8)
    assert (made.events[:, 0] != -2).all()
    for events in made.events:
        told = events[events != -2].tolist()
        assert all(one != -1 or before >= 0 for before, one in zip([40, *told], told, strict=False))


def test_forbidden_pitches_do_not_begin():
    bias = np.full((48, PITCHES), -1e9)
    bias[:, 40 - LOWEST] = 0.0
    made = network(1.0).play(BASS, np.zeros(0, int), around(others(48), 48), bias, Sampling(), np.random.default_rng(0))
    assert set(made.events[made.events >= 0].tolist()) == {40}


def test_weights_that_are_not_of_it_are_refused_with_what_is_wrong():
    with pytest.raises(ValueError, match="gru_0/recurrent is missing"):
        build_network(ENSEMBLE, {})
    shapes = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
    with pytest.raises(ValueError, match="embedding/kernel"):
        build_network(ENSEMBLE, shapes | {"embedding/kernel": np.zeros((COLUMNS - 1, 10), np.float32)})


def test_numbers_that_overflow_are_told():
    broken = network()
    broken.weights["output/bias"][:] = np.inf
    with pytest.raises(PerpetuumError, match="no longer finite"):
        broken.play(BASS, np.zeros(0, int), around(others(48), 48), FREE, Sampling(), np.random.default_rng(0))


def test_a_weights_file_comes_back_as_it_was(tmp_path):
    one = network()
    path = tmp_path / "small.safetensors"
    write_weights(path, WeightsCard("small", "ensemble", "ensemble", dict(one.sizes), "none"), one.weights, np.float32)
    other = load_network(path, "ensemble")
    assert isinstance(other, EnsembleNetwork)
    assert all((other.weights[name] == value).all() for name, value in one.weights.items())
