"""A soak goes on where it was stopped, and its slopes are those of a regression that is not ours."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from engine.installation.soak.growth import slope_of
from engine.installation.soak.report import page
from engine.installation.soak.run import Soak, soak_in
from engine.scenes import load

SCENE = """
perpetuum: 1
title: By rules
seed: 3
tempo: 90 qpm
key: C
parts:
  pad: {generator: {kind: chord_walk, chord_length: 2 bars}, phrase: 8 bars, instrument: warm_pad}
sections:
  all: {bars: 16 bars, parts: [pad]}
"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    path = tmp_path_factory.mktemp("soak") / "scene.yaml"
    path.write_text(SCENE)
    found, problems = load(path)
    assert found is not None, problems
    return found


def soak(scene, folder: Path, days: float):
    """Go on with a soak until it has so many days."""
    return Soak(scene, soak_in(folder, scene, 3), days, folder).run()


def test_a_soak_that_was_stopped_goes_on_to_the_very_end_of_one_that_was_not(scene, tmp_path):
    first = soak(scene, tmp_path / "twice", 0.01)
    again = soak(scene, tmp_path / "twice", 0.02)
    whole = soak(scene, tmp_path / "once", 0.02)
    assert (first.runs, again.runs, whole.runs) == (1, 2, 1)
    assert again.bars == whole.bars > first.bars
    assert [round(one.days, 3) for one in again.samples] == [0.01, 0.02]
    assert again.samples[-1].days == whole.samples[-1].days
    assert max(abs(one.drift) for one in again.samples) < 1
    assert again.state is not None
    assert whole.state is not None
    assert again.state.conductor.position == whole.state.conductor.position
    assert "started 2 times" in page([again])


def test_a_slope_and_its_interval_are_those_of_a_regression():
    rng = np.random.default_rng(4)
    days = np.sort(rng.uniform(0, 3, 40))
    values = 70 + 1.5 * days + rng.normal(0, 0.3, 40)
    wanted = stats.linregress(days, values)
    found = slope_of([list(zip(days.tolist(), values.tolist(), strict=True))])
    assert found is not None
    assert found.mean == pytest.approx(wanted.slope)
    assert found.error == pytest.approx(wanted.stderr * stats.t.ppf(0.975, 38), rel=0.02)
