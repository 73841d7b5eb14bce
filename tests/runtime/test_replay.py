"""What graphs were told makes their sound again: the same samples from their first frame on, the same music sooner."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.events import Commanded, Event, GainMoved, GraphBegan, ProcessDied, SceneTookOver, ToldLate
from engine.events.vocabulary import PhraseDecided
from engine.outputs.files.sound_file import SoundFileOutput
from engine.outputs.opening import OutputChoice, open_outputs
from engine.processes.reports import Relay
from engine.runtime.audio import Audio
from engine.runtime.audio.reports import log_audio_report
from engine.runtime.codecs import EVENTS
from engine.runtime.performance.commands import Mute, SetControl, SetGain
from engine.runtime.performance.course import Course
from engine.runtime.performance.performance import Performance
from engine.runtime.performance.reporting import reporter
from engine.runtime.replay.as_heard import AsHeard
from engine.runtime.replay.course import GraphCourse, courses_of
from engine.runtime.replay.sounding import _known_before, _superseded, audible, replay
from engine.runtime.workers.workers import Workers
from engine.scenes import load
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import (
    BLOCK,
    NEVER,
    NOTE_EVENT,
    TO_SOUND,
    ChangeInstrument,
    Notes,
    PartSound,
    Quit,
    Release,
    Setup,
    TakenLate,
)
from tests.proofs import takeover
from tests.runtime.sound import until
from tests.sound.rendering import AudioProcess

SCENE = """
perpetuum: 1
title: To be played again
seed: 5
tempo: 160 qpm
meter: 2/4
key: D dorian
parts:
  pad: {generator: chord_walk, instrument: warm_pad, level: -10 dB, sends: {reverb: -12 dB}}
  lead:
    generator: {kind: melody_rnn, chords: pad}
    phrase: 2 bars
    instrument: glass_bell
    level: -12 dB
    sends: {delay: -9 dB}
sections:
  all: {bars: 8 bars, parts: [pad, lead], move: {pad.level: -14 dB -> -8 dB}}
