"""A scene that is valid and whose sound cannot be built all the same: the one before plays on."""

from engine.events import BarSealed, SceneRefused, SceneTookOver
from engine.outputs.null import NullOutput
from engine.runtime.audio import Audio
from engine.runtime.performance.course import Course
from engine.runtime.performance.performance import Performance
from engine.runtime.workers.workers import Workers
from engine.scenes import load
from tests.runtime.sound import DUMMY, until

SCENE = """
perpetuum: 1
title: Pads
tempo: 160 qpm
key: C
parts:
  {part}: {{generator: chord_walk, instrument: warm_pad}}
sections:
  all: {{bars: 2 bars, parts: [{part}]}}
"""


def test_an_edit_whose_sound_cannot_be_built_gives_way_to_the_scene_before(tmp_path):
    scenes = {}
    for part in ("pad", "unbuildable"):  # the stand-in for the audio process does not build a part of that name
        path = tmp_path / f"{part}.yaml"
        path.write_text(SCENE.format(part=part))
        scenes[part], _ = load(path)
    good, bad = scenes["pad"], scenes["unbuildable"]
    assert good is not None
    assert bad is not None
    parts: list[str] = []
    takeovers: list[SceneTookOver] = []
    refused: list[SceneRefused] = []
    with Audio(command=DUMMY) as audio, Workers() as workers:
        performance = Performance(good, Course(seed=1), audio, workers, lambda path: good)
        performance.subscribe(BarSealed, lambda event: parts.extend(one.part for one in event.parts))
        performance.subscribe(SceneTookOver, takeovers.append)
        performance.subscribe(SceneRefused, refused.append)
        performance.prepare()
        performance.start(NullOutput())
        try:
            until(lambda: len(parts) >= 1)
            performance.play_next(bad)
            until(lambda: len(takeovers) == 2)
            begun = len(parts)
            until(lambda: len(parts) > begun + 1)
            assert set(parts[begun + 1 :]) == {"pad"}
            assert len(refused) == 1
            heard = audio.heard
            until(lambda: audio.heard > heard + 48_000)
        finally:
            performance.stop()
    assert performance.over
