"""Levels of playing."""

from itertools import pairwise

import numpy as np
import pytest

from engine.errors import WrongValueError
from engine.score.dynamics import LEVELS, at_level, level_name, parse_level, written_levels


def test_levels_rise_from_pp_to_ff_by_whole_steps_and_mf_changes_nothing():
    assert [LEVELS[name] for name in ("pp", "p", "mp", "mf", "f", "ff")] == [-3, -2, -1, 0, 1, 2]
    velocities = np.arange(1, 128).astype(np.uint8)
    assert at_level(velocities, np.zeros(127)).tolist() == velocities.tolist()


def test_louder_is_louder_for_every_velocity_and_never_leaves_the_range():
    velocities = np.arange(1, 128).astype(np.uint8)
    played = [at_level(velocities, np.full(127, level)).astype(int) for level in np.arange(-3, 2.01, 0.5)]
    for softer, louder in pairwise(played):
        assert np.all(louder >= softer)
        assert np.all((softer >= 1) & (louder <= 127))
    assert played[-1][79] - played[0][79] >= 35


@pytest.mark.parametrize(
    ("levels", "written"), [((0.0,), "mf"), ((-3, -1, 2.0), "pp -> mp -> ff"), ((1, 1.1, 0.9), "f")]
)
def test_levels_are_written_as_a_scene_would(levels, written):
    assert written_levels(tuple(levels)) == written
    assert level_name(parse_level(written.split(" ", maxsplit=1)[0])) == written.split(" ", maxsplit=1)[0]


def test_what_is_no_level_is_refused_by_name():
    with pytest.raises(WrongValueError, match="`fff` is no level"):
        parse_level("fff")
