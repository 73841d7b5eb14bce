"""A performance that is cut off and restored by another process sounds as it would have."""

import numpy as np

from engine.runtime.workers.workers import Workers
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK
from tests.proofs.restored import cuts, mind_of, rendered, restored
from tests.proofs.takeover import SETTLED, differences

SCENE = """\
perpetuum: 1
title: Held
tempo: 96 qpm
key: D minor
parts:
  pad: {generator: {kind: chord_walk, chord_length: 4 bars}, instrument: warm_pad, level: -12 dB}
  tune: {generator: {kind: melody_rules, chords: pad}, instrument: soft_lead, level: -20 dB}
sections:
  a: {bars: 16 bars, parts: [pad, tune], move: {pad.level: -24 dB -> -6 dB}}
"""


def test_restored_in_the_midst_of_a_held_chord_and_a_rising_level_it_meets_the_bar_of_a_take_over(tmp_path):
    """Median difference in level at most 1.5 dB, 95th percentile at most 3 dB, from five seconds on."""
    path, seconds = tmp_path / "held.yaml", 11.5
    path.write_text(SCENE)
    frames = round(seconds * SAMPLE_RATE)
    with Workers() as workers:
        mind, told = mind_of(path, 5, workers)
        mind.prepare()
        mind.conductor.run(None, lambda: mind.conductor.plan.bar(mind.conductor.next_bar).start < frames + BLOCK)
    setup, *messages = told.messages
    whole = rendered(setup, messages, frames)
    [(start, state)] = cuts(path, 5, seconds, 5.0)
    assert state.conductor.next_bar == 2, "the chord has lasted for two bars, and lasts for two more"
    sound, places = restored(path, 5, whole, seconds, 5.0)
    assert places == [start]
    assert sound.shape == whole.shape
    found = differences(sound, whole, start + round(SETTLED * SAMPLE_RATE), frames)
    assert np.median(found) <= 1.5
    assert np.percentile(found, 95) <= 3.0
    # The chord that was held sounds on at once, as loud as it was to be by then.
    soon = differences(sound, whole, start + SAMPLE_RATE, start + 2 * SAMPLE_RATE)
    assert np.median(soon) <= 3.0
