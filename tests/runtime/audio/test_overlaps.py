"""Two scenes that sound together for a while, in the pipe as a listener takes it."""

import os
import signal
import subprocess
from dataclasses import replace

import numpy as np

from engine import assets
from engine.events.sounding import GraphBegan
from engine.runtime.audio import Audio, AudioState
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, PartSound, Setup
from tests.runtime.audio.listening import Listener, pid
from tests.runtime.sound import DUMMY, Reports, frame_numbers, notes, setup, until, voices

CHANGE = 2 * SAMPLE_RATE // BLOCK * BLOCK
TOGETHER = 3 * SAMPLE_RATE // BLOCK * BLOCK
SHALLOW = 1 << 16
"""Bytes of a pipe in which sound lies for 0.2 s: what is killed has made little of what is to come."""


def begin(audio: Audio) -> None:
    """One note sounds for a minute; from `CHANGE` on another scene begins, in which two do.

    Nobody listens until its graph is built, so that time stands still meanwhile, however busy the machine is.
    """
    audio.send(setup("a"))
    audio.send(notes("a", (0, 60 * SAMPLE_RATE)))
    audio.begin()
    until(lambda: audio.frame > 0)
    change(audio, replace(setup("b", "c", start_frame=CHANGE), overlap=TOGETHER))
    for part in ("b", "c"):
        audio.send(notes(part, (CHANGE, 60 * SAMPLE_RATE)))


def change(audio: Audio, wanted: Setup) -> None:
    """Ask for another scene, and wait for its graph."""
    audio.send(wanted)
    current = audio._changes.current
    assert current is not None
    until(lambda: current.candidates.ready, 60)


def joined(found: Reports) -> tuple[int, int]:
    """From which frame to which both sound; where the new graph comes late, it begins late."""
    [began] = [event for event in found.all if isinstance(event, GraphBegan) and event.overlap]
    return began.frame - began.blend, began.frame


def gains(sound: np.ndarray, found: Reports) -> tuple[np.ndarray, np.ndarray]:
    """What is heard while both sound, and what is to be: the dummies write 1 voice in the old scene, 2 in the new."""
    first, end = joined(found)
    angle = np.arange(end - first) * (np.pi / 2 / (end - first))
    return sound[first:end, 1].astype(np.float64) * 128, 1 * np.cos(angle) + 2 * np.sin(angle)


def listen(audio: Audio) -> np.ndarray:
    """What is heard of the first six seconds."""
    with Listener(audio) as listener:
        until(lambda: listener.seconds > 6, 60)
    return listener.sound


def outgoing(audio: Audio) -> subprocess.Popen[bytes]:
    """The process of the scene that goes out."""
    child = audio._changes.outgoing
    assert child is not None
    return child.process


def test_two_scenes_sound_together_and_cross_at_equal_power_to_the_frame():
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio:
        begin(audio)
        sound = listen(audio)
        assert found.lost() == 0
        until(lambda: audio._changes.outgoing is None)  # the old one's process has ended
    assert joined(found) == (CHANGE, CHANGE + TOGETHER)
    assert np.allclose(*gains(sound, found), atol=1e-4)
    for begins, stretch, voiced in ((0, sound[:CHANGE], 1), (CHANGE + TOGETHER, sound[CHANGE + TOGETHER :], 2)):
        assert np.array_equal(frame_numbers(stretch), np.arange(len(stretch)) + begins)
        assert set(voices(stretch)) == {voiced}


