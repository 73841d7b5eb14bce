import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest

from engine.processes.reports import Cause, ChildLost, IntensityExceeded
from engine.runtime.audio import Audio, AudioState
from engine.runtime.audio.audio import LIVE
from engine.runtime.audio.reports import NotesLeftOut
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, Ready, Trouble
from tests.runtime.audio.listening import Listener, pid
from tests.runtime.sound import DUMMY, Reports, frame_numbers, notes, setup, until, voices

SHALLOW = 1 << 16
"""Bytes of a pipe in which sound lies for 0.2 s: what is to come is not decided long before it is heard."""


def test_an_audio_process_killed_twice_leaves_no_gap_and_no_frame_out():
    """kill -9 while it plays: the sound goes on at the very next frame, and the pipe never runs empty."""
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        spans = [(start, start + 30_000) for start in range(0, 20 * SAMPLE_RATE, 40_000)]
        audio.send(notes("a", *spans))
        for moment in (0.5, 2.0):
            until(lambda moment=moment: listener.seconds > moment)
            os.kill(pid(audio), signal.SIGKILL)
        until(lambda: listener.seconds > 4.0)
        assert found.lost("audio", Cause.DIED) == 2
        assert found.started() == 3
        assert sum(isinstance(message, Ready) for message in audio.poll()) == 3
    sound = listener.sound
    assert listener.pauses == 0
    assert np.array_equal(frame_numbers(sound), np.arange(len(sound)))
    expected = np.zeros(len(sound), int)
    for on, off in spans:
        expected[on:off] += 1
    differing = np.flatnonzero(voices(sound) != expected)
    assert len(differing) <= 2 * 2400  # a note with less than 50 ms left is not begun again


def test_a_spare_process_waits_to_take_over_and_is_replaced_itself(monkeypatch):
    found = Reports()
    monkeypatch.setattr("engine.runtime.audio.primary.SPARE_DELAY", 0.02)
    with Audio(report=found, command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        until(lambda: audio.spare_pid)
        spare = audio.spare_pid
        os.kill(pid(audio), signal.SIGKILL)
        until(lambda: found.started() == 2)
        assert audio.pid == spare
        until(lambda: audio.spare_pid)
        dead = audio.spare_pid
        assert dead is not None
        os.kill(dead, signal.SIGKILL)
        until(lambda: audio.spare_pid not in (dead, None))
        assert found.lost() == 1
        assert found.lost("audio spare", Cause.DIED) == 1
        until(lambda: listener.seconds > 1)
    assert np.array_equal(frame_numbers(listener.sound), np.arange(len(listener.sound)))


def test_an_audio_process_that_hangs_is_replaced_without_a_gap():
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a", "hang"))
        audio.send(notes("a", (0, 30 * SAMPLE_RATE)))
        until(lambda: listener.seconds > 0.5)
        child = pid(audio)
        os.kill(child, signal.SIGSTOP)
        until(lambda: found.lost("audio", Cause.HUNG) == 1)
        until(lambda: found.started() == 2)
        until(lambda: listener.seconds > 3.5)
    assert listener.pauses == 0
    assert np.array_equal(frame_numbers(listener.sound), np.arange(len(listener.sound)))


def test_an_audio_process_that_leaks_is_replaced_by_the_spare_without_a_gap(monkeypatch):
    """In good time: it plays until a spare is ready."""
    monkeypatch.setattr("engine.processes.memory_budget.LOOK", 0.1)
    found = Reports()
    with (
        Audio(command=DUMMY, report=found, limits=replace(LIVE, memory=300_000_000)) as audio,
        Listener(audio) as listener,
    ):
        audio.send(setup("a", "leak"))
        audio.send(notes("leak", (4 * SAMPLE_RATE, 60 * SAMPLE_RATE)))
        audio.begin()
        until(lambda: found.lost("audio", Cause.OVER_BUDGET) == 1)
        until(lambda: found.started() == 2)
        until(lambda now=listener.seconds: listener.seconds > now + 1)
        assert found.lost() == 1
    assert listener.pauses == 0
    assert np.array_equal(frame_numbers(listener.sound), np.arange(len(listener.sound)))


def test_an_output_that_takes_nothing_is_not_taken_for_a_hang():
    found = Reports()
    with Audio(report=found, command=DUMMY, pipe_bytes=1 << 16, patience=0.2) as audio:
        audio.send(setup("a"))
        until(lambda: audio.pipe.waiting() >= audio.pipe.depth - BLOCK)
        threading.Event().wait(1.0)
        assert found.lost() == 0
        assert audio.state is AudioState.PLAYING


def test_where_one_process_after_the_other_dies_the_notes_are_left_out_and_the_music_goes_on():
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a", "crash"))
        audio.send(notes("a", (0, 60 * SAMPLE_RATE)))
        audio.send(notes("crash", (3 * SAMPLE_RATE, 3 * SAMPLE_RATE + 100)))
        until(lambda: audio.frame > 5 * SAMPLE_RATE)
        assert any(isinstance(report, NotesLeftOut) for report in found.all)
        assert any(isinstance(message, Trouble) and "signal 11" in message.message for message in audio.poll())
    assert np.array_equal(frame_numbers(listener.sound), np.arange(len(listener.sound)))


def test_a_process_that_never_plays_is_tried_again_with_growing_pauses():
    found = Reports()
    with Audio(report=found, command=["/bin/false"]) as audio:
        audio.send(setup("a"))
        until(lambda: found.lost() >= 3)
    pauses = [report.retry_in for report in found.all if isinstance(report, ChildLost)]
    assert pauses[:3] == [0.1, 0.2, 0.4]


def test_one_that_is_lost_too_often_comes_back_after_a_pause_though_it_had_played():
    found = Reports()
    with Audio(report=found, command=DUMMY, limits=replace(LIVE, restarts=1)) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        for deaths in (1, 2):
            until(lambda deaths=deaths: found.started() == deaths)
            until(lambda now=listener.seconds: listener.seconds > now + 0.1)
            os.kill(pid(audio), signal.SIGKILL)
        until(lambda: found.started() == 3)
    assert [report.retry_in for report in found.all if isinstance(report, ChildLost)] == [0.0, 0.1]
    assert IntensityExceeded("audio", 1, 60.0, given_up=False) in found.all


def test_audio_and_spare_stopped_together_leave_no_gap():
    """A spare that hangs when it is needed costs nothing: a new process runs beside it."""
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        audio.send(notes("a", (0, 60 * SAMPLE_RATE)))
        until(lambda: audio.spare_pid)
        until(lambda now=listener.seconds: listener.seconds > now + 0.5)
        assert audio.spare_pid is not None
        for child in (audio.spare_pid, pid(audio)):
            os.kill(child, signal.SIGSTOP)
        until(lambda: found.started() == 2)
        until(lambda now=listener.seconds: listener.seconds > now + 3)
    assert listener.pauses == 0
    assert np.array_equal(frame_numbers(listener.sound), np.arange(len(listener.sound)))


def test_a_spare_that_does_not_answer_is_replaced_before_it_is_needed():
    found = Reports()
    with Audio(report=found, command=DUMMY) as audio, Listener(audio):
        audio.send(setup("a"))
        until(lambda: audio.spare_pid)
        spare = audio.spare_pid
        assert spare is not None
        os.kill(spare, signal.SIGSTOP)
        until(lambda: found.lost("audio spare", Cause.HUNG) == 1, 3.0)
        with pytest.raises(ProcessLookupError):
            os.kill(spare, 0)
