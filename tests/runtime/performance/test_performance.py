"""A performance is an object: it is started, commanded, looked at, listened to and stopped."""

import socket
import subprocess
import sys
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.events import BarSealed, Commanded, ProcessDied, ProcessStarted, SceneRefused, SceneTookOver, SectionBegan
from engine.form.scene import Scene
from engine.outputs.files.sound_file import SoundFileOutput
from engine.outputs.null import NullOutput
from engine.processes.reports import Relay
from engine.runtime.audio import Audio
from engine.runtime.audio.reports import log_audio_report
from engine.runtime.codecs import COMMANDS, FROM_STAGE, TO_STAGE
from engine.runtime.ending import Ending, setup_of
from engine.runtime.performance.commands import (
    Alarm,
    ChangeScene,
    GoToSection,
    Mute,
    MutePart,
    Reseed,
    SetControl,
    SetGain,
    Solo,
    Stop,
    When,
)
from engine.runtime.performance.course import Course
from engine.runtime.performance.links import SocketLink, pair_of_links
from engine.runtime.performance.messages import GraphRefused
from engine.runtime.performance.mind.mind import Mind
from engine.runtime.performance.performance import Performance
from engine.runtime.performance.reporting import reporter
from engine.runtime.performance.stage import OfflineStage
from engine.runtime.render import render
from engine.runtime.workers.workers import Workers
from engine.scenes import load
from tests.runtime.sound import DUMMY, until

SCENE = """
perpetuum: 1
title: {title}
seed: 5
tempo: 200 qpm
meter: 2/4
key: C
parts:
  pad: {{generator: chord_walk, instrument: warm_pad}}
  lead:
    generator: {{kind: melody_rules, chords: pad, density: 40 %}}
    phrase: 2 bars
    instrument: soft_lead
    level: -12 dB
sections:
  first: {{bars: 8 bars, parts: [pad, lead], move: {{lead.level: -30 dB -> -10 dB}}}}
  second: {{bars: 4 bars, parts: [pad, lead]}}
"""


def scene_at(path: Path, title: str = "Test") -> Scene:
    path.write_text(SCENE.format(title=title))
    scene, problems = load(path)
    assert scene is not None, problems
    return scene


class Listening:
    """A performance with a stand-in for the audio process, and all that it told."""

    def __init__(self, scene: Scene, stack: ExitStack) -> None:
        self.bars: list[BarSealed] = []
        self.events: list[object] = []
        self.output = NullOutput()
        relay = Relay(log_audio_report)
        self.audio = stack.enter_context(Audio(command=DUMMY, report=relay))
        workers = stack.enter_context(Workers(report=relay))
        self.performance = Performance(scene, Course(5), self.audio, workers, self._load)
        relay.to = reporter(self.performance.bus.publish)
        told = (SectionBegan, SceneTookOver, SceneRefused, Commanded, ProcessDied, ProcessStarted)
        self.performance.subscribe(BarSealed, self.bars.append)
        self.performance.subscribe(told, self.events.append)
        self.performance.prepare()
        self.performance.start(self.output)
        stack.callback(self.performance.stop)

    @staticmethod
    def _load(path: Path) -> Scene:
        scene, problems = load(path)
        if scene is None:
            raise ValueError(problems[0].message)
        return scene

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def after(self, command: object) -> list[BarSealed]:
        """Give a command, and wait for bars that it decides."""
        done = len(self.of(Commanded))
        self.performance.submit(command)  # type: ignore[arg-type]
        until(lambda: len(self.of(Commanded)) > done)
        first = self.of(Commanded)[-1].bar
        until(lambda: self.bars[-1].bar >= first + 4)
        return [bar for bar in self.bars if bar.bar >= first]


@pytest.fixture
def playing(tmp_path):
    with ExitStack() as stack:
        listening = Listening(scene_at(tmp_path / "scene.yaml"), stack)
        until(lambda: listening.bars)
        yield listening


def heard(bar: BarSealed) -> set[str]:
    return {one.part for one in bar.parts if one.heard}


