"""NADE: probabilities, drawing, and its twin in Keras."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from engine.networks.contract import Sampling
from engine.networks.encodings.pianoroll import frame_of, mask_of
from engine.networks.polyphonic.heads import NadeHead
from engine.networks.polyphonic.nade import Nade

rng = np.random.default_rng(5)


def made(bits: int, hidden: int) -> Nade:
    return Nade(rng.normal(size=(bits, 1, hidden)), rng.normal(size=(bits, hidden, 1)))


def test_probabilities_of_all_patterns_add_up_to_one():
    nade, hidden, biases = made(6, 4), rng.normal(size=4), rng.normal(size=6)
    patterns = [np.array(bits, float) for bits in itertools.product((0, 1), repeat=6)]
    total = sum(np.exp(nade.log_probability(hidden, biases, bits)) for bits in patterns)
    assert total == pytest.approx(1, abs=1e-3)


def test_patterns_are_drawn_as_often_as_they_are_likely():
    nade, hidden, biases = made(3, 4), rng.normal(size=4), rng.normal(size=3)
    chance = np.random.default_rng(1)
    drawn = [tuple(nade.sample(hidden, biases, chance)[0]) for _ in range(4000)]
    for bits in itertools.product((0.0, 1.0), repeat=3):
        likely = np.exp(nade.log_probability(hidden, biases, np.array(bits)))
        assert drawn.count(bits) / 4000 == pytest.approx(likely, abs=0.03)


def test_a_drawn_pattern_comes_with_its_log_probability():
    nade, hidden, biases = made(88, 20), rng.normal(size=20), rng.normal(size=88) - 1
    bits, likely = nade.sample(hidden, biases, np.random.default_rng(2))
    assert 0 < bits.sum() < 88
    assert likely == pytest.approx(nade.log_probability(hidden, biases, bits), abs=1e-4)


def test_towards_temperature_zero_a_bit_is_set_if_that_is_likelier():
    nade, hidden, biases = made(88, 20), rng.normal(size=20), rng.normal(size=88) - 1
    bits, _ = nade.sample(hidden, biases, np.random.default_rng(2), temperature=1e-9)
    np.testing.assert_array_equal(bits, nade.conditionals(hidden, biases, bits) > 0)
    assert bits.any()


def test_the_head_draws_a_mask_for_each_sequence_in_order():
    nade = made(88, 20)
    head = NadeHead(nade)
    outputs = rng.normal(size=(2, head.output_size))
    labels, likely = head.sample(outputs, Sampling(temperature=0.7), np.random.default_rng(4))
    chance = np.random.default_rng(4)
    for row, label, value in zip(outputs, labels, likely, strict=True):
        assert label == mask_of(nade.sample(row[:20], row[20:], chance, 0.7)[0])
        assert value == pytest.approx(head.log_probability(row, label, 0.7), abs=1e-4)
        assert mask_of(frame_of(label)) == label
