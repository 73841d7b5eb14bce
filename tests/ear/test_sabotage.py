"""What is stuck is noticed, and something else plays within two minutes of music; what is meant is left alone."""

from dataclasses import replace

import pytest

from engine.generators.contract import GENERATORS
from engine.runtime.performance.commands import GoToSection, Reseed, SetControl
from engine.score.time import SAMPLE_RATE
from tests.ear.listening import listen, scene_of
from tests.ear.sabotaged import SABOTAGES, registered

SCENE = """
perpetuum: 1
title: Sabotaged
seed: 5
tempo: {tempo} qpm
key: C
parts:
  pad: {{generator: {{kind: chord_walk, chord_length: 2 bars}}, phrase: 4 bars, instrument: warm_pad}}
  tune: {{generator: {{kind: {tune}, chords: pad}}, role: melody, phrase: 4 bars, instrument: soft_lead}}
  low: {{generator: {{kind: {low}, chords: pad}}, role: bass, phrase: 4 bars, instrument: round_bass}}
sections:
  first: {{bars: 16 bars, parts: [pad, tune, low]}}
  second: {{bars: 8 bars, parts: [pad, tune, low]}}
{ear}
"""

NAMED = {
    "constant": {"one pitch", "loop"},
    "empty": {"empty"},
    "noise": {"noise"},
    "two_bars": {"loop"},
    "drone": {"one pitch"},
    "everything": {"crowd", "loop", "one pitch", "noise"},
}


@pytest.fixture(autouse=True)
def plugged_in():
    with registered():
        yield


def sabotaged(folder, tune="melody_rules", low="bass_line", tempo=96, ear=""):
    return scene_of(SCENE.format(tempo=tempo, tune=tune, low=low, ear=ear), folder)


def maker(bar, part):
    """Whose notes a part plays in a bar."""
    return next(one.phrase.provenance.generator for one in bar.parts if one.part == part)


@pytest.mark.parametrize("part", ["tune", "low"])
@pytest.mark.parametrize("name", SABOTAGES)
def test_what_is_stuck_is_noticed_and_replaced_within_two_minutes_of_music(name, part, tmp_path):
    tempo = 60 if part == "low" else 96
    heard = listen(sabotaged(tmp_path, tempo=tempo, **{part: f"sabotaged_{name}"}), 2.5)
    assert {told.fault for _, told in heard.faults} <= NAMED[name]
    assert {told.part for _, told in heard.faults} == {part}
    replaced = [
        bar
        for bar in heard.bars
        for one in bar.parts
        if one.part == part and one.phrase.provenance.generator != f"sabotaged_{name}"
    ]
    assert replaced
    assert replaced[0].start / SAMPLE_RATE <= 120
    # From then on, while it is held, nothing else plays, and it is something.
    assert len(replaced) == len(heard.bars) - replaced[0].bar
    assert sum(len(one.phrase.notes) for bar in replaced for one in bar.parts if one.part == part) > 0


def test_the_answers_are_graded_and_their_reason_is_told_before_them(tmp_path):
    heard = listen(sabotaged(tmp_path, tune="sabotaged_constant"), 2.5)
    assert [type(one) for one in heard.commands] == [Reseed, SetControl]
    assert heard.commands[1] == SetControl("tune", "generator", "melody_rules")
    first = heard.faults[0][1]
    assert first.figure >= first.limit
    assert first.answer.startswith("Reseed ")
    assert [one.command for one in heard.commanded] == ["Reseed", "SetControl"]


def test_what_was_replaced_gets_another_try_and_is_replaced_sooner_where_it_is_still_broken(tmp_path):
    heard = listen(sabotaged(tmp_path, tune="sabotaged_drone"), 9)
    tries = [one for one in heard.commands if isinstance(one, SetControl)]
    assert [one.value for one in tries] == ["melody_rules", None, "melody_rules"]
    times = {one.answer: second for second, one in heard.faults if one.answer.startswith("SetControl")}
    assert len(times) == 2
    back = next(second for second, one in heard.faults if one.answer.endswith("None"))
    again = [bar for bar in heard.bars if bar.start / SAMPLE_RATE > back]
    broken = [bar for bar in again if maker(bar, "tune") == "sabotaged_drone"]
    assert (broken[-1].end - broken[0].start) / SAMPLE_RATE < 90


@pytest.mark.parametrize("ear", ["ear: {one_pitch: off, loop: off}", "ear: {left_out: [tune]}"])
def test_what_a_scene_says_is_no_fault_is_none(ear, tmp_path):
    heard = listen(sabotaged(tmp_path, tune="sabotaged_constant", ear=ear), 4)
    assert not heard.heard
    assert not heard.commands


def test_where_a_scene_wants_no_answers_faults_are_told_and_nothing_is_done(tmp_path):
    heard = listen(sabotaged(tmp_path, tune="sabotaged_constant", ear="ear: {answers: false}"), 4)
    assert heard.faults
    assert not heard.commands


def test_a_groove_a_theme_that_returns_and_planned_rests_are_no_faults(tmp_path):
    text = """
perpetuum: 1
title: Form
seed: 5
tempo: 100 qpm
key: C
parts:
  keys: {generator: {kind: chord_walk, chord_length: 1 bar}, phrase: 4 bars, instrument: warm_pad}
  kit:
    generator: {kind: drum_rules}
    phrase: 4 bars
    instrument: studio_kit
  bass: {generator: {kind: bass_line, chords: keys, style: held}, phrase: 4 bars, instrument: round_bass}
  theme:
    generator: {kind: pattern, notes: "C4:1 E4:1 G4:1 E4:1 | A4:2 G4:2 | F4:1 E4:1 D4:2 | C4:4"}
    phrase: 4 bars
    instrument: soft_lead
  floor: {generator: {kind: pedal, every: 8 bars}, phrase: 8 bars, instrument: rubbed_glass}
  rare:
    generator: {kind: melody_rules, chords: keys, density: 10 %}
    transforms: [{rest: 90 %}]
    instrument: glass_bell
sections:
  groove: {bars: 32 bars, parts: [keys, kit, bass, floor, rare]}
  theme: {bars: 8 bars, parts: [keys, theme]}
  quiet: {bars: 8 bars, parts: [rare]}
"""
    heard = listen(scene_of(text, tmp_path), 30)
    assert not heard.heard
    # The curves show what it is: the theme is the same each time.
    theme = [one.parts["theme"].repeated for one in heard.figures if "theme" in one.parts]
    assert max(share for share in theme if share is not None) > 0.8


def test_if_rules_cannot_stand_in_it_leaves_the_section(tmp_path):
    """The rules that would stand in are the very ones that are stuck."""
    text = SCENE.format(tempo=96, tune="melody_rules", low="bass_line", ear="").replace(
        "[pad, tune, low]}\n  second", "[pad, tune, low]}\n  without: {bars: 8 bars, parts: [pad, low]}\n  second"
    )
    kind = GENERATORS.get("melody_rules")
    stuck = GENERATORS.get("sabotaged_constant")
    GENERATORS._loaded["melody_rules"] = replace(kind, factory=stuck.factory)
    try:
        heard = listen(scene_of(text, tmp_path), 2.5)
    finally:
        GENERATORS._loaded["melody_rules"] = kind
    assert [type(one) for one in heard.commands][:2] == [Reseed, GoToSection]
    assert heard.commands[1].section == "without"