def test_it_plays_tells_and_is_looked_at_and_stops_within_its_fade(playing):
    until(lambda: playing.audio.heard > 24_000)
    shot = playing.performance.snapshot()
    assert (shot.title, shot.seed, shot.parts, shot.solo, shot.muted) == ("Test", 5, ("pad", "lead"), None, ())
    assert shot.made >= shot.heard > 0
    assert [bar.bar for bar in playing.bars] == list(range(len(playing.bars)))
    assert playing.of(SectionBegan)[0] == SectionBegan(0, "first", 0, (200.0,) * 8, "C major")
    playing.performance.stop(0.2)
    assert playing.performance.over


def test_solo_lets_one_part_be_heard_and_takes_it_back(playing):
    assert {frozenset(heard(bar)) for bar in playing.after(Solo("lead"))} == {frozenset({"lead"})}
    assert {frozenset(heard(bar)) for bar in playing.after(Solo(None))} == {frozenset({"lead", "pad"})}


def test_a_held_level_stands_still_where_the_section_would_move_it_and_needs_no_other_graph(playing):
    bars = playing.after(SetControl("lead", "level", "-21 dB"))
    mind = playing.performance._mind
    assert mind.conductor.scene.parts["lead"].sound.level == -21
    assert not [move for section in mind.conductor.scene.sections.values() for move in section.moves]
    assert len(bars) >= 4
    assert not playing.audio.changing
    playing.after(SetControl("lead", "level", None))
    assert [move for section in mind.conductor.scene.sections.values() for move in section.moves]


def test_a_part_is_muted_by_its_level_and_comes_back(playing):
    playing.after(MutePart("pad", True))
    assert playing.performance._mind.conductor.scene.parts["pad"].sound.level == -np.inf
    assert playing.performance.snapshot().muted == ("pad",)
    playing.after(MutePart("pad", False))
    assert playing.performance._mind.conductor.scene.parts["pad"].sound.level == 0


def test_it_goes_to_a_section_at_the_end_of_the_one_that_runs_or_at_once(playing):
    bars = playing.after(GoToSection("first", When.BAR))
    assert (bars[0].section, bars[0].pass_index) == ("first", bars[0].pass_index)
    passes = {bar.pass_index for bar in playing.bars}
    bars = playing.after(GoToSection("second"))
    until(lambda: playing.bars[-1].section == "second")
    later = [event for event in playing.of(SectionBegan) if event.pass_index > max(passes)]
    begun = next(event for event in later if event.section == "second")  # the one after it may have begun, too
    before = [event for event in playing.of(SectionBegan) if event.pass_index == begun.pass_index - 1]
    assert before[0].end_bar == begun.first_bar
    assert begun.pass_index > max(passes)


def test_another_seed_decides_from_the_next_bar_on(playing):
    playing.after(Reseed(77))
    assert playing.performance.snapshot().seed == 77


def test_what_cannot_be_done_changes_nothing(playing, caplog):
    for command in (
        GoToSection("third"),
        Solo("nobody"),
        SetControl("lead", "loudness", 3),
        SetControl("pad", "level", "loud"),
    ):
        playing.performance.submit(command)
    until(lambda: len(caplog.records) >= 4)
    assert "there is no section 'third'" in caplog.text
    assert "pad.level cannot be 'loud'" in caplog.text
    begun = len(playing.bars)
    until(lambda: len(playing.bars) > begun + 2)
    assert not playing.of(Commanded)


def test_a_scene_takes_over_at_a_section_line_and_a_bad_one_is_refused_in_words(playing, tmp_path):
    scene_at(tmp_path / "other.yaml", "Other")
    playing.performance.submit(ChangeScene(str(tmp_path / "other.yaml"), When.SECTION))
    until(lambda: playing.of(SceneTookOver))
    [took] = playing.of(SceneTookOver)
    assert took.title == "Other"
    until(lambda: playing.bars[-1].bar >= took.bar)
    assert playing.performance.bus.flush()  # bars and sections are told in threads of their own
    assert took.bar in {event.first_bar for event in playing.of(SectionBegan)}
    (tmp_path / "bad.yaml").write_text("perpetuum: 1\n")
    playing.performance.submit(ChangeScene(str(tmp_path / "bad.yaml")))
    playing.performance.submit(ChangeScene(str(tmp_path / "nowhere.yaml")))
    until(lambda: len(playing.of(SceneRefused)) == 2)
    assert playing.performance.snapshot().title == "Other"


