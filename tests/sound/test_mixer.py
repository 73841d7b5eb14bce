import math

import numpy as np
import pytest

from engine.sound.messages import BLOCK, Control, PartSound
from engine.sound.mixing.mixer import Mixer

ONES = np.ones((BLOCK, 2), np.float32)


def run(mixer: Mixer, blocks: int, channels: np.ndarray = ONES) -> np.ndarray:
    return np.concatenate([mixer.mix(channels, k * BLOCK).copy() for k in range(blocks)])


def test_a_part_at_0_db_in_the_middle_passes_unchanged():
    buses = Mixer([PartSound("a", "")]).mix(ONES, 0)
    assert buses[:, :2] == pytest.approx(1.0, abs=1e-6)
    assert not buses[:, 2:].any()


def test_levels_and_sends_are_decibels():
    buses = Mixer([PartSound("a", "", level=-6.0, reverb=-20.0, delay=-40.0)]).mix(ONES, 0)
    level = 10 ** (-6 / 20)
    assert buses[0] == pytest.approx([level, level, level * 0.1, level * 0.1, level * 0.01, level * 0.01], rel=1e-5)


def test_pan_keeps_the_power_of_both_sides():
    for pan in (-1.0, -0.4, 0.0, 0.7, 1.0):
        left, right = Mixer([PartSound("a", "", pan=pan)]).mix(ONES, 0)[0, :2]
        assert left**2 + right**2 == pytest.approx(2.0, rel=1e-5)
    assert left == pytest.approx(0.0, abs=1e-6)


def test_a_ramp_runs_linearly_in_decibels_and_ends_on_its_value():
    mixer = Mixer([PartSound("a", "", level=0.0)])
    mixer.ramp(0, Control.LEVEL, -20.0, 2 * BLOCK, 12 * BLOCK)
    left = run(mixer, 16)[:, 0]
    assert left[: 2 * BLOCK] == pytest.approx(1.0, abs=1e-6)
    assert 20 * math.log10(left[7 * BLOCK]) == pytest.approx(-10.0, abs=0.1)
    assert left[12 * BLOCK :] == pytest.approx(0.1, rel=1e-5)


def test_no_gain_ever_jumps():
    mixer = Mixer([PartSound("a", "")])
    for k, value in enumerate((-math.inf, 0.0, -30.0, 6.0)):
        mixer.ramp(0, Control.LEVEL, value, 100 + 1000 * k, 100 + 1000 * k)
        mixer.ramp(0, Control.PAN, (-1.0) ** k, 100 + 1000 * k, 100 + 1000 * k)
        assert run(mixer, 1).shape == (BLOCK, 6)
    steps = np.abs(np.diff(run(mixer, 20)[:, :2], axis=0))
    assert steps.max() <= 2.9 / BLOCK


def test_a_level_of_minus_infinity_is_silence():
    assert not Mixer([PartSound("a", "", level=-math.inf)]).mix(ONES, 0).any()


def test_a_new_ramp_starts_where_the_old_one_is():
    mixer = Mixer([PartSound("a", "", level=0.0)])
    mixer.ramp(0, Control.LEVEL, -40.0, 0, 20 * BLOCK)
    left = run(mixer, 10)[:, 0]
    mixer.ramp(0, Control.LEVEL, 0.0, 10 * BLOCK, 20 * BLOCK)
    left = np.concatenate([left, *(mixer.mix(ONES, k * BLOCK)[:, 0].copy() for k in range(10, 22))])
    assert 20 * math.log10(left[10 * BLOCK]) == pytest.approx(-20.0, abs=0.1)
    assert 20 * math.log10(left[-1]) == pytest.approx(0.0, abs=1e-3)
    assert np.abs(np.diff(left)).max() < 1.0 / BLOCK
