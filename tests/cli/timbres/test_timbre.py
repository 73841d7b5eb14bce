"""Facts about `perpetuum timbre`: recordings heard, notes between them, instruments; what is wrong is said."""

import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.sound.instruments.instrument_file import load_instrument
from tests.cli.generating import fails, run

TIME = np.arange(96_000) / 48_000


def note(hertz, decay=2.0):
    partials = sum(np.sin(2 * np.pi * hertz * number * TIME) / number**1.5 for number in range(1, 7))
    return 0.2 * partials * np.exp(-decay * TIME)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("bell.wav", note(523.25), 48_000)


TURNING = """
perpetuum: 1
title: t
seed: 3
tempo: 120 qpm
key: C
parts:
  pad:
    generator: chord_walk
    instrument: {kind: neural, places: [7, 12], over: 8 bars, steps: 2, lowest: C4, highest: C4, stand_in: warm_pad}
sections:
  a: {bars: 4 bars, parts: [pad]}
"""


def test_the_banks_of_a_scene_are_made_ahead_and_found_by_whoever_plays_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CACHE_DIRECTORY", raising=False)
    Path("scene.yaml").write_text(TURNING)
    listed = run("timbre", "banks", "scene.yaml", "--hours", 0.02, "--list")
    assert (listed.exit_code, listed.stdout) == (0, "pad: 2 banks, of which 0 are made\n")
    made = run("timbre", "banks", "scene.yaml", "--hours", 0.02)
    assert made.exit_code == 0, (made.output, made.exception)
    assert "2 made" in made.stdout
    again = run("timbre", "banks", "scene.yaml", "--hours", 0.02)
    assert (again.exit_code, again.stdout) == (0, "pad: 2 banks, of which 2 are made\n")


def test_a_scene_without_timbres_has_no_banks():
    assert "no part of it has a timbre" in fails("timbre", "banks", "still_water")


def test_a_recording_is_heard_and_mixed_with_a_place_that_is_drawn():
    heard = run("timbre", "encode", "bell.wav", "-o", "places", "--sound")
    assert heard.exit_code == 0, (heard.output, heard.exception)
    assert "C5 +0 cents" in heard.stdout
    assert len(json.loads(Path("places/bell.timbre.json").read_text())["place"]) == 27
    assert soundfile.info("places/bell.timbre.wav").frames == 144_000
    made = run("timbre", "mix", "places/bell.timbre.json", 7, "--at", 30, "--pitch", "A4", "-o", "mix.flac")
    assert made.exit_code == 0, (made.output, made.exception)
    again = run("timbre", "mix", "bell.wav", 7, "--at", 30, "--pitch", "A4", "-o", "again.flac")
    assert again.exit_code == 0
    one, two = (soundfile.read(name)[0] for name in ("mix.flac", "again.flac"))
    assert np.abs(one - two).max() < 1e-3
    assert 0.3 < np.abs(one).max() < 0.6


def test_places_are_drawn_and_gone_through():
    made = run("timbre", "sample", "-n", 2, "--seed", 5, "--seconds", 0.5, "-o", "notes")
    assert made.exit_code == 0, (made.output, made.exception)
    assert sorted(os.listdir("notes")) == ["timbre-5-C4.wav", "timbre-6-C4.wav"]
    walked = run("timbre", "walk", 5, 6, 5, "--notes", 5, "--every", 0.5, "--seconds", 0.5, "-o", "walk.wav")
    assert walked.exit_code == 0
    sound, rate = soundfile.read("walk.wav")
    first, home = sound[: rate // 2], sound[2 * rate : 2 * rate + rate // 2]
    assert np.allclose(first, home, atol=1e-3)
    assert not np.allclose(first, sound[rate : rate + rate // 2], atol=0.05)


def test_sounds_are_kept_in_memory_only_where_they_are_drawn(monkeypatch):
    kept = []
    monkeypatch.setattr("engine.cli.timbres.timbre._draw", lambda plot, drawn: kept.append(len(drawn)))
    few = ("-n", 2, "--seed", 5, "--seconds", 0.1)
    for verb in (("encode", "bell.wav"), ("sample", *few)):
        assert run("timbre", *verb).exit_code == 0
        assert run("timbre", *verb, "--plot", "x.png").exit_code == 0
    assert kept == [0, 2, 0, 2]


def test_an_instrument_plays_in_the_base_install():
    made = run(
        "timbre", "instrument", 7, 12, "--at", 40, "--lowest", "C4", "--highest", "C5", "--every", 12, "-o", "mine"
    )
    assert made.exit_code == 0, (made.output, made.exception)
    assert "C4 at velocity 50" in made.stdout
    assert load_instrument("mine/instrument.yaml")
    assert "is there already" in fails("timbre", "instrument", 7, "-o", "mine")


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
    return name


WRONG = {
    "no such recording": (lambda: ("mix", "gone.wav", 7, "-o", "x.wav"), "gone.wav"),
    "a recording that is none": (lambda: ("encode", write("x.wav", b"RIFF" * 99)), "x.wav"),
    "a place that is none": (lambda: ("mix", write("x.timbre.json", b'{"place": []}'), 7, "-o", "x.wav"), "no place"),
    "numbers of no place": (
        lambda: ("mix", write("x.timbre.json", json.dumps({"place": [1e308] * 27}).encode()), 7, "-o", "x.wav"),
        "x.timbre.json: its numbers are too large",
    ),
    "a silent note": (lambda: ("encode", silence(), "--root", "C4"), "silence.wav: the note is silent"),
    "a pipe": (lambda: ("mix", os.mkfifo("pipe.json") or "pipe.json", 7, "-o", "x.wav"), "pipe.json"),
    "a folder": (lambda: ("mix", os.mkdir("there.json") or "there.json", 7, "-o", "x.wav"), "there.json"),
    "a number too large": (lambda: ("mix", 2**32, 7, "-o", "x.wav"), "draws no place"),
    "one place to walk": (lambda: ("walk", 7, "-o", "x.wav"), "two or more"),
    "hours of walk": (lambda: ("walk", 7, 8, "--notes", 1000, "--every", 60, "-o", "x.wav"), "longer than 3600 s"),
    "a pitch out of reach": (lambda: ("sample", "--pitch", "C9"), "no note of C9"),
    "between one place": (lambda: ("instrument", 7, "--at", 4, "-o", "x"), "two or more"),
    "somewhere between": (lambda: ("instrument", 7, 8, "-o", "x"), "--at PERCENT"),
    "another kind of file": (lambda: ("mix", 7, 8, "-o", "x.doc"), ".doc"),
    "not a number": (lambda: ("mix", 7, 8, "--at", "nan", "-o", "x.wav"), "nan"),
    "no pitch": (lambda: ("encode", noise()), "no pitch is heard"),
}


def silence():
    soundfile.write("silence.wav", np.zeros(48_000), 48_000)
    return "silence.wav"


def noise():
    soundfile.write("noise.wav", 0.1 * np.random.default_rng(1).standard_normal(48_000), 48_000)
    return "noise.wav"


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_and_nothing_is_written(case):
    arguments, words = WRONG[case]
    given = arguments()
    before = {name for name in os.listdir() if stat.S_ISREG(os.stat(name).st_mode)}
    told = run("timbre", *given)
    assert told.exit_code != 0
    assert words in f"{told.output} {told.exception}"
    assert {name for name in os.listdir() if stat.S_ISREG(os.stat(name).st_mode)} == before
