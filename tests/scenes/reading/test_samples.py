"""A valid instrument is a playable one: every sample is decoded, and what cannot sound is said at its place."""

import os
import re
import tracemalloc

import numpy as np
import pytest
import soundfile

from engine import assets
from engine.scenes import check_files
from engine.scenes.instruments.files import Instruments
from engine.scenes.loading import check_file
from engine.scenes.reading.parts.instruments import MOST_SECONDS_TOGETHER
from engine.scenes.text.problems import Severity
from engine.sound.instruments import samples
from engine.sound.instruments.samples import MOST_SECONDS
from tests.scenes.writing import pointed_at
from tests.test_files import strange

SCENE = """\
perpetuum: 1
title: t
tempo: 90 qpm
key: C major
parts:
  a: {generator: chord_walk, instrument: ./mine.yaml}
  b: {generator: chord_walk, instrument: ./mine.yaml}
sections:
  s: {bars: 4 bars, parts: [a, b]}
"""
HEAD = "perpetuum: 1\nkind: sampler\ntitle: t\nsamples:\n"
TONE = (0.3 * np.sin(np.arange(4800) * 0.05)).astype(np.float32)


def check(folder, *lines):
    """What is said of an instrument of these samples."""
    (folder / "mine.yaml").write_text(HEAD + "".join(f"  - {line}\n" for line in lines))
    (folder / "scene.yaml").write_text(SCENE)
    [checked] = check_files([folder / "scene.yaml"])
    return [one for one in checked.diagnostics if one.path.name == "mine.yaml"]


def lying_wav(rate=48_000, claimed=None):
    """A WAV file of 16 bits with a header of its own."""
    data = (TONE * 30000).astype("<i2").tobytes()
    size = len(data) if claimed is None else claimed
    fact = b"fmt " + np.array([16], "<u4").tobytes() + np.array([1, 1], "<u2").tobytes()
    fact += np.array([rate, 2 * rate], "<u4").tobytes() + np.array([2, 16], "<u2").tobytes()
    head = b"RIFF" + np.array([36 + size], "<u4").tobytes() + b"WAVE" + fact
    return head + b"data" + np.array([size], "<u4").tobytes() + data


def flac(folder, frames=480_000):
    rng = np.random.default_rng(1)
    soundfile.write(folder / "whole.flac", rng.uniform(-0.5, 0.5, frames), 48_000)
    return (folder / "whole.flac").read_bytes()


BROKEN = {
    "noise": lambda folder: np.random.default_rng(2).bytes(50_000),
    "empty": lambda folder: b"",
    "text": lambda folder: b"root:secret:0:0",
    "1 Hz": lambda folder: lying_wav(rate=1),
    "2 GHz": lambda folder: lying_wav(rate=2_000_000_000),
    "no frames": lambda folder: lying_wav(claimed=0)[:44],
    "flac cut off": lambda folder: flac(folder)[:300_000],
    # STREAMINFO's count of frames, 36 bits, all ones: 16 TB.
    "flac of 68 billion frames": lambda folder: (d := flac(folder))[:21] + bytes([d[21] | 15]) + b"\xff" * 4 + d[26:],
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_no_sound_is_an_error_where_it_is_named(tmp_path, name):
    (tmp_path / "s.wav").write_bytes(BROKEN[name](tmp_path))
    tracemalloc.start()
    [found] = check(tmp_path, "{file: s.wav, pitch: C4}")
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    assert (found.line, pointed_at(found), found.severity) == (5, "s.wav", Severity.ERROR)
    assert "secret" not in found.text()


@pytest.mark.parametrize(
    ("sound", "rate", "words"),
    [
        (np.full(4800, 1e30, np.float32), 48_000, "loudest"),
        (np.full(4800, 3.4e38, np.float32), 48_000, "loudest"),
        (np.where(np.arange(4800) == 4000, np.nan, TONE), 48_000, "not numbers"),
        (np.where(np.arange(4800) == 4000, np.inf, TONE), 48_000, "not numbers"),
        (TONE[:4], 48_000, "too short"),
        (TONE, 1000, "sample rate"),
        (np.zeros((4800, 12), np.float32), 48_000, "channels"),
        (np.zeros(4000 * 301, np.float32), 4000, "too long"),
    ],
)
def test_a_sound_out_of_bounds_is_an_error_that_says_which(tmp_path, sound, rate, words):
    soundfile.write(tmp_path / "s.wav", sound, rate, subtype="FLOAT")
    [found] = check(tmp_path, "{file: s.wav, pitch: C4}")
    assert words in found.message


def test_what_is_no_file_is_an_error_and_nothing_is_waited_for(tmp_path):
    names = [name for name in strange(tmp_path) if name not in ("none", "nowhere", "a" * 400)]
    found = check(tmp_path, *(f"{{file: {name}, pitch: C{k}}}" for k, name in enumerate((*names, "/dev/zero"))))
    assert len(found) == len(names) + 1
    assert [one.line for one in found] == list(range(5, 5 + len(found)))


def test_a_file_that_may_not_be_read_is_an_error(tmp_path):
    soundfile.write(tmp_path / "s.wav", TONE, 48_000)
    (tmp_path / "s.wav").chmod(0)
    if os.access(tmp_path / "s.wav", os.R_OK):
        pytest.skip("root may read everything")
    [found] = check(tmp_path, "{file: s.wav, pitch: C4}")
    assert "Permission denied" in found.message


def test_every_missing_file_is_told_once_each_at_its_place(tmp_path):
    found = check(tmp_path, *(f"{{file: {name}.wav, pitch: C{k}}}" for k, name in enumerate("abcab")))
    assert [(one.line, pointed_at(one)) for one in found] == [(5, "a.wav"), (6, "b.wav"), (7, "c.wav")]


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "DOUBLE", "PCM_U8", "ULAW"])
def test_right_files_of_any_kind_are_valid_and_read(tmp_path, subtype):
    for rate, sides in ((48_000, 1), (44_100, 2), (8000, 1)):
        soundfile.write(tmp_path / "s.wav", np.stack([TONE] * sides, 1), rate, subtype=subtype)
        assert check(tmp_path, "{file: s.wav, pitch: C4}") == []
        sound = samples.read_sample(tmp_path / "s.wav")
        assert sound.shape == (round(4800 * 48_000 / rate), 2)
    for name in ("s.flac", "s.ogg", "s.mp3", "s.aiff"):
        soundfile.write(tmp_path / name, np.tile(TONE, 10), 44_100)
        assert check(tmp_path, f"{{file: {name}, pitch: C4}}") == []