"""


@dataclass
class Heard:
    """A performance to which things happened.

    Attributes:
        events: all that it told, as they came out of the codec.
        file: what its output took.
    """

    events: list[Event]
    file: Path

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def sound(self) -> np.ndarray:
        return soundfile.read(self.file, dtype="int32")[0]


@contextmanager
def performance(folder: Path, events: list[Event]) -> Iterator[tuple[Performance, Audio, Workers]]:
    (folder / "scene.yaml").write_text(SCENE)
    scene, problems = load(folder / "scene.yaml")
    assert scene is not None, problems
    reports = Relay(log_audio_report)
    with ExitStack() as stack:
        audio = stack.enter_context(Audio(report=reports))
        workers = stack.enter_context(Workers(report=reports))
        played = Performance(scene, Course(5), audio, workers)
        reports.to = reporter(played.bus.publish)
        played.subscribe(
            Event.__args__, lambda event: events.append(EVENTS.decode(EVENTS.encode(event))), lossless=True
        )
        played.prepare()
        choices = [OutputChoice.parse("null"), OutputChoice.parse(f"wav:{folder / 'heard.wav'}")]
        sink = stack.enter_context(open_outputs(choices, report=played.bus.publish))
        stack.callback(played.stop)
        played.start(sink)
        yield played, audio, workers
        played.stop(0.3)


@pytest.fixture(scope="module")
def heard(tmp_path_factory) -> Heard:
    """One death of the audio process, one phrase that came too late, one edit that needs another graph, and hands."""
    folder = tmp_path_factory.mktemp("heard")
    events: list[Event] = []
    with performance(folder, events) as (played, audio, workers):

        def wait(frame: float) -> None:
            until(lambda: played.snapshot().heard >= frame * SAMPLE_RATE, 60)

        until(lambda: audio.spare_pid is not None and played.snapshot().heard > 0, 60)
        for pid in workers.pids:
            if pid is not None:
                os.kill(pid, signal.SIGSTOP)  # whatever it makes comes too late
        assert audio.pid is not None
        os.kill(audio.pid, signal.SIGKILL)
        played.submit(SetControl("lead", "level", "-6 dB"))
        died = played.snapshot().heard / SAMPLE_RATE
        until(lambda: any(isinstance(event, GraphBegan) and event.graph == 1 for event in events), 60)
        scene, problems = load(_edited(folder))
        assert scene is not None, problems
        played.play_next(scene)
        until(lambda: any(isinstance(event, GraphBegan) and event.graph == 2 for event in events), 60)
        changed = next(event for event in events if isinstance(event, GraphBegan) and event.graph == 2)
        played.submit(SetGain(-6.0, 0.4))
        wait(max(died + 2, changed.frame / SAMPLE_RATE + 0.5))
        played.submit(Mute(True))
        wait(changed.frame / SAMPLE_RATE + 1.0)
        played.submit(Mute(False))
        until(lambda: any(isinstance(e, PhraseDecided) and e.part == "lead" and e.reason for e in events), 60)
        wait(changed.frame / SAMPLE_RATE + 2.0)
    return Heard(events, folder / "heard.wav")


def _edited(folder: Path) -> Path:
    path = folder / "edited.yaml"
    path.write_text(SCENE.replace("instrument: glass_bell", "instrument: soft_lead"))
    return path


def again(courses: Sequence[GraphCourse], first: int, end: int, exact: bool, sink: Callable[[np.ndarray], object]):
    wanted = audible(courses, first, end, exact)
    replay(wanted, first, end, sink)
    return wanted


@pytest.mark.models
def test_what_was_heard_comes_again_sample_for_sample(heard, tmp_path):
    """A killed audio process, a phrase by the stand-in, an edit with a new graph, a level, a mute and the last fade."""
    assert len(heard.of(GraphBegan)) >= 3
    assert any(event.process == "audio" for event in heard.of(ProcessDied))
    assert heard.of(SceneTookOver)
    assert next(event.command for event in heard.of(Commanded)) == "SetControl"
    assert {event.gain for event in heard.of(GainMoved)} == {"level", "mute", "fade"}
    expected = heard.sound
    frames = len(expected)
    with SoundFileOutput(tmp_path / "again.wav", frames) as file:
        as_heard = AsHeard(heard.of(GainMoved), 0, file.write)
        again(courses_of(heard.events), 0, frames, True, as_heard.take)
    found = soundfile.read(tmp_path / "again.wav", dtype="int32")[0]
    assert len(found) == frames
    different = np.flatnonzero((found != expected).any(axis=1))
    assert len(different) == 0, f"{len(different)} of {frames} frames from {different[:1]} on"


def test_a_graph_that_begins_a_little_earlier_meets_the_bar_of_a_take_over(tmp_path, monkeypatch):
    """The same levels as from the first frame on: 1.5 dB in the median, 3 dB in nineteen of twenty windows."""
    monkeypatch.setattr("engine.runtime.replay.course.EARLIER", 4 * SAMPLE_RATE)
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE.replace("{kind: melody_rnn, chords: pad}", "melody_rules"))
    music = takeover.performance(path, 5, 11.0)
    first, end = 7 * SAMPLE_RATE, 10 * SAMPLE_RATE
    render = takeover.rendered(music)[first:end]
    course = GraphCourse(0, 0, 0, (music.live, *music.messages), {})
    assert course.begun_at(first).start == 3 * SAMPLE_RATE // 256 * 256
    sound = takeover.replayed(music, first, end)
    found = takeover.differences(sound, render, 0, end - first)
    assert len(found) == 30
    assert np.median(found) < 1.5
    assert np.percentile(found, 95) < 3.0


SAMPLER = """perpetuum: 1
kind: sampler
title: t
samples: [{file: s.wav, pitch: C4}]
"""


def sampled(folder):
    """Files of two instruments."""
    files = []
    for name, hertz in (("first", 300.0), ("next", 500.0)):
        (folder / name).mkdir()
        wave = 0.3 * np.sin(np.arange(480_000) * 2 * np.pi * hertz / 48_000)
        soundfile.write(folder / name / "s.wav", wave, 48_000)
        (folder / name / "instrument.yaml").write_text(SAMPLER)
        files.append(str(folder / name / "instrument.yaml"))
    return files


def test_an_instrument_that_came_in_comes_in_at_the_same_frame(tmp_path):
    """However fast its sound is made again: what is read from the disk meanwhile is waited for."""
    files = sampled(tmp_path)
    notes = np.array([(on, on + 3_000, 60, 90) for on in range(0, 48_000, 4_000)], NOTE_EVENT)
    setup = Setup((PartSound("tune", files[0], -6.0, stand_in=files[0]),), seed=1)

    def rendered(change):
        found = []
        course = GraphCourse(0, 0, 0, (setup, change, Notes("tune", notes)), {})
        again([course], 0, 48_000 // BLOCK * BLOCK, True, found.append)
        return np.concatenate(found)

    change = ChangeInstrument("tune", files[1], 2 * BLOCK)
    assert np.array_equal(rendered(change), rendered(replace(change, wait=True)))


def test_an_instrument_that_came_late_comes_as_late_in_the_replay(tmp_path):
    """It was told of when its line was over: the process says where it came in, and the journal keeps that."""
    files = sampled(tmp_path)
    notes = np.array([(on, on + 3_000, 60, 90) for on in range(0, 96_000, 4_000)], NOTE_EVENT)
    setup = Setup((PartSound("tune", files[0], -6.0, stand_in=files[0]),), free_running=False, seed=1)
    told = (setup, Notes("tune", notes), ChangeInstrument("tune", files[1], 40 * BLOCK))
    end = 300 * BLOCK
    audio = AudioProcess()
    for message in (*told[:2], Release(60 * BLOCK)):
        audio.send(message)
    heard = [audio.read(60 * BLOCK)]
    audio.send(told[2])
    for block in range(61, end // BLOCK + 1):
        audio.send(Release(block * BLOCK))
        heard.append(audio.read(BLOCK))
    audio.send(Quit())
    audio.finish()
    late = [one for one in audio.messages if isinstance(one, TakenLate)]
    assert {one.number for one in late} == {2}
    assert 60 * BLOCK <= late[-1].frame < end  # whenever it was built
    began = GraphBegan(0, 0, 0, 0, tuple(map(TO_SOUND.encode, told)))
    [course] = courses_of([began, *(ToldLate(0, one.number, one.frame) for one in late)])
    found = []
    again([course], 0, end, True, found.append)
    assert np.array_equal(np.concatenate(found), np.concatenate(heard))


def test_an_instrument_that_was_never_there_is_none_in_the_replay():
    setup = Setup((PartSound("tune", "/a", -6.0, stand_in="/a"),), seed=1)
    changes = [ChangeInstrument("tune", file, 96_000 * line) for line, file in enumerate("bc", 1)]
    began = GraphBegan(0, 0, 0, 0, tuple(map(TO_SOUND.encode, (setup, *changes))))
    [course] = courses_of([began, ToldLate(0, 1, NEVER), ToldLate(0, 2, NEVER), ToldLate(0, 2, 200_000)])
    assert [one.frame for one in course.messages[1:]] == [NEVER, 200_000]
    assert _superseded(course, _known_before(course)) == {1}


def test_a_change_that_was_called_off_before_its_line_is_none_in_the_replay():
    note = Notes("tune", np.array([(50_000, 51_000, 60, 90)], NOTE_EVENT))
    later = Notes("tune", np.array([(400_000, 410_000, 60, 90)], NOTE_EVENT))
    setup = Setup((PartSound("tune", "/a", -6.0, stand_in="/a"),), seed=1)
    messages = (
        setup,
        ChangeInstrument("tune", "/b", 100_000),
        ChangeInstrument("other", "/b", 100_000),
        note,
        ChangeInstrument("tune", "/c", 500_000),  # told while the first was still to come
        Notes("tune", note.notes),
        later,
        ChangeInstrument("other", "/c", 500_000),  # told when that of the other part had come
        later,
    )
    course = GraphCourse(0, 0, 0, messages, {})
    assert _superseded(course, _known_before(course)) == {1}
