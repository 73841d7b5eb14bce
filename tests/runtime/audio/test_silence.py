"""Which silence is an accident, and which is music."""

import numpy as np

from engine.runtime.audio.failover.memory import Memory
from engine.runtime.audio.failover.silence import MOST, PATIENCE, SilenceGuard
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import (
    NOTE_EVENT,
    Control,
    Fade,
    LevelReading,
    MixSound,
    Notes,
    PartSound,
    Ramp,
    Ramps,
    Setup,
)

STEP = 4864
"""Frames between two readings."""


class Process:
    """A process whose levels a guard is told, and whose notes change at a frame."""

    def __init__(self, notes_sound: bool = True, change: int = -1) -> None:
        self.frame = 0
        self.guard = SilenceGuard(lambda start, end: notes_sound and not start <= change < end)

    def makes(self, peak: float, seconds: float) -> int | None:
        """It makes sound of a level for a while: the frame from which on the guard says sound is missing."""
        end = self.frame + seconds * SAMPLE_RATE
        while self.frame < end:
            self.frame += STEP
            found = self.guard.lost_from(LevelReading(self.frame, peak, peak, 0, 0))
            if found is not None:
                return found
        return None


def test_silence_though_notes_sound_is_found_with_the_last_frame_that_surely_was_right():
    process = Process()
    assert process.makes(0.1, 3.0) is None
    lost_at = process.frame
    found = process.makes(0.0, 3.0)
    assert found == lost_at - STEP
    assert process.frame - lost_at <= PATIENCE + STEP


def test_silence_in_which_chords_change_is_found_as_well():
    process = Process(change=3 * SAMPLE_RATE + SAMPLE_RATE // 8)
    assert process.makes(0.1, 3.0) is None
    lost_at = process.frame
    assert process.makes(0.0, 3.0) == lost_at - STEP
    assert process.frame - lost_at <= 2 * PATIENCE


def test_silence_without_notes_and_soft_sound_are_music():
    assert Process(notes_sound=False).makes(0.0, 60.0) is None
    assert Process().makes(2e-6, 60.0) is None


def test_a_silence_that_another_process_repeats_is_music_and_costs_one_process():
    process = Process()
    process.makes(0.1, 1.0)
    found = process.makes(0.0, 3.0)
    assert found is not None
    process.frame = found
    process.guard.begin(found, retried=True)
    assert process.makes(0.0, 30.0) is None
    assert process.makes(0.1, 1.0) is None
    assert process.makes(0.0, 3.0) is not None, "the next silence is looked at anew"


def test_a_scene_whose_silences_are_music_again_and_again_is_left_alone():
    process = Process()
    for _ in range(MOST):
        process.makes(0.1, 1.0)
        found = process.makes(0.0, 3.0)
        assert found is not None
        process.frame = found
        process.guard.begin(found, retried=True)
        assert process.makes(0.0, 3.0) is None
    process.makes(0.1, 1.0)
    assert process.makes(0.0, 30.0) is None
    process.guard.new_scene()
    process.makes(0.1, 1.0)
    assert process.makes(0.0, 3.0) is not None


def memory(level: float = 0.0, mix: float = 0.0, velocity: int = 90) -> Memory:
    found = Memory()
    found.add(Setup((PartSound("pad", "pad.yaml", level=level),), MixSound(level=mix)), 0)
    found.add(Notes("pad", np.array([(1000, 90_000, 60, velocity)], NOTE_EVENT)), 0)
    return found


def test_a_note_counts_while_it_is_on_in_a_part_that_can_be_heard():
    assert memory().sounds(2000, 80_000)
    assert not memory().sounds(500, 80_000), "it had not begun"
    assert not memory().sounds(2000, 95_000), "it was over"
    assert not memory(level=-80.0).sounds(2000, 80_000)
    assert not memory(level=float("-inf")).sounds(2000, 80_000)
    assert not memory(mix=-90.0).sounds(2000, 80_000)
    assert not memory(velocity=0).sounds(2000, 80_000)


def test_where_a_level_moves_or_all_fades_out_no_note_counts():
    faded = memory()
    faded.add(Fade(60_000, 4800), 0)
    assert not faded.sounds(2000, 80_000)
    muted = memory()
    muted.add(Ramps((Ramp("pad", Control.LEVEL, float("-inf"), 3000, 4000),)), 0)
    assert not muted.sounds(2000, 80_000)
    muted.prune(50_000)
    assert not muted.sounds(60_000, 80_000), "the ramp is over, and the level stays"
