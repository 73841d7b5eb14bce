"""A scene is read in stages, each whole: what is written, drafts whose fields are values or problems, the scene."""

import dataclasses

import pytest

from engine.errors import WrongValueError
from engine.form.scene import Scene
from engine.scenes.instruments.files import Instruments
from engine.scenes.loading import read_draft
from engine.scenes.reading.drafts import SceneDraft
from engine.scenes.reading.resolving import resolve
from engine.scenes.text.nodes import MapNode
from engine.scenes.text.parsing import parse
from engine.scenes.text.problems import Problem, Severity
from engine.scenes.text.source import SourceFile
from engine.units import BARS, parse_time_of_day
from engine.units import parse as parse_measure
from tests.scenes.writing import RIGHT, only_error, spoiled

SPOILED = {
    "level": ("level: -14 dB", "level: -14"),
    "generator": ("generator: chord_walk", "generator: chord_wakl"),
    "settings": ("style: straight", "style: staight"),
    "chords": ("chords: pad", "chords: pda"),
    "primer": ("D4:1 E4:1/2", "D4:1 Q4:1/2"),
    "transform": ("thin: 30 %", "thn: 30 %"),
    "transform's setting": ("thin: 30 %", "thin: 30"),
    "instrument": ("instrument: glass_bell", "instrument: glas_bell"),
    "bars": ("bars: 8 bars", "bars: 8"),
    "player": ("parts: [pad, tune, drums]", "parts: [pad, tnue, drums]"),
    "next": ("next: {bloom: 3, drift: 1}", "next: {bloom: 3, drfit: 1}"),
    "move": ("tune.density: 20 % -> 60 %", "tune.density: 20 -> 60"),
    "head": ("seed: 7", "seed: -7"),
}


def draft_of(folder, text):
    path = folder / "scene.yaml"
    path.write_text(text)
    source = SourceFile.read(path)
    node = parse(source)
    assert isinstance(node, MapNode)
    return source, read_draft(source, node, Instruments())[1]


def problems_in(value):
    """All problems in a draft, however deep."""
    if isinstance(value, Problem):
        return [value]
    if isinstance(value, dict):
        return [problem for item in value.values() for problem in problems_in(item)]
    if isinstance(value, tuple):
        return [problem for item in value for problem in problems_in(item)]
    if dataclasses.is_dataclass(value) and type(value).__module__ == SceneDraft.__module__:
        return [problem for item in dataclasses.fields(value) for problem in problems_in(getattr(value, item.name))]
    return []


def test_a_draft_without_problems_is_a_scene(tmp_path):
    source, draft = draft_of(tmp_path, RIGHT)
    assert problems_in(draft) == []
    assert isinstance(resolve(draft, source), Scene)


@pytest.mark.parametrize("change", SPOILED.values(), ids=SPOILED.keys())
def test_what_is_wrong_stands_as_a_problem_in_its_own_field_and_makes_no_scene(tmp_path, change):
    source, draft = draft_of(tmp_path, spoiled(change))
    held = problems_in(draft)
    assert held
    assert all(problem.severity is Severity.ERROR for problem in held)
    assert {problem.message for problem in held} == {one.message for one in source.found}
    line = spoiled(change)[: spoiled(change).index(change[1])].count("\n") + 1
    assert {source.place(problem.span.start)[0] for problem in held} == {line}
    lacks = resolve(draft, source)
    assert isinstance(lacks, list)
    assert lacks
    assert set(lacks) <= set(held)


def test_stages_cannot_be_changed(tmp_path):
    _, draft = draft_of(tmp_path, RIGHT)
    with pytest.raises(dataclasses.FrozenInstanceError):
        draft.parts["pad"].chain.file = None


@pytest.mark.parametrize("words", ["expected 9 qpm", "nine; write it like 8 qpm"])
def test_words_of_an_author_that_look_like_ours_are_no_message_of_ours(tmp_path, words):
    error = only_error(tmp_path, spoiled(("tempo: 84..92 qpm", f'tempo: "{words}"')))
    assert error.message == f"`tempo`: `{words}` is not a tempo in quarter notes per minute"
    assert error.expected == "a value like `96 qpm`"


def test_a_wrong_value_is_kept_in_pieces_and_reads_as_a_sentence():
    with pytest.raises(WrongValueError) as caught:
        parse_measure("8", BARS)
    assert (caught.value.message, caught.value.example) == ("`8` has no unit", "`8 bars`")
    assert str(caught.value) == "`8` has no unit; write it like `8 bars`"
    with pytest.raises(WrongValueError) as caught:
        parse_measure([], BARS)
    assert (caught.value.message, caught.value.expected) == ("", "a number of bars, like `8 bars`")
    with pytest.raises(WrongValueError, match="25:00` is no time of day; write it like"):
        parse_time_of_day("25:00")
