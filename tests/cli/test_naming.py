"""What a command line may call a scene or a verb, and what is said where that means nothing or two things."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine import assets
from tests.scenes.writing import RIGHT

pytestmark = pytest.mark.usefixtures("here")


@pytest.mark.parametrize("ending", ["yaml", "yml"])
@pytest.mark.parametrize("folder", ["", "below/"])
def test_a_scene_is_found_without_its_ending(perpetuum, here, ending, folder):
    (here / "below").mkdir()
    (here / "evening").mkdir()  # a folder of that name is no scene
    (here / f"{folder}evening.{ending}").write_text(RIGHT)
    assert perpetuum("check", f"{folder}evening") == (0, f"{folder}evening.{ending}: valid\n", "")
    status, out, _ = perpetuum("plan", f"{folder}evening", "--bars", "4")
    assert status == 0
    assert "bars 1" in out


def test_the_name_of_a_shipped_scene_comes_before_a_file_here_and_that_is_said(perpetuum, here):
    (here / "slow_groove.yaml").write_text(RIGHT)
    _, out, err = perpetuum("check", "slow_groove")
    assert str(assets.shipped("scenes") / "slow_groove.yaml") in out
    assert err.endswith("for the file here say slow_groove.yaml\n")
    assert perpetuum("check", "slow_groove.yaml") == (0, "slow_groove.yaml: valid\n", "")


def test_a_misspelt_scene_is_guessed_among_those_that_are_known_and_those_here(perpetuum, here):
    (here / "evening.yaml").write_text(RIGHT)
    (here / "below").mkdir()
    (here / "below" / "morning.yml").write_text(RIGHT)
    for said, meant in (
        ("evning", "evening"),
        ("evenng.yaml", "evening.yaml"),
        ("below/mornig", "below/morning"),
        ("slow_grove", "slow_groove"),
    ):
        status, _, err = perpetuum("plan", said)
        assert status == 2
        assert f"did you mean {meant}?" in err
    assert "slow_groove" in perpetuum("plan", "xyzzy")[2]
    (here / "empty").mkdir()
    assert "it is a folder" in perpetuum("plan", "empty")[2]


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["rendr"], "'render'"),
        (["chek", "x.yaml"], "'check'"),
        (["models", "imprt"], "'import'"),
        (["render", "--minuts", "3"], "'--minutes'"),
        (["evening"], "'perpetuum play evening'"),
        (["slow_groove"], "'perpetuum play slow_groove'"),
    ],
)
def test_a_misspelt_verb_or_option_is_guessed(perpetuum, here, arguments, meant):
    (here / "evening.yaml").write_text(RIGHT)
    status, _, err = perpetuum(*arguments)
    assert status == 2
    assert f"Did you mean {meant}?" in err


def test_what_resembles_nothing_is_refused_without_a_guess(perpetuum):
    assert "Did you mean" not in perpetuum("xyzzy")[2]


@pytest.mark.parametrize("verb", ["render", "play"])
@pytest.mark.parametrize("minutes", ["nan", "inf", "1e300", "0", "-1", "-inf", "x"])
def test_a_length_that_is_none_is_refused_in_a_sentence(perpetuum, here, verb, minutes):
    status, _, err = perpetuum(verb, "slow_groove", *["-o", "x.wav"] * (verb == "render"), f"--minutes={minutes}")
    assert status == 2
    assert "Invalid value for '--minutes'" in err
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("bars", ["nan", "inf", "1e300", "0", "-1", "1000000000000"])
def test_a_number_of_bars_that_is_none_is_refused_in_a_sentence(perpetuum, here, bars):
    status, _, err = perpetuum("render", "slow_groove", "-o", "x.wav", f"--bars={bars}")
    assert status == 2
    assert "Invalid value for '--bars'" in err
    assert list(here.iterdir()) == []


def test_a_remark_about_a_name_that_nobody_takes_stops_nothing(here):
    (here / "slow_groove.yaml").write_text(RIGHT)
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-P", "-m", "engine", "check", "slow_groove"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, check=False)
    assert (done.returncode, done.stdout.rpartition("/")[2]) == (0, "slow_groove.yaml: valid\n")
