"""Nothing that a file contains gives a traceback, and every message has a place inside its file."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.scenes import load
from engine.scenes.instruments.files import Instruments
from engine.scenes.text.problems import Severity
from tests.scenes.chance import examine, play_silently
from tests.scenes.writing import RIGHT, load_text, spoiled

FUZZ = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = [
    "&a",
    "*a",
    "<<: *a",
    "!!str",
    "? ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "|\n",
    ">\n",
    "'",
    '"',
    "#",
    "%",
    "\t",
    "\n\n",
]
VALUES = [
    "1",
    "-1 dB",
    "8 bars",
    "..",
    "->",
    "0.8 -> 1.2",
    "1e999",
    ".nan",
    "~",
    "true",
    "C4..C6",
    "pad",
    "x",
    "[]",
    "{}",
]
LINES = RIGHT.splitlines(keepends=True)


def assert_clean(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    scene, found = load(path)
    assert (scene is None) == any(one.severity is Severity.ERROR for one in found)
    lines = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for one in found:
        assert one.message
        assert one.text(colour=True)
        assert one.as_json()
        if one.path == path and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            assert 1 <= one.line <= len(lines)
            assert 1 <= one.column <= len(lines[one.line - 1]) + 1
            assert one.column < one.end_column


@FUZZ
@given(data=st.binary(max_size=200))
def test_random_bytes_are_refused_cleanly(tmp_path, data):
    assert_clean(tmp_path / "scene.yaml", data)


@FUZZ
@given(text=st.lists(st.sampled_from(WORDS + VALUES + ["parts", "sections", "a: ", "\n", "  "]), max_size=30))
def test_random_yaml_is_refused_cleanly(tmp_path, text):
    assert_clean(tmp_path / "scene.yaml", "".join(text).encode())


@FUZZ
@given(seed=st.integers(0, 2**32))
def test_a_scene_with_characters_changed_is_read_or_refused_cleanly(tmp_path, seed):
    rng = random.Random(seed)
    text = RIGHT
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(text))
        piece = rng.choice([*WORDS, *VALUES, "", rng.choice("\x00\x07\x85\u2028\ud7ff\U0001f3b5é")])
        text = text[:place] + piece + text[place + rng.choice([0, 1, 1, 5, 30]) :]
    assert_clean(tmp_path / "scene.yaml", text.encode())


@FUZZ
@given(seed=st.integers(0, 2**32))
def test_a_scene_with_lines_moved_repeated_or_lost_is_read_or_refused_cleanly(tmp_path, seed):
    rng = random.Random(seed)
    lines = list(LINES)
    for _ in range(rng.randint(1, 5)):
        place = rng.randrange(len(lines))
        line = lines.pop(place)
        key = line.partition(":")[0]
        change = rng.choice(["lose", "move", "repeat", "value", "indent"])
        if change in ("move", "repeat"):
            lines.insert(rng.randrange(len(lines) + 1), line)
        if change == "repeat":
            lines.insert(place, line)
        if change == "value":
            lines.insert(place, f"{key}: {rng.choice(VALUES)}\n")
        if change == "indent":
            lines.insert(place, " " * rng.randint(0, 8) + line.lstrip())
    assert_clean(tmp_path / "scene.yaml", "".join(lines).encode())


@pytest.mark.parametrize(
    "value", [*VALUES, "", "''", "[[]]", "{a: {b: c}}", "[pad, [tune]]", "{pad: tune}", "&a [1]", "!x 1"]
)
def test_every_value_of_a_scene_may_be_anything(tmp_path, value):
    """Each key in turn gets a value that it was not made for."""
    for place, line in enumerate(LINES):
        key, colon, old = line.partition(":")
        if colon:
            below = list(LINES[place + 1 :])
            if not old.strip():
                # What was nested below goes with its key.
                depth = len(key) - len(key.lstrip())
                while below and (not below[0].strip() or len(below[0]) - len(below[0].lstrip()) > depth):
                    below.pop(0)
            text = "".join(LINES[:place]) + f"{key}: {value}\n" + "".join(below)
            assert_clean(tmp_path / "scene.yaml", text.encode())


def test_what_check_calls_valid_plays_and_what_it_refuses_has_a_place(tmp_path):
    """A hundred scenes by chance, of all that can stand in one; `python -m tests.proofs.scenes` tries thousands."""
    instruments = Instruments()
    playable = [examine(tmp_path / "scene.yaml", seed, instruments) for seed in range(100)]
    assert 10 < sum(playable) < 95


def test_a_bass_in_bars_of_a_sixteenth_begins_within_its_phrase(tmp_path):
    """Its pickups would lie before the first bar; found by chance."""
    text = spoiled(
        ("meter: 4/4", "meter: 1/16"), ("kind: drum_rules, style: straight", "kind: bass_line, density: 100 %")
    )
    scene, _ = load_text(
        tmp_path, text.replace("rhythm: drums.kick", "rhythm: drums").replace("electronic_kit", "sub_bass")
    )
    assert scene is not None
    play_silently(scene, 1, 64)
