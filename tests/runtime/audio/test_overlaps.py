"""Two scenes that sound together for a while, in the pipe as a listener takes it."""

import os
import signal
from dataclasses import replace

import numpy as np

from engine import assets
from engine.events.sounding import GraphBegan
from engine.runtime.audio import Audio
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, PartSound, Setup
from tests.runtime.audio.listening import Listener, pid
from tests.runtime.sound import DUMMY, Reports, frame_numbers, notes, setup, until, voices

CHANGE = 2 * SAMPLE_RATE // BLOCK * BLOCK
TOGETHER = 3 * SAMPLE_RATE // BLOCK * BLOCK
SHALLOW = 1 << 16
"""Bytes of a pipe in which sound lies for 0.2 s: what is killed has made little of what is to come."""


def begin(audio: Audio, listener: Listener) -> None:
    """One note sounds for a minute; from `CHANGE` on another scene begins, in which two do."""
    audio.send(setup("a"))
    audio.send(notes("a", (0, 60 * SAMPLE_RATE)))
    audio.begin()
    until(lambda: listener.seconds > 0.2)
    audio.send(replace(setup("b", "c", start_frame=CHANGE), overlap=TOGETHER))
    for part in ("b", "c"):
        audio.send(notes(part, (CHANGE, 60 * SAMPLE_RATE)))


def joined(found: Reports) -> tuple[int, int]:
    """From which frame to which both sound; where the new graph comes late, it begins late."""
    [began] = [event for event in found.all if isinstance(event, GraphBegan) and event.overlap]
    return began.frame - began.blend, began.frame


def gains(sound: np.ndarray, found: Reports) -> tuple[np.ndarray, np.ndarray]:
    """What is heard while both sound, and what is to be: the dummies write 1 voice in the old scene, 2 in the new."""
    first, end = joined(found)
    angle = np.arange(end - first) * (np.pi / 2 / (end - first))
    return sound[first:end, 1].astype(np.float64) * 128, 1 * np.cos(angle) + 2 * np.sin(angle)


def test_two_scenes_sound_together_and_cross_at_equal_power_to_the_frame():
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio, Listener(audio) as listener:
        begin(audio, listener)
        first = pid(audio)
        until(lambda: listener.seconds > 6)
        assert pid(audio) != first
        assert found.lost() == 0
        until(lambda: audio._changes.outgoing is None)  # the old one's process has ended
    sound, (join, end) = listener.sound, joined(found)
    assert (join, end) == (CHANGE, CHANGE + TOGETHER)
    assert np.allclose(*gains(sound, found), atol=1e-4)
    for begins, stretch, voiced in ((0, sound[:join], 1), (end, sound[end:], 2)):
        assert np.array_equal(frame_numbers(stretch), np.arange(len(stretch)) + begins)
        assert set(voices(stretch)) == {voiced}
    assert listener.pauses == 0


def test_an_old_scene_that_is_killed_while_two_sound_leaves_the_new_one_at_once():
    found = Reports()
    with Audio(report=found, command=DUMMY, pipe_bytes=SHALLOW) as audio, Listener(audio) as listener:
        begin(audio, listener)
        until(lambda: audio._changes.outgoing is not None)
        child = audio._changes.outgoing
        assert child is not None
        child.process.kill()
        until(lambda: listener.seconds > 6)
    both, expected = gains(listener.sound, found)
    assert both.min() > 0.01, "nothing sounds"
    alone = np.flatnonzero(np.abs(both - expected) > 0.01)[0] + SAMPLE_RATE // 4
    assert np.allclose(both[alone:], 2.0, atol=1e-3)
    assert found.lost() == 0


def test_an_old_scene_that_is_stopped_while_two_sound_holds_up_nobody():
    found = Reports()
    with Audio(report=found, command=DUMMY, pipe_bytes=SHALLOW) as audio, Listener(audio) as listener:
        begin(audio, listener)
        until(lambda: audio._changes.outgoing is not None)
        child = audio._changes.outgoing
        assert child is not None
        os.kill(child.process.pid, signal.SIGSTOP)
        until(lambda: listener.seconds > 6)
        until(lambda: child.process.poll() is not None)
    both, _ = gains(listener.sound, found)
    assert both.min() > 0.01, "nothing sounds"
    assert set(voices(listener.sound[joined(found)[1] :])) == {2}


