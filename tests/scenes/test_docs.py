"""Every example of docs/scene-language.md does what the page says."""

import re
from pathlib import Path

import numpy as np
import pytest

from engine.scenes import load
from engine.scenes.schema.reference import settings_reference
from engine.scenes.text.problems import Severity
from engine.score.midi import writing as midi_writing
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "scene-language.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)( wrong)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(language, bool(wrong), text) for language, wrong, text in FENCE.findall(PAGE)]
RIGHT = [text for language, wrong, text in BLOCKS if language == "yaml" and not wrong]
WRONG = [text for language, wrong, text in BLOCKS if language == "yaml" and wrong]

BASE = {
    "perpetuum": "perpetuum: 1\n",
    "title": "title: Around an example\n",
    "tempo": "tempo: 90 qpm\n",
    "key": "key: C major\n",
    "parts": """\
parts:
  pad: {generator: chord_walk, instrument: warm_pad}
  bass: {generator: {kind: bass_line, chords: pad}, instrument: round_bass}
  drums: {generator: drum_rules, instrument: electronic_kit}
  melody: {generator: melody_rnn, transforms: [thin, humanize], instrument: glass_bell}
""",
    "sections": "sections:\n  all: {bars: 8 bars, parts: [PARTS]}\n",
}
"""What stands around an example that is only a piece of a scene, by key."""


def pieces(text: str) -> dict[str, str]:
    """The top-level keys of a scene, each with its lines."""
    found: dict[str, str] = {}
    key = ""
    for line in text.splitlines(keepends=True):
        if match := re.match(r"([\w-]+):", line):
            key = match[1]
        found[key] = found.get(key, "") + line
    return found


def whole(example: str) -> str:
    """A scene around an example."""
    given = pieces(example)
    # What others repeat must stand before them.
    scene = {**{key: text for key, text in given.items() if key.startswith("x-")}, **BASE, **given}
    names = re.findall(r"^  ([\w-]+):", scene["parts"], re.MULTILINE)
    sections = scene.pop("sections").replace("PARTS", ", ".join(names))
    return "".join(scene.values()) + sections


@pytest.mark.parametrize("example", RIGHT, ids=lambda text: text.split("\n")[0])
def test_every_example_is_a_valid_scene_or_a_piece_of_one(tmp_path, example):
    midi_writing.write_piece(tmp_path / "theme.mid", Piece((Track(np.array([(0, 1, 60, 80)], NOTE)),)))
    path = tmp_path / "first.yaml"
    path.write_text(example if example.startswith("perpetuum") else whole(example))
    _, found = load(path)
    assert [one.text() for one in found if one.severity is not Severity.UNAVAILABLE] == []


def test_the_page_has_examples():
    assert len(RIGHT) >= 9
    assert len(WRONG) == 1


def test_the_wrong_example_has_the_errors_that_are_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("first.yaml")
    path.write_text(WRONG[0])
    scene, found = load(path)
    shown = next(text for language, _, text in BLOCKS if language == "text")
    assert scene is None
    assert "\n\n".join(one.text() for one in found) == shown.rstrip("\n")


def test_the_tables_of_settings_are_current():
    """If this fails: perpetuum schema --settings -o docs/scene-settings.md."""
    assert (DOCS / "scene-settings.md").read_text("utf-8") == settings_reference()


@pytest.mark.parametrize("row", re.findall(r"^\| `(\S+): (.*?)` \|", PAGE, re.MULTILINE), ids=lambda row: row[0])
def test_every_move_of_the_table_moves(tmp_path, row):
    path = tmp_path / "scene.yaml"
    path.write_text(
        whole(f"sections:\n  all:\n    bars: 8 bars\n    parts: [PARTS]\n    move:\n      {row[0]}: {row[1]}\n")
    )
    scene, found = load(path)
    assert scene is not None, [one.text() for one in found]
    assert len(scene.sections["all"].moves) == 1
