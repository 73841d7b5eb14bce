"""Themes of scene files: what is written is what is meant, and what is wrong is said where it stands."""

import numpy as np
import pytest

from engine.ideas.idea import IdeaKind
from engine.scenes import load
from engine.score.midi import writing as midi_writing
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track

SCENE = """\
perpetuum: 1
title: T
tempo: 100 qpm
key: A minor
{themes}
parts:
  song: {{generator: {{kind: melody_rules, {settings}}}, instrument: glass_bell}}
sections:
  a: {{bars: 16 bars, parts: [song], {theme}}}
"""
THREE = 'themes: {dawn: "A4:1 C5:1 E5:2", walk: {chords: i VI, drums: "bd: x...x..."}, embers: found}'


def read(folder, themes=THREE, theme="theme: dawn", settings="recall: 80 %"):
    path = folder / "scene.yaml"
    path.write_text(SCENE.format(themes=themes, theme=theme, settings=settings))
    return load(path)


def test_a_theme_is_what_it_says_in_each_role(tmp_path):
    scene, found = read(tmp_path)
    assert not found
    dawn, walk, embers = scene.themes
    assert list(dawn.written) == ["melody"]
    assert dawn.written["melody"].phrase.notes["pitch"].tolist() == [69, 72, 76]
    assert dawn.written["melody"].phrase.length == 4.0
    assert [span.chord.name for span in walk.written["chords"].phrase.chords] == ["Am", "F"]
    assert walk.written["drums"].kind is IdeaKind.GROOVE
    assert embers.found
    assert scene.sections["a"].themes == ("dawn",)


def test_a_theme_out_of_a_midi_file_has_its_notes(tmp_path):
    notes = np.array([(0, 1, 60, 80), (1, 2, 64, 80), (6, 7, 67, 80)], NOTE)
    midi_writing.write_piece(tmp_path / "theme.mid", Piece((Track(notes),)))
    scene, found = read(tmp_path, THREE.replace('"A4:1 C5:1 E5:2"', "{midi: theme.mid, bars: 1..2}"))
    assert not found
    idea = scene.themes[0].written["melody"]
    assert idea.phrase.notes["pitch"].tolist() == [60, 64, 67]
    assert idea.bars == 2


def test_a_scene_without_themes_finds_four(tmp_path):
    scene, _ = read(tmp_path, "", "theme: [A, C]")
    assert [(theme.name, theme.found) for theme in scene.themes] == [(name, True) for name in "ABCD"]


LONG = " | ".join(["A4:4"] * 5)


@pytest.mark.parametrize(
    ("how", "place", "words"),
    [
        ({"themes": "themes: [a]"}, (5, 9), "`themes` must be a mapping"),
        ({"themes": "themes: {a: found, b: found}"}, (5, 9), "2 themes are too few"),
        ({"themes": THREE.replace("C5:1", "C55:1")}, (5, 22), "`C55` is no note"),
        ({"themes": THREE.replace('"A4:1 C5:1 E5:2"', "7")}, (5, 16), "must be a mapping"),
        ({"themes": THREE.replace('"A4:1 C5:1 E5:2"', "{song: A4:1}")}, (5, 17), "unknown key `song`"),
        ({"themes": THREE.replace('"A4:1 C5:1 E5:2"', "{drums: 'A4:1'}")}, (5, 10), "of the wrong kind"),
        ({"themes": THREE.replace('"A4:1 C5:1 E5:2"', "{}")}, (5, 10), "is empty"),
        ({"themes": THREE.replace('"A4:1 C5:1 E5:2"', '"~:4"')}, (5, 10), "is silent"),
        ({"themes": THREE.replace('"A4:1 C5:1 E5:2"', f'"{"A4:1/32 " * 129}"')}, (5, 10), "has 129 notes of melody"),
        ({"themes": THREE.replace('"A4:1 C5:1 E5:2"', f'"{LONG}"')}, (5, 10), "has 5 bars of melody"),
        ({"themes": THREE.replace("dawn:", "'da wn':")}, (5, 10), "cannot be the name of a theme"),
        ({"theme": "theme: dwan"}, (9, 44), "unknown theme `dwan`"),
        ({"theme": "theme: [dawn, 7]"}, (9, 0), "theme"),
        ({"settings": "variations: [backwards]"}, (7, 0), "backwards"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(tmp_path, how, place, words):
    scene, found = read(tmp_path, **how)
    assert scene is None
    told = found[0]
    assert words in told.text()
    assert told.line == place[0]
    assert place[1] in (0, told.column)
