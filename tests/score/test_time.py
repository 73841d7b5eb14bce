"""Facts about musical time."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.score.time import SAMPLE_RATE, Meter, TempoMap


@pytest.mark.parametrize(("text", "beats", "steps"), [("4/4", 4, 16), ("3/4", 3, 12), ("6/8", 3, 12), ("7/8", 3.5, 14)])
def test_a_meter_knows_its_beats_and_steps(text, beats, steps):
    meter = Meter.parse(text)
    assert (meter.beats_per_bar, meter.steps_per_bar, str(meter)) == (beats, steps, text)


@pytest.mark.parametrize("text", ["4", "4/3", "0/4", "33/4", "a/b", ""])
def test_nonsense_is_not_a_meter(text):
    with pytest.raises(ValueError, match="meter"):
        Meter.parse(text)


def test_a_bar_at_120_qpm_is_two_seconds_to_the_frame():
    bar = TempoMap().append(4, 120)
    assert (bar.start, bar.end, bar.frame_at(1)) == (0, 2 * SAMPLE_RATE, SAMPLE_RATE // 2)


@given(st.lists(st.floats(30, 250), min_size=1, max_size=200))
def test_the_grid_never_drifts_from_the_nominal_tempo_by_a_frame(qpms):
    tempo_map = TempoMap()
    for qpm in qpms:
        tempo_map.append(4, qpm)
    exact = sum(4 * 60 / qpm * SAMPLE_RATE for qpm in qpms)
    assert abs(tempo_map.end - exact) < 1.001


def test_bars_meet_without_gap_and_are_found_by_index():
    tempo_map = TempoMap()
    bars = [tempo_map.append(3, qpm) for qpm in (97.3, 61.7, 133.1)]
    for left, right in itertools.pairwise(bars):
        assert left.end == right.start
        assert left.frame_at(left.beats) == right.start
    assert [tempo_map.bar(index) for index in range(3)] == bars


def test_forgotten_bars_are_gone_and_the_rest_stays_where_it_was():
    tempo_map = TempoMap()
    bars = [tempo_map.append(4, 90) for _ in range(10)]
    tempo_map.forget_before(4)
    assert tempo_map.bar(7) == bars[7]
    with pytest.raises(KeyError):
        tempo_map.bar(3)


@given(st.lists(st.floats(30, 250), min_size=1, max_size=40), st.data())
def test_a_map_that_begins_at_a_bar_line_goes_on_as_the_one_that_the_line_is_of(qpms, data):
    """With what rounding has left over, so that not one frame is lost or won."""
    tempo_map = TempoMap()
    bars = [tempo_map.append(7 / 2, qpm) for qpm in qpms]
    cut = data.draw(st.integers(0, len(qpms)))
    other = TempoMap(tempo_map.line(cut))
    assert [other.append(7 / 2, qpm) for qpm in qpms[cut:]] == bars[cut:]
    assert other.line(len(qpms)) == tempo_map.line(len(qpms))
    assert [tempo_map.bar(index) for index in range(len(qpms))] == bars


def test_a_tempo_must_be_positive_and_finite():
    for qpm in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="qpm"):
            TempoMap().append(4, qpm)