def test_a_new_scene_that_is_killed_while_two_sound_is_taken_up_by_the_spare():
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio, Listener(audio) as listener:
        begin(audio, listener)
        until(lambda: any(isinstance(event, GraphBegan) and event.overlap for event in found.all) and audio.pid)
        os.kill(pid(audio), signal.SIGKILL)
        until(lambda: listener.seconds > 6)
    assert np.allclose(*gains(listener.sound, found), atol=1e-4)
    end = joined(found)[1]
    sound = listener.sound[end:]
    assert np.array_equal(frame_numbers(sound), np.arange(len(sound)) + end)
    assert set(voices(sound)) == {2}


def test_an_old_scene_that_is_killed_just_before_is_taken_up_and_then_goes_out_all_the_same():
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio, Listener(audio) as listener:
        begin(audio, listener)
        os.kill(pid(audio), signal.SIGKILL)
        until(lambda: listener.seconds > 6)
    join, end = joined(found)
    assert set(voices(listener.sound[:join])) == {1}
    assert np.allclose(*gains(listener.sound, found), atol=1e-4)
    assert set(voices(listener.sound[end:])) == {2}


def test_of_two_real_graphs_both_are_heard_and_the_level_has_neither_hole_nor_jump(monkeypatch):
    """What is heard is analysed: a low note goes out, one two octaves higher comes in."""
    monkeypatch.setattr("engine.runtime.audio.primary.SPARE_DELAY", 0.1)
    together = 4 * SAMPLE_RATE // BLOCK * BLOCK
    pad = str(assets.find("instruments", "warm_pad"))
    found = Reports()
    with Audio(report=found) as audio, Listener(audio) as listener:
        audio.send(Setup((PartSound("low", pad, level=-9.0),)))
        audio.send(notes("low", (0, 600 * SAMPLE_RATE), pitch=48))
        audio.begin()
        until(lambda: listener.seconds > 1.0 and audio.spare_pid, 60)  # it builds the next graph
        join = audio.frame // BLOCK * BLOCK + 2 * SAMPLE_RATE // BLOCK * BLOCK
        audio.send(Setup((PartSound("high", pad, level=-9.0),), start_frame=join, overlap=together))
        audio.send(notes("high", (join, 600 * SAMPLE_RATE), pitch=72))
        until(lambda: any(isinstance(event, GraphBegan) and event.overlap for event in found.all), 60)
        until(lambda: listener.seconds > joined(found)[1] / SAMPLE_RATE + 2.1, 60)
    sound, (join, end) = listener.sound, joined(found)

    def power(first: int, pitch: int) -> float:
        """dB of a second, near the fundamental of a pitch."""
        spectrum = np.abs(np.fft.rfft(sound[first : first + SAMPLE_RATE].mean(axis=1) * np.hanning(SAMPLE_RATE))) ** 2
        hertz = round(440.0 * 2 ** ((pitch - 69) / 12))
        return 10 * float(np.log10(spectrum[hertz - 4 : hertz + 5].sum() + 1e-12))

    half = (join + end - SAMPLE_RATE) // 2
    for pitch, alone in ((48, join - SAMPLE_RATE), (72, end + SAMPLE_RATE)):
        assert power(half, pitch) > power(alone, pitch) - 15.0
    assert power(end + SAMPLE_RATE, 48) < power(half, 48) - 30.0
    assert power(join - SAMPLE_RATE, 72) < power(half, 72) - 30.0
    tenths = sound[join - SAMPLE_RATE : end + SAMPLE_RATE].astype(np.float64)
    tenths = tenths[: len(tenths) // 4800 * 4800].reshape(-1, 4800, 2)
    level = 10 * np.log10((tenths**2).mean(axis=(1, 2)))
    assert np.abs(np.diff(level)).max() < 3.0, level.round(1)


def test_a_scene_that_cannot_be_built_leaves_the_old_one_playing_on():
    with Audio(command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 60 * SAMPLE_RATE)))
        audio.begin()
        until(lambda: listener.seconds > 0.2)
        audio.send(replace(setup("unbuildable", start_frame=CHANGE), overlap=TOGETHER))
        until(lambda: listener.seconds > 6)
    sound = listener.sound
    assert np.array_equal(frame_numbers(sound), np.arange(len(sound)))
    assert set(voices(sound)) == {1}
