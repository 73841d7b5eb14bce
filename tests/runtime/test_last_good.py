"""A scene that is valid and whose sound cannot be built all the same: the one before plays on."""

import threading

from engine.outputs.null import NullOutput
from engine.runtime.audio import Audio
from engine.runtime.play import News, Wishes, play, prepare
from engine.runtime.watching import Edits
from engine.runtime.workers import Workers
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


class Stop:
    asked = False


def test_an_edit_whose_sound_cannot_be_built_gives_way_to_the_scene_before(tmp_path):
    scenes = {}
    for part in ("pad", "unbuildable"):  # the stand-in for the audio process does not build a part of that name
        path = tmp_path / f"{part}.yaml"
        path.write_text(SCENE.format(part=part))
        scenes[part], _ = load(path)
    good, bad = scenes["pad"], scenes["unbuildable"]
    assert good is not None
    assert bad is not None
    edits, stop, takeovers, parts = Edits(), Stop(), [], []
    news = News(section=lambda sealed: parts.append(sealed.part), reloaded=takeovers.append)
    wishes = Wishes(seed=1)
    with Audio(command=DUMMY) as audio, Workers() as workers:
        prepare(good, wishes, audio, workers)
        arguments = (good, wishes, audio, workers, NullOutput(), edits, news, stop)
        thread = threading.Thread(target=play, args=arguments, daemon=True)
        thread.start()
        try:
            until(lambda: len(parts) >= 1)
            edits.put(bad)
            until(lambda: len(takeovers) == 2)
            begun = len(parts)
            until(lambda: len(parts) > begun + 1)
            assert set(parts[begun + 1 :]) == {"pad"}
            heard = audio.heard
            until(lambda: audio.heard > heard + 48_000)
        finally:
            stop.asked = True
            thread.join(30)
    assert not thread.is_alive()
