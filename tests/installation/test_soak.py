"""A soak goes on where it was stopped, and its slopes are those of a regression that is not ours."""

import math
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from scipy import stats

from engine.errors import PerpetuumError
from engine.installation.soak.growth import slope_of
from engine.installation.soak.kept import StoredProcess, StoredSample, StoredSoak
from engine.installation.soak.report import page
from engine.installation.soak.run import Soak, soak_in
from engine.runtime.ending import Ending
from engine.runtime.render import render
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


def test_a_soak_with_sound_measures_every_second_of_it_as_another_meter_does(scene, tmp_path):
    """pyloudnorm and the file of a render are the oracles."""
    days = 27 / 86400
    kept = Soak(scene, soak_in(tmp_path / "heard", scene, 3, sounds=True), days, tmp_path / "heard", sounds=True).run()
    file = tmp_path / "same.wav"
    render(scene, 3, file, lambda plan: Ending.after_seconds(plan, 31.0))
    samples, rate = soundfile.read(file, frames=27 * 48_000)
    meter = pyloudnorm.Meter(rate, block_size=3.0)
    levels = [meter.integrated_loudness(samples[end - 3 * rate : end]) for end in range(3 * rate, 28 * rate, rate)]
    assert kept.sound is not None
    assert kept.sound.seconds == 27
    assert kept.sound.loudest == pytest.approx(max(levels), abs=0.2)
    assert 20 * math.log10(kept.sound.true_peak) == pytest.approx(20 * math.log10(np.abs(samples).max()), abs=0.5)
    assert any(one.name == "sound.process" for one in kept.samples[-1].processes)
    assert "sound: longest silence" in page([kept])
    with pytest.raises(PerpetuumError, match="cannot be gone on with"):
        soak_in(tmp_path / "heard", scene, 3)
    assert soak_in(tmp_path / "heard", scene, 3, sounds=True).samples == ()


def test_a_soak_with_sound_is_not_written_over_one_of_days_without(scene, tmp_path):
    soak(scene, tmp_path, 0.01)
    with pytest.raises(PerpetuumError, match="would be lost"):
        soak_in(tmp_path, scene, 3, sounds=True)
    assert len(soak_in(tmp_path, scene, 3).samples) == 1


def test_a_slope_and_its_interval_are_those_of_a_regression():
    rng = np.random.default_rng(4)
    days = np.sort(rng.uniform(0, 3, 40))
    values = 70 + 1.5 * days + rng.normal(0, 0.3, 40)
    wanted = stats.linregress(days, values)
    found = slope_of([list(zip(days.tolist(), values.tolist(), strict=True))])
    assert found is not None
    assert found.mean == pytest.approx(wanted.slope)
    assert found.error == pytest.approx(wanted.stderr * stats.t.ppf(0.975, 38), rel=0.02)


@pytest.mark.parametrize(
    ("days", "grows", "said"), [(0.5, 0.9, "too short to tell"), (30, 0.1, "yes"), (30, 1.5, "**no**")]
)
def test_a_slope_is_judged_only_where_its_interval_lies_on_one_side_of_the_bar(days, grows, said):
    rng = np.random.default_rng(5)
    hours = np.arange(0, days * 24) / 24
    memory = 1e6 * (90 + grows * hours + rng.normal(0, 1.0, len(hours)))
    samples = tuple(
        StoredSample(
            run=1,
            days=day,
            spent=day,
            processes=(StoredProcess(name="soak", memory=int(size), files=9, threads=6),),
            drift=0.0,
            repeated={},
        )
        for day, size in zip(hours.tolist(), memory.tolist(), strict=True)
    )
    told = page([StoredSoak(title="Pretended", file="scene.yaml", seed=1, samples=samples)])
    row = next(line for line in told.splitlines() if line.startswith("| soak: memory"))
    assert row.endswith(f"| {said} |")