def test_an_old_scene_that_is_killed_while_two_sound_leaves_the_new_one_at_once():
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio:
        begin(audio)
        until(lambda: audio._changes.outgoing is not None)
        outgoing(audio).kill()  # what it had made by then is heard
        until(lambda: audio._changes.outgoing is None)
        sound = listen(audio)
    both, expected = gains(sound, found)
    assert both.min() > 0.01, "nothing sounds"
    lost = np.flatnonzero(np.abs(both - expected) > 0.01)
    assert len(lost), "it was over before it was killed"
    assert np.allclose(both[lost[0] + SAMPLE_RATE // 4 :], 2.0, atol=1e-3)
    assert found.lost() == 0


def test_an_old_scene_that_is_stopped_while_two_sound_holds_up_nobody():
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio:
        begin(audio)
        until(lambda: audio._changes.outgoing is not None)
        process = outgoing(audio)
        os.kill(process.pid, signal.SIGSTOP)
        sound = listen(audio)
        until(lambda: process.poll() is not None)
    both, _ = gains(sound, found)
    assert both.min() > 0.01, "nothing sounds"
    assert set(voices(sound[CHANGE + TOGETHER :])) == {2}


def test_a_new_scene_that_is_killed_while_two_sound_is_taken_up_by_another_process():
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio:
        begin(audio)
        until(lambda: any(isinstance(event, GraphBegan) and event.overlap for event in found.all) and audio.pid)
        os.kill(pid(audio), signal.SIGKILL)
        sound = listen(audio)
    assert np.allclose(*gains(sound, found), atol=1e-4)
    alone = sound[CHANGE + TOGETHER :]
    assert np.array_equal(frame_numbers(alone), np.arange(len(alone)) + CHANGE + TOGETHER)
    assert set(voices(alone)) == {2}


def test_an_old_scene_that_is_killed_just_before_is_taken_up_and_then_goes_out_all_the_same():
    found = Reports()
    with Audio(report=found, command=DUMMY, pipe_bytes=SHALLOW) as audio:
        begin(audio)
        os.kill(pid(audio), signal.SIGKILL)
        until(lambda: found.lost() == 1)
        until(lambda: audio.state is AudioState.PLAYING)
        sound = listen(audio)
    join, end = joined(found)
    assert set(voices(sound[:join])) == {1}
    assert np.allclose(*gains(sound, found), atol=1e-4)
    assert set(voices(sound[end:])) == {2}


def test_a_scene_that_cannot_be_built_leaves_the_old_one_playing_on():
    with Audio(command=DUMMY) as audio:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 60 * SAMPLE_RATE)))
        audio.begin()
        until(lambda: audio.frame > 0)
        audio.send(replace(setup("unbuildable", start_frame=CHANGE), overlap=TOGETHER))
        sound = listen(audio)
    assert np.array_equal(frame_numbers(sound), np.arange(len(sound)))
    assert set(voices(sound)) == {1}


def test_of_two_real_graphs_both_are_heard_and_the_level_has_neither_hole_nor_jump():
    """What is heard is analysed: a low note goes out, a higher one comes in, which is none of its overtones."""
    pad = str(assets.find("instruments", "warm_pad"))
    found = Reports()
    with Audio(report=found) as audio:
        audio.send(Setup((PartSound("low", pad, level=-9.0),)))
        audio.send(notes("low", (0, 600 * SAMPLE_RATE), pitch=48))
        audio.begin()
        until(lambda: audio.frame > 0, 60)
        change(audio, Setup((PartSound("high", pad, level=-9.0),), start_frame=CHANGE, overlap=TOGETHER))
        audio.send(notes("high", (CHANGE, 600 * SAMPLE_RATE), pitch=78))
        with Listener(audio) as listener:
            until(lambda: listener.seconds > 7.1, 60)
    sound, (join, end) = listener.sound, joined(found)

    def power(first: int, pitch: int) -> float:
        """dB of a second, near the fundamental of a pitch."""
        spectrum = np.abs(np.fft.rfft(sound[first : first + SAMPLE_RATE].mean(axis=1) * np.hanning(SAMPLE_RATE))) ** 2
        hertz = round(440.0 * 2 ** ((pitch - 69) / 12))
        return 10 * float(np.log10(spectrum[hertz - 4 : hertz + 5].sum() + 1e-12))

    half = (join + end - SAMPLE_RATE) // 2
    for pitch, alone in ((48, join - SAMPLE_RATE), (78, end + SAMPLE_RATE)):
        assert power(half, pitch) > power(alone, pitch) - 15.0
    assert power(end + SAMPLE_RATE, 48) < power(half, 48) - 30.0
    assert power(join - SAMPLE_RATE, 78) < power(half, 78) - 30.0
    halves = sound[join - SAMPLE_RATE : end + SAMPLE_RATE].astype(np.float64)
    halves = halves[: len(halves) // 24000 * 24000].reshape(-1, 24000, 2)  # of a second: the pad itself beats
    level = 10 * np.log10((halves**2).mean(axis=(1, 2)))
    alone, both = np.concatenate([level[:2], level[-2:]]), level[2:-2]
    assert alone.min() - 3.0 < both.min() <= both.max() < alone.max() + 3.0, level.round(1)
