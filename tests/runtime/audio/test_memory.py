import math

import numpy as np
import pytest

from engine.runtime.audio.failover.memory import SHORTEST, Memory
from engine.sound.messages import BLOCK, Control, Fade, Forget, Notes, PartSound, Ramp, Ramps, Release, Setup
from tests.runtime.sound import notes, setup


def remembered(*messages: object, frame: int = 0) -> Memory:
    memory = Memory()
    for message in (setup("a", "b"), *messages):
        memory.add(message, frame)
    return memory


def briefing(memory: Memory, frame: int) -> dict[type, list]:
    found: dict[type, list] = {Setup: [], Notes: [], Ramps: [], Release: [], Fade: []}
    for message in memory.messages(frame):
        found[type(message)].append(message)
    return found


def test_a_new_process_is_set_up_first_and_from_the_frame_where_the_old_one_stopped():
    first = remembered(notes("a", (0, 100_000))).messages(1024)[0]
    assert isinstance(first, Setup)
    assert first.start_frame == 1024


def test_notes_to_come_are_told_as_they_are_and_notes_that_are_over_are_not():
    frame = 100 * BLOCK
    told = briefing(remembered(notes("a", (0, 500), (frame, frame + 10), (frame + 7, frame + 90))), frame)[Notes]
    assert [(n["on"], n["off"]) for n in told[0].notes] == [(frame, frame + 10), (frame + 7, frame + 90)]


def test_a_note_that_sounds_begins_again_unless_it_is_almost_over():
    frame = 100 * BLOCK
    told = briefing(remembered(notes("a", (5, frame + SHORTEST), (6, frame + SHORTEST - 1))), frame)[Notes]
    assert [(n["on"], n["off"]) for n in told[0].notes] == [(frame, frame + SHORTEST)]


def test_a_ramp_that_is_over_has_become_the_level_of_its_part():
    memory = remembered(Ramps((Ramp("a", Control.LEVEL, -12.0, 0, 1000), Ramp("b", Control.PAN, 0.5, 0, 1000))))
    told = briefing(memory, 8 * BLOCK)
    assert not told[Ramps]
    assert [(part.level, part.pan) for part in told[Setup][0].parts] == [(-12.0, 0.0), (0.0, 0.5)]


def test_only_a_part_with_a_filter_has_a_brightness_after_a_ramp():
    setup = Setup((PartSound("a", "", brightness=1.0), PartSound("b", "")))
    memory = Memory()
    memory.add(setup, 0)
    memory.add(Ramps((Ramp("a", Control.BRIGHTNESS, 0.5, 0, 1000),)), 0)
    told = briefing(memory, 8 * BLOCK)
    assert [part.brightness for part in told[Setup][0].parts] == [0.5, None]


def test_a_ramp_on_its_way_goes_on_from_where_it_is():
    memory = remembered(
        Ramps((Ramp("a", Control.LEVEL, -10.0, 0, 1000), Ramp("a", Control.LEVEL, -20.0, 1000, 1000 + 10 * BLOCK)))
    )
    told = briefing(memory, 5 * BLOCK)
    [ramps] = told[Ramps]
    assert ramps.ramps == (Ramp("a", Control.LEVEL, -20.0, 5 * BLOCK, 1000 + 10 * BLOCK),)
    share = (5 * BLOCK - 1000) / (10 * BLOCK)
    assert told[Setup][0].parts[0].level == pytest.approx(-10 - 10 * share)


def test_a_ramp_out_of_silence_has_no_halfway():
    memory = remembered(Ramps((Ramp("a", Control.REVERB, -10.0, 0, 10 * BLOCK),)))
    level = briefing(memory, 5 * BLOCK)[Setup][0].parts[0].reverb
    assert not math.isnan(level)


def test_what_was_to_be_forgotten_is_not_told_to_a_new_process():
    memory = remembered(notes("a", (100, 90_000), (5000, 90_000)), Ramps((Ramp("a", Control.PAN, 1.0, 5000, 6000),)))
    memory.add(Forget(5000), 0)
    told = briefing(memory, 256)
    assert [note["on"] for note in told[Notes][0].notes] == [256]
    assert not told[Ramps]


def test_the_memory_stays_small_however_long_it_plays():
    memory = remembered()
    for second in range(2000):
        frame = second * 48_000
        memory.add(notes("a", *((frame + k * 1000, frame + k * 1000 + 900) for k in range(20))), frame)
        memory.add(Ramps((Ramp("a", Control.LEVEL, -float(second % 7), frame, frame + 2000),)), frame)
        memory.prune(frame)
        assert len(memory) <= 42


def test_a_fade_goes_on_where_it_was():
    memory = remembered(Fade(1000, 10 * BLOCK))
    assert briefing(memory, 5 * BLOCK)[Fade] == [Fade(5 * BLOCK, 1000 + 5 * BLOCK)]
    at_once = remembered(Fade(-1, 4 * BLOCK), frame=512)
    assert briefing(at_once, 512)[Fade] == [Fade(512, 4 * BLOCK)]


def test_notes_of_parts_that_the_setup_does_not_know_are_not_told():
    assert not briefing(remembered(notes("stranger", (0, 90_000))), 256)[Notes]


def test_notes_are_told_in_one_piece_a_part():
    memory = remembered(notes("a", (5000, 6000)), notes("a", (7000, 8000)))
    [told] = briefing(memory, 0)[Notes]
    assert np.array_equal(told.notes["on"], [5000, 7000])
