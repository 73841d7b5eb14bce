import os
import signal

import numpy as np

from engine.runtime.audio import Audio, Refused
from engine.runtime.audio.change import ChangePhase
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, Fade
from tests.runtime.audio.listening import Listener, pid
from tests.runtime.sound import DUMMY, Reports, frame_numbers, notes, setup, until, voices

SHALLOW = 1 << 16
"""Bytes of a pipe in which sound lies for 0.2 s: what is to come is not decided long before it is heard."""


def change_scene(audio: Audio, frame: int) -> None:
    """From a frame on two notes sound for a minute; before, it was one."""
    audio.send(setup("b", "c", start_frame=frame))
    for part in ("b", "c"):
        audio.send(notes(part, (frame, 60 * SAMPLE_RATE)))


def assert_changed(listener: Listener, frame: int) -> None:
    sound = listener.sound
    assert listener.pauses == 0
    assert np.array_equal(frame_numbers(sound), np.arange(len(sound)))
    assert set(voices(sound[:frame])) == {1}
    assert set(voices(sound[frame:])) == {2}


def test_a_second_setup_takes_over_at_its_frame_without_a_gap():
    found = Reports()
    change = 4 * SAMPLE_RATE // BLOCK * BLOCK
    with Audio(report=found, command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 60 * SAMPLE_RATE)))
        until(lambda: listener.seconds > 0.2)
        first = pid(audio)
        change_scene(audio, change)
        until(lambda: listener.seconds > 5)
        assert pid(audio) != first
        assert found.lost() == 0
    assert_changed(listener, change)


def test_a_process_that_does_not_build_the_new_graph_does_not_end_the_old_one():
    """The old one plays on until the new one reports Ready, however late that is; one that never does is refused."""
    change = 4 * SAMPLE_RATE // BLOCK * BLOCK
    with Audio(command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 60 * SAMPLE_RATE)))
        until(lambda: listener.seconds > 0.2)
        first = pid(audio)
        audio.send(setup("unbuildable", start_frame=change))
        found: list[object] = []
        until(lambda: found.extend(audio.poll()) or any(isinstance(message, Refused) for message in found))
        until(lambda: listener.seconds > 5)
        assert pid(audio) == first
        change_scene(audio, audio.frame // BLOCK * BLOCK)
        until(lambda now=listener.seconds: listener.seconds > now + 4)
    sound = listener.sound
    assert listener.pauses == 0
    assert np.array_equal(frame_numbers(sound), np.arange(len(sound)))
    assert voices(sound)[-1] == 2


def test_a_scene_that_waits_for_its_bar_does_not_lose_frames_when_the_old_process_is_killed():
    change = 6 * SAMPLE_RATE // BLOCK * BLOCK
    with Audio(command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 60 * SAMPLE_RATE)))
        until(lambda: listener.seconds > 0.2)
        change_scene(audio, change)
        os.kill(pid(audio), signal.SIGKILL)
        until(lambda: listener.seconds > 7)
    assert_changed(listener, change)


def test_an_edit_repairs_a_scene_whose_graph_cannot_be_built():
    """Nothing of the old scene ever sounds, so the new one does not wait for its end."""
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("unbuildable"))
        audio.begin()
        until(lambda: found.lost() >= 2)
        change_scene(audio, 0)
        until(lambda: listener.seconds > 1)
    sound = listener.sound
    assert np.array_equal(frame_numbers(sound), np.arange(len(sound)))
    assert set(voices(sound)) == {2}


def test_a_scene_that_is_to_end_by_itself_is_changed_all_the_same():
    """The fade at the end of the performance is told long before it is due, and again after the change."""
    change, end = 2 * SAMPLE_RATE // BLOCK * BLOCK, 5 * SAMPLE_RATE // 2 // BLOCK * BLOCK
    with Audio(command=DUMMY, pipe_bytes=SHALLOW) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 60 * SAMPLE_RATE)))
        audio.send(Fade(end - BLOCK, BLOCK))
        audio.begin()
        until(lambda: listener.seconds > 0.2)
        change_scene(audio, change)
        audio.send(Fade(end - BLOCK, BLOCK))
        until(lambda: audio.over)
        until(lambda: audio.pipe.waiting() == 0)
    sound = listener.sound
    assert np.array_equal(frame_numbers(sound), np.arange(end))
    assert set(voices(sound[:change])) == {1}
    assert voices(sound)[-1] == 2


def test_a_scene_that_is_edited_before_it_has_begun_gives_way_to_the_edited_one():
    with Audio(command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        change_scene(audio, 20 * BLOCK)
        audio.begin()
        until(lambda: len(listener.sound) and voices(listener.sound)[-1] == 2)
    sound = listener.sound
    assert np.array_equal(frame_numbers(sound), np.arange(len(sound)))


def test_a_new_scene_whose_processes_all_die_while_the_old_one_fades_out_leaves_the_old_one_playing():
    """A hand-over that fails halfway is taken back: the music does not end with it."""
    change = 3 * SAMPLE_RATE // BLOCK * BLOCK
    with Audio(command=DUMMY, pipe_bytes=SHALLOW) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 60 * SAMPLE_RATE)))
        audio.begin()
        until(lambda: listener.seconds > 0.2)
        change_scene(audio, change)
        until(lambda: audio._changes.current is not None and audio._changes.current.phase is ChangePhase.FADING)
        killed: list[int] = []
        found: list[object] = []
        while not any(isinstance(message, Refused) for message in found):
            with audio._lock:
                current = audio._changes.current
                pids = [child.process.pid for child in current.candidates.children] if current is not None else []
            for child in set(pids) - set(killed):
                os.kill(child, signal.SIGKILL)
                killed.append(child)
            found += audio.poll()
            assert audio.frame < change, "the change came before it could be refused"
        until(lambda: audio.frame > change + SAMPLE_RATE // 4)
    assert np.array_equal(frame_numbers(listener.sound), np.arange(len(listener.sound)))


def test_two_edits_at_once_of_which_the_second_cannot_be_built_are_answered():
    """The first one's graph is ready, and the old scene fades already, when the second comes."""
    change = 4 * SAMPLE_RATE // BLOCK * BLOCK
    with Audio(command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 60 * SAMPLE_RATE)))
        until(lambda: listener.seconds > 0.2)
        change_scene(audio, change)
        until(lambda: audio._changes.current is not None and audio._changes.current.phase is ChangePhase.FADING)
        audio.send(setup("unbuildable", start_frame=change))
        found: list[object] = []
        until(lambda: found.extend(audio.poll()) or any(isinstance(message, Refused) for message in found))
        change_scene(audio, change)
        until(lambda now=listener.seconds: listener.seconds > now + 4)
    sound = listener.sound
    assert np.array_equal(frame_numbers(sound), np.arange(len(sound)))
    assert voices(sound)[-1] == 2