def test_a_silent_file_is_a_warning_and_so_is_a_silent_instrument(tmp_path):
    soundfile.write(tmp_path / "s.wav", np.zeros(4800), 48_000)
    soundfile.write(tmp_path / "t.wav", np.full(4800, 0.5), 48_000)
    found = check(tmp_path, "{file: s.wav, pitch: C4}", "{file: t.wav, pitch: C5}")
    assert [(one.severity, one.line) for one in found] == [(Severity.WARNING, line) for line in (1, 5, 6)]


def test_a_loop_behind_the_end_of_its_file_is_an_error(tmp_path):
    soundfile.write(tmp_path / "s.wav", TONE, 48_000)
    assert check(tmp_path, "{file: s.wav, pitch: C4, loop: [20 ms, 90 ms]}") == []
    [found] = check(tmp_path, "{file: s.wav, pitch: C4, loop: [20 ms, 3 s]}")
    assert "the loop ends at 3 s" in found.message
    assert found.line == 5


def test_a_sample_that_another_hides_is_a_warning(tmp_path):
    soundfile.write(tmp_path / "s.wav", TONE, 48_000)
    assert check(tmp_path, "{file: s.wav, pitch: C4, high: 60}", "{file: s.wav, pitch: C4, low: 61}") == []
    [found] = check(tmp_path, "{file: s.wav, pitch: C4}", "{file: s.wav, pitch: C4, low: 61}")
    assert (found.line, found.severity) == (6, Severity.WARNING)


def test_samples_that_do_not_fit_into_memory_together_are_an_error(tmp_path):
    soundfile.write(tmp_path / "s.wav", np.zeros(4000 * 290), 4000, subtype="PCM_U8")
    found = check(tmp_path, *["{file: s.wav, pitch: C4}"] * 3)
    assert any(f"{MOST_SECONDS} s at most" in one.expected for one in found)
    check(tmp_path, "{file: s.wav, pitch: C4}", "{file: s.wav, pitch: C5}")
    [checked] = check_files([tmp_path / "scene.yaml"])
    [error] = [one for one in checked.diagnostics if one.severity is Severity.ERROR]
    assert (error.path.name, error.line) == ("scene.yaml", 7)


def test_a_sample_is_decoded_once_however_often_it_is_named(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "s.wav", TONE, 48_000)
    check(tmp_path, *["{file: s.wav, pitch: C4}"] * 5)
    decoded = []
    real = samples._decoded
    monkeypatch.setattr(samples, "_decoded", lambda path: decoded.append(path) or real(path))
    instruments = Instruments()
    for name in ("scene.yaml", "mine.yaml", "scene.yaml"):
        assert check_file(tmp_path / name, instruments).valid
    assert len(decoded) == 1


def limits_of_the_page():
    text = (assets.shipped("instruments") / "README.md").read_text("utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return {row[0].strip(): [int(word) for word in re.findall(r"\d+", row[1])] for row in rows if len(row) == 2}


def test_the_page_of_instruments_tells_the_limits_that_hold():
    page = limits_of_the_page()
    assert page["sample rate"][:2] == list(samples.RATES)
    assert page["channels"][1] == samples.MOST_CHANNELS
    assert page["level"][0] == samples.LOUDEST
    assert page["length"][:2] == [16, samples.LONGEST]
    assert page["all samples of an instrument"] == [MOST_SECONDS]
    assert page["all samples of a scene"] == [MOST_SECONDS_TOGETHER]


@pytest.mark.parametrize(
    ("frames", "rate", "channels", "level", "fine"),
    [
        (4800, 4000, 1, 0.5, True),
        (4800, 3999, 1, 0.5, False),
        (4800, 384_000, 1, 0.5, True),
        (4800, 384_001, 1, 0.5, False),
        (4800, 48_000, 8, 0.5, True),
        (4800, 48_000, 9, 0.5, False),
        (4800, 48_000, 1, 16.0, True),
        (4800, 48_000, 1, 16.001, False),
        (16, 48_000, 2, 0.5, True),
        (15, 48_000, 2, 0.5, False),
        (300 * 4000, 4000, 1, 0.5, True),
        (300 * 4000 + 1, 4000, 1, 0.5, False),
    ],
)
def test_each_limit_is_itself_accepted_and_what_is_beyond_is_not(tmp_path, frames, rate, channels, level, fine):
    sound = np.where(np.arange(frames)[:, None] % 7 < 3, level, -0.1) * np.ones((1, channels))
    soundfile.write(tmp_path / "s.wav", sound.astype(np.float32), rate, subtype="FLOAT")
    assert (check(tmp_path, "{file: s.wav, pitch: C4}") == []) is fine
    if fine:
        assert samples.read_sample(tmp_path / "s.wav").shape == (round(frames * 48_000 / rate), 2)
