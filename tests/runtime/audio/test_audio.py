import os
import signal
import threading

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.processes.child import Child, OomScore, start_bound
from engine.runtime.audio import Audio, AudioState
from engine.runtime.offline import OfflineReader
from engine.sound.messages import BLOCK, FROM_SOUND, TO_SOUND, Fade, Release
from tests.runtime.audio.listening import Listener, pid
from tests.runtime.sound import DUMMY, frame_numbers, notes, setup, until, voices


def test_a_render_has_the_frames_that_were_asked_for_and_every_note_at_its_place():
    pieces: list[np.ndarray] = []
    with Audio(live=False, command=DUMMY) as audio, OfflineReader(audio, 100_001, pieces.append) as reader:
        audio.send(setup("a", live=False))
        audio.send(notes("a", (1000, 5000), (5000, 70_000)))
        audio.send(Release(50_000))
        audio.send(Release(100_001))
        assert reader.finish(60)
    sound = np.concatenate(pieces)
    assert np.array_equal(frame_numbers(sound), np.arange(100_001))
    assert np.flatnonzero(voices(sound)).tolist() == list(range(1000, 70_000))


def test_a_render_goes_no_further_than_it_is_released():
    with Audio(live=False, command=DUMMY) as audio, OfflineReader(audio, 20_000, len) as reader:
        audio.send(setup("a", live=False))
        audio.send(Release(5121))
        until(lambda: reader.frames >= 5120)
        threading.Event().wait(0.2)
        assert reader.frames == 5120
        assert reader.finish(60)


def test_a_render_whose_audio_process_dies_fails_and_says_why():
    with Audio(live=False, command=DUMMY) as audio, OfflineReader(audio, 96_000, len) as reader:
        audio.send(setup("crash", live=False))
        audio.send(notes("crash", (48_000, 48_100)))
        audio.send(Release(96_000))
        with pytest.raises(PerpetuumError, match="signal 11"):
            reader.finish(60)
        assert audio.state is AudioState.FAILED


def test_nothing_sounds_before_it_is_told_to_begin_so_that_no_note_of_the_opening_is_late():
    with Audio(command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        until(lambda: audio.state is AudioState.PLAYING)
        assert audio.frame == 0
        audio.send(notes("a", (0, 100)))
        audio.begin()
        until(lambda: listener.seconds > 0.1)
    assert voices(listener.sound)[:101].tolist() == [1] * 100 + [0]


def test_who_never_says_begin_hears_it_all_the_same():
    with Audio(command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        until(lambda: listener.seconds > 0.1)


def test_the_stream_ends_with_its_fade():
    with Audio(command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        audio.send(Fade(10 * BLOCK, 10 * BLOCK))
        until(lambda: audio.over)
        assert audio.state is AudioState.ENDED
        until(lambda: audio.pipe.waiting() == 0)
    assert len(listener.sound) == 20 * BLOCK


def test_sending_never_waits_however_deaf_the_process_is():
    with Audio(command=DUMMY, patience=60.0) as audio:
        audio.send(setup("a"))
        until(lambda: audio.state is AudioState.PLAYING)
        os.kill(pid(audio), signal.SIGSTOP)
        for k in range(5000):  # 2 MB, far more than the socket holds
            audio.send(notes("a", *((k * 1000 + n, k * 1000 + n + 10) for n in range(20))))


def test_closing_leaves_no_process_behind():
    audio = Audio(command=DUMMY)
    audio.start()
    audio.send(setup("a"))
    child = pid(audio)
    audio.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_where_no_more_threads_are_allowed_no_process_is_left_behind(monkeypatch):
    begun: list[int] = []

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def popen(*arguments, **options):
        process = start_bound(*arguments, **options)
        begun.append(process.pid)
        return process

    start_bound(["true"], OomScore.BACKGROUND).wait()
    monkeypatch.setattr("engine.processes.child.start_bound", popen)
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(OSError, match="no thread"):
        Child("audio", DUMMY, TO_SOUND, FROM_SOUND, lambda child, message: None, OomScore.AUDIO)
    with pytest.raises(ProcessLookupError):
        os.kill(begun[0], 0)
