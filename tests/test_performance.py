"""Whole performances through the real processes: conductor, worker, audio, output."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.scenes import load

SCENE = """
perpetuum: 1
title: Test
seed: 5
tempo: 100..120 qpm
key: D dorian
parts:
  chords:
    generator: {kind: chord_walk, chord_length: 1 bar}
    instrument: warm_pad
    level: -10 dB
    sends: {reverb: -12 dB}
  lead:
    generator: {kind: melody_rnn, chords: chords, primer: "D4:1 F4:1 A4:2"}
    phrase: 2 bars
    instrument: glass_bell
    level: -14 dB
  kit:
    generator: drums_rnn
    phrase: 2 bars
    instrument: studio_kit
    level: -10 dB
sections:
  a: {bars: 4 bars, parts: [chords, lead, kit], move: {chords.level: -20 dB -> -8 dB}}
  b: {bars: 2 bars, parts: [chords, lead]}
"""

THREE_LINKS = """
perpetuum: 1
title: Three links, twice
tempo: 120 qpm
key: C
parts:
  pad: {generator: chord_walk, instrument: warm_pad}
  lead: {generator: {kind: melody_rules, chords: pad}, instrument: glass_bell}
  answer:
    generator: {kind: melody_rules, chords: pad, primer: {part: lead}}
    transforms: [{transpose: 1 octave}, {thin: 20 %}]
    instrument: glass_bell
  kit: {generator: {kind: drum_rules, style: straight}, instrument: studio_kit}
  bass: {generator: {kind: bass_line, chords: pad, rhythm: kit.kick}, instrument: round_bass}
  stabs: {generator: {kind: arpeggio, chords: pad, rhythm: bass}, role: chords, instrument: warm_pad}
sections:
  all: {bars: 8 bars, parts: [pad, lead, answer, kit, bass, stabs]}
"""

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def scene_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("scene") / "test.yaml"
    path.write_text(SCENE)
    return path


def perpetuum(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-P", "-m", "engine", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def rendered(scene_file):
    path = scene_file.with_name("render.wav")
    out = perpetuum("render", scene_file, "--minutes", "0.3", "-o", path, "--midi", path.with_suffix(".mid")).stdout
    return path, out


def test_a_render_repeats_to_the_byte_in_another_process(scene_file, rendered):
    again = scene_file.with_name("again.wav")
    perpetuum("render", scene_file, "--minutes", "0.3", "-o", again, "--midi", again.with_suffix(".mid"))
    assert digest(again) == digest(rendered[0])
    assert digest(again.with_suffix(".mid")) == digest(rendered[0].with_suffix(".mid"))


def test_another_seed_is_another_performance(scene_file, rendered):
    other = scene_file.with_name("other.wav")
    perpetuum("render", scene_file, "--minutes", "0.3", "--seed", "6", "-o", other)
    assert digest(other) != digest(rendered[0])


def test_playing_gives_the_samples_of_the_render(scene_file, rendered):
    """In real time, with real networks, into a file: the same bytes, if nothing goes wrong on the way."""
    live = scene_file.with_name("live.wav")
    out = perpetuum("play", scene_file, "--minutes", "0.3", "--output", f"wav:{live}").stdout
    assert [line.endswith(" 0 failed") for line in out.splitlines() if " bars: " in line] == [True] * 3, out
    played, expected = soundfile.read(live)[0], soundfile.read(rendered[0])[0]
    np.testing.assert_array_equal(played, expected)


def test_a_render_says_who_made_the_bars_of_each_part(rendered):
    lines = [line.strip() for line in rendered[1].splitlines()]
    assert any(line.startswith("chords") and "by rules" in line for line in lines)
    assert any(line.startswith("lead") and " 0 failed" in line for line in lines)


def test_every_part_of_two_chains_of_three_links_is_heard(tmp_path):
    """pad -> lead -> answer, and kit -> bass -> stabs, written as YAML alone."""
    file = tmp_path / "links.yaml"
    file.write_text(THREE_LINKS)
    scene, diagnostics = load(file)
    assert scene is not None, [diagnostic.text() for diagnostic in diagnostics]
    out = perpetuum("render", file, "--bars", "8", "--seed", "1", "-o", tmp_path / "out.wav").stdout
    for part in ("pad", "lead", "answer", "kit", "bass", "stabs"):
        assert f"{part} " in out
    assert "failed" in out
    assert " 1 failed" not in out


def test_a_plot_is_drawn(scene_file):
    picture = scene_file.with_name("roll.png")
    perpetuum("render", scene_file, "--bars", "4", "-o", scene_file.with_name("p.wav"), "--plot", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 10_000


def test_solo_leaves_one_part_and_the_file_is_quieter(scene_file, rendered):
    solo = scene_file.with_name("solo.wav")
    perpetuum("render", scene_file, "--minutes", "0.3", "--solo", "lead", "-o", solo)
    full = soundfile.read(rendered[0])[0]
    alone = soundfile.read(solo)[0]
    assert 0 < np.sqrt((alone**2).mean()) < 0.8 * np.sqrt((full**2).mean())