def test_after_a_rest_nothing_begins_for_two_bars(playing, tmp_path):
    scene_at(tmp_path / "other.yaml", "Other")
    playing.performance.submit(ChangeScene(str(tmp_path / "other.yaml"), When.REST))
    until(lambda: playing.of(SceneTookOver))
    [took] = playing.of(SceneTookOver)
    until(lambda: playing.bars[-1].bar >= took.bar)
    assert {took.bar - 1, took.bar - 2}.isdisjoint(bar.bar for bar in playing.bars)


def test_mute_and_gain_act_behind_the_pipe_and_the_music_goes_on(playing):
    pump = playing.performance._stage._pump
    playing.performance.submit(Mute(True))
    until(lambda: pump.gain.muted)
    playing.performance.submit(Mute(False))
    until(lambda: not pump.gain.muted)
    playing.performance.submit(SetGain(-20.0, 0.0))
    until(lambda: abs(pump.gain.level - 0.1) < 1e-3)
    frame = playing.audio.heard
    until(lambda: playing.audio.heard > frame + 24_000)


def test_a_process_that_dies_is_an_event(playing):
    import os
    import signal

    until(lambda: playing.audio.heard > 0)
    pid = playing.audio.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: [event for event in playing.of(ProcessDied) if event.process == "audio"])
    until(lambda: [event for event in playing.of(ProcessStarted) if event.process == "audio"])


@pytest.mark.parametrize(
    "command",
    [
        Stop(1.5), Mute(True), Alarm(False), SetGain(-6.0), Solo(None), MutePart("pad", True), Reseed(2**62),
        SetControl("pad", "level", "-3 dB"), SetControl("pad", "density", None), GoToSection("a", When.BAR),
        ChangeScene("/x.yaml", When.REST),
    ],
)  # fmt: skip
def test_every_command_travels(command):
    assert COMMANDS.decode(COMMANDS.encode(command)) == command


@pytest.mark.models
def test_stage_and_mind_in_two_processes_play_the_samples_of_one(tmp_path):
    """Over a socket, with a real worker under the mind and real sound under the stage."""
    path = tmp_path / "scene.yaml"
    scene = scene_at(path)
    alone = tmp_path / "alone.wav"
    render(scene, 9, alone, lambda plan: Ending.after_bars(plan, 10))
    frames = soundfile.info(str(alone)).frames
    ours, theirs = socket.socketpair()
    root = Path(__file__).parents[3]
    command = [
        sys.executable,
        "-m",
        "tests.runtime.performance.mind_process",
        str(path),
        "9",
        "10",
        str(theirs.fileno()),
    ]
    apart = tmp_path / "apart.wav"
    with ExitStack() as stack:
        mind = stack.enter_context(subprocess.Popen(command, cwd=root, pass_fds=(theirs.fileno(),)))
        theirs.close()
        link = SocketLink(Connection(ours.detach()), FROM_STAGE, TO_STAGE)
        writer = stack.enter_context(SoundFileOutput(apart, frames))
        audio = stack.enter_context(Audio(live=False))
        stage = stack.enter_context(OfflineStage(audio, frames, writer.write, link))
        assert mind.wait(60) == 0
        stage.finish()
    np.testing.assert_array_equal(soundfile.read(apart)[0], soundfile.read(alone)[0])


def test_a_refused_graph_waits_until_the_conductor_has_done_its_step(tmp_path):
    """The clock takes in what the stage tells in the midst of a step; the scene changes between two."""
    told: list[object] = []
    to_stage, to_mind = pair_of_links()
    scene = scene_at(tmp_path / "scene.yaml")
    with Workers() as workers:
        mind = Mind(scene, Course(5), workers, to_stage, told.append)
        to_mind.send(GraphRefused(setup_of(scene, 5, live=True), "it does not build"))
        assert mind._made() == 0
        assert not [event for event in told if isinstance(event, SceneRefused)]
        mind._look()
        assert [event.reason for event in told if isinstance(event, SceneRefused)] == ["it does not build"]
