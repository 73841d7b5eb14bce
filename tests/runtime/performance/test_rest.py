"""What still sounds of a scene while another one begins."""

from pathlib import Path

import numpy as np

from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.conductor.makers.ladder import Ladder
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.runtime.performance.mind.rest import rest_of
from engine.runtime.performance.mind.succession import take_over
from engine.runtime.rules import LocalRules, StandIns
from engine.scenes import load
from engine.sound.messages import Forget, Notes, Ramps, Setup

SCENE = """
perpetuum: 1
title: {title}
seed: 5
tempo: 100 qpm
meter: 3/4
key: C
parts:
  pad: {{generator: chord_walk, instrument: warm_pad}}
  lead:
    generator: {{kind: melody_rules, chords: pad, density: 40 %}}
    phrase: 2 bars
    instrument: soft_lead
sections:
  first: {{bars: 8 bars, parts: [pad, lead], move: {{lead.level: -30 dB -> -10 dB}}}}
  second: {{bars: 4 bars, parts: [pad, lead]}}
"""


class NoWorkers:
    def load(self, generators: object) -> None:
        pass


def scene_at(path: Path, title: str) -> Scene:
    path.write_text(SCENE.format(title=title))
    scene, problems = load(path)
    assert scene is not None, problems
    return scene


def conductor_of(scene: Scene, told: list) -> Conductor:
    conductor = Conductor(Plan(scene, 7), Ladder([LocalRules()], StandIns()), told.append, FastClock())
    conductor.run(8)
    told.clear()
    return conductor


def notes_in(messages: object) -> list[tuple[str, list]]:
    assert isinstance(messages, list)
    return [(one.part, one.notes.tolist()) for one in messages if isinstance(one, Notes)]


def test_the_rest_is_what_would_have_been_decided_next_and_nothing_has_changed(tmp_path):
    told: list = []
    conductor = conductor_of(scene_at(tmp_path / "a.yaml", "A"), told)
    rest = rest_of(conductor, 6)
    assert conductor.next_bar == 8
    assert told == []
    conductor.run(14)
    assert notes_in(list(rest.messages)) == notes_in(told)
    assert notes_in(told)
    ramps = [one for one in told if isinstance(one, Ramps)]
    assert [one for one in rest.messages if isinstance(one, Ramps)] == ramps
    assert rest.frames == 6 * 3 * 48000 * 60 // 100


def test_no_bars_are_nothing(tmp_path):
    assert rest_of(conductor_of(scene_at(tmp_path / "a.yaml", "A"), []), 0).messages == ()


def test_the_old_graph_is_told_the_rest_before_the_new_one_is_set_up_for_as_long(tmp_path):
    told: list = []
    scene = scene_at(tmp_path / "a.yaml", "A")
    conductor = conductor_of(scene, told)
    bar = take_over(
        conductor, scene_at(tmp_path / "b.yaml", "B"), scene, 7, told.append, NoWorkers(), anew=11, overlap=4
    )
    assert not isinstance(bar, str)
    kinds = [type(one) for one in told]
    setup = kinds.index(Setup)
    assert kinds[0] is Forget
    assert set(kinds[1:setup]) == {Notes, Ramps}
    assert told[setup].overlap == 4 * 3 * 48000 * 60 // 100
    assert told[setup].start_frame <= bar.start < told[setup].start_frame + 256
    old = np.concatenate([one.notes for one in told[:setup] if isinstance(one, Notes)])
    assert bar.start <= old["on"].min() < old["on"].max() < bar.start + told[setup].overlap
    told.clear()
    conductor.run(bar.index + 1)
    assert min(one.notes["on"].min() for one in told if isinstance(one, Notes)) >= bar.start


def test_an_edit_of_what_plays_never_overlaps_with_itself(tmp_path):
    told: list = []
    scene = scene_at(tmp_path / "a.yaml", "A")
    conductor = conductor_of(scene, told)
    take_over(conductor, scene_at(tmp_path / "b.yaml", "B"), scene, 7, told.append, NoWorkers(), overlap=4)
    assert {type(one) for one in told} == {Forget}
