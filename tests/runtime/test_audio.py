import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.outputs.devices.pacing import Pacer
from engine.processes.child import Child, start_bound
from engine.processes.reports import Cause, ChildLost, IntensityExceeded
from engine.runtime.audio import Audio, AudioState, Refused
from engine.runtime.audio.audio import LIVE
from engine.runtime.audio.change import ChangePhase
from engine.runtime.audio.reports import NotesLeftOut
from engine.runtime.offline import OfflineReader
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import BLOCK, FROM_SOUND, TO_SOUND, Fade, Ready, Release, Trouble
from tests.runtime.sound import DUMMY, Reports, frame_numbers, notes, samples, setup, until, voices

SHALLOW = 1 << 16
"""Bytes of a pipe in which sound lies for 0.2 s: what is to come is not decided long before it is heard."""


class Listener:
    """Takes sound from the pipe at the pace of real time, and keeps it."""

    def __init__(self, audio: Audio) -> None:
        self.audio = audio
        self.data: list[bytes] = []
        self.pauses = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        pacer = Pacer()
        while not self._stop.is_set():
            # A real output asks again within its own buffer's time; 5 ms without sound is what an ear might notice.
            chunk = self.audio.pipe.read(BLOCK * self.audio.pipe.format.frame_bytes, 0.005)
            if chunk:
                self.data.append(chunk)
                pacer.pace(BLOCK)
            elif self.data and not self.audio.over:
                self.pauses += 1

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def sound(self) -> np.ndarray:
        return samples(b"".join(self.data))

    @property
    def seconds(self) -> float:
        return len(self.data) * BLOCK / SAMPLE_RATE


def pid(audio: Audio) -> int:
    assert audio.pid is not None
    return audio.pid


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


def test_the_stream_ends_with_its_fade():
    with Audio(command=DUMMY) as audio, Listener(audio) as listener:
        audio.send(setup("a"))
        audio.send(Fade(10 * BLOCK, 10 * BLOCK))
        until(lambda: audio.over)
        assert audio.state is AudioState.ENDED
        until(lambda: audio.pipe.waiting() == 0)
    assert len(listener.sound) == 20 * BLOCK


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


def test_where_no_more_threads_are_allowed_no_process_is_left_behind(monkeypatch):
    begun: list[int] = []

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def popen(*arguments, **options):
        process = start_bound(*arguments, **options)
        begun.append(process.pid)
        return process

    start_bound(["true"]).wait()
    monkeypatch.setattr("engine.processes.child.start_bound", popen)
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(OSError, match="no thread"):
        Child("audio", DUMMY, TO_SOUND, FROM_SOUND, lambda child, message: None)
    with pytest.raises(ProcessLookupError):
        os.kill(begun[0], 0)
