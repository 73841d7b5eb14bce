"""A mind in a process of its own, killed and stopped in mid-performance; the sound is pretended, so time leaps."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.events import BarSealed, Event, ProcessDied, SteppedDown, SteppedUp
from engine.installation.keeper.mind.messages import Play
from engine.installation.keeper.mind.mind_host import KEPT_PATIENCE, MindHost
from engine.installation.keeper.mind.mind_slot import LIMITS
from engine.processes.supervision import Limits
from engine.runtime.performance.messages import Begin, SoundProgress, ToStage
from engine.runtime.performance.reporting import reporter
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import Notes, Setup

SCENE = """
perpetuum: 1
title: Kept
seed: 3
tempo: 120 qpm
key: D dorian
parts:
  pad: {generator: chord_walk, instrument: warm_pad}
  lead: {generator: {kind: melody_rules, chords: pad}, instrument: glass_bell}
  kit: {generator: {kind: drum_rules, style: straight}, instrument: studio_kit}
sections:
  a: {bars: 4 bars, parts: [pad, lead, kit], move: {pad.level: -20 dB -> -8 dB}}
  b: {bars: 3 bars, parts: [pad, lead]}
"""

LEAD = 6 * SAMPLE_RATE
STEP = SAMPLE_RATE // 2


class Hall:
    """Plays a scene with a sound that is only counted, and keeps what it was told."""

    def __init__(self, scene: Path, play: Play | None = None, limits: Limits = LIMITS, **more) -> None:
        self.told: list[ToStage] = []
        self.events: list[Event] = []
        self.made = 0
        publish = self.events.append
        play = play or Play(str(scene), 3, LEAD)
        self.host = MindHost(play, self.told.append, publish, reporter(publish), limits=limits, **more)
        self.host.start()

    def __enter__(self) -> Hall:
        return self

    def __exit__(self, *_: object) -> None:
        self.host.close()

    def until(self, condition, seconds: float = 60.0) -> None:
        """Let real time pass while the sound stands still."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.events[-3:]
            self.host.look(0.05)

    def begin(self) -> None:
        self.until(lambda: any(isinstance(message, Begin) for message in self.told))

    def play(self, frame: int) -> None:
        """Let the sound come to a frame, step by step; a mind that is there seals what is due at each."""
        while self.made < frame:
            self.made += STEP
            self.host.hear(SoundProgress(self.made, self.made, over=False))
            self.until(lambda: self.host.bars.until >= self.made + LEAD)

    def leap(self, frames: int) -> None:
        """Let the sound go on whether anybody decides or not."""
        for _ in range(frames // STEP):
            self.made += STEP
            self.host.hear(SoundProgress(self.made, self.made, over=False))
            self.host.look(0.0)

    def notes(self, until: int) -> set[tuple[str, int, int, int, int]]:
        """All notes that begin before a frame; none may be there twice."""
        found = [
            (message.part, *(int(value) for value in row))
            for message in self.told
            if isinstance(message, Notes)
            for row in message.notes.tolist()
        ]
        assert len(found) == len(set(found))
        return {note for note in found if note[1] < until}


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "scene.yaml"
    path.write_text(SCENE)
    return path


END = 40 * SAMPLE_RATE


@pytest.fixture(scope="module")
def undisturbed(scene):
    with Hall(scene) as hall:
        hall.begin()
        hall.play(END)
        return hall.notes(END)


def begins(message) -> bool:
    return isinstance(message, Begin)


def test_nothing_sounds_before_the_journal_has_what_it_begins_with(scene):
    recorded, asked, answers = [], [], [False]

    def kept():
        asked.append(len(recorded))
        return lambda: answers[0]

    with Hall(scene, record=recorded.append, kept=kept, clock=lambda: 0.0) as hall:
        hall.until(lambda: asked)
        for _ in range(5):
            hall.host.look(0.0)
        assert asked == [len(recorded)]  # its decision was recorded before
        assert not any(map(begins, hall.told))
        assert any(isinstance(one, Setup) for one in hall.told)
        answers[0] = True
        hall.host.look(0.0)
        assert begins(hall.told[-1])


def test_a_journal_that_keeps_nothing_holds_the_sound_up_for_a_second_at_most(scene):
    now = [0.0]
    asked = []

    def kept():
        asked.append(now[0])
        return lambda: False

    with Hall(scene, kept=kept, clock=lambda: now[0]) as hall:
        hall.until(lambda: asked)
        now[0] += KEPT_PATIENCE - 0.01
        hall.host.look(0.0)
        assert not any(map(begins, hall.told))
        now[0] += 0.02
        hall.host.look(0.0)
        assert any(map(begins, hall.told))


def test_a_mind_that_is_killed_again_and_again_plays_the_very_same_notes(scene, undisturbed):
    with Hall(scene) as hall:
        hall.begin()
        for number, frame in enumerate((5 * SAMPLE_RATE, 14 * SAMPLE_RATE, 27 * SAMPLE_RATE)):
            hall.play(frame)
            killed = hall.host.pid
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            hall.until(lambda count=number: sum(isinstance(one, ProcessDied) for one in hall.events) > count)
        hall.play(END)
        assert hall.notes(END) == undisturbed
        assert not [one for one in hall.events if isinstance(one, SteppedDown)]
        bars = [one.bar for one in hall.events if isinstance(one, BarSealed)]
        assert bars == list(range(len(bars)))  # each is told once
        assert sum(isinstance(message, Setup) for message in hall.told) == 1


def test_a_mind_that_is_worn_gives_way_at_a_section_line_to_one_that_waits_and_the_notes_are_the_same(
    scene, undisturbed
):
    with Hall(scene, limits=replace(LIMITS, lifetime=0.0)) as hall:
        hall.begin()
        hall.play(SAMPLE_RATE)
        worn, slot = hall.host.pid, hall.host._slot
        hall.until(lambda: slot._warm is not None and slot._warm.ready)
        sealed = len([one for one in hall.events if isinstance(one, BarSealed)])
        waits = slot._warm
        assert waits is not None
        hall.until(lambda: hall.host.bars.until > hall.made)
        assert hall.host.pid == worn  # in the midst of a section it stays
        hall.play(END)
        assert hall.host.pid == waits._child.process.pid
        assert hall.notes(END) == undisturbed
        assert not [one for one in hall.events if isinstance(one, ProcessDied | SteppedDown)]
        bars = [one.bar for one in hall.events if isinstance(one, BarSealed)]
        assert bars == list(range(len(bars)))
        assert len(bars) > sealed


def test_a_mind_that_is_stopped_is_found_within_a_second(scene, undisturbed):
    with Hall(scene) as hall:
        hall.begin()
        hall.play(8 * SAMPLE_RATE)
        assert hall.host.pid is not None
        os.kill(hall.host.pid, signal.SIGSTOP)
        hall.until(lambda: any(isinstance(one, ProcessDied) for one in hall.events))
        [died] = [one for one in hall.events if isinstance(one, ProcessDied)]
        assert "it was stopped for 0.5 s" in died.reason  # and not found by its silence, which takes 2.5 s
        hall.play(END)
        assert hall.notes(END) == undisturbed


def test_while_there_is_no_mind_the_last_bars_sound_once_more_and_music_goes_on_where_it_would_be(scene):
    with Hall(scene) as hall:
        hall.begin()
        hall.play(20 * SAMPLE_RATE)
        known = hall.host.bars.until
        assert hall.host.pid is not None
        os.kill(hall.host.pid, signal.SIGKILL)
        hall.leap(20 * SAMPLE_RATE)
        assert hall.host.bars.repeating
        repeated_until = hall.host.bars.until
        assert known < hall.made < repeated_until
        repeats = [note for note in hall.notes(repeated_until) if note[1] >= known]
        assert len(repeats) > 20
        down = [one for one in hall.events if isinstance(one, SteppedDown)]
        assert [(one.part, one.rung) for one in down] == [("", "mind")]
        hall.until(lambda: not hall.host.bars.repeating)
        back = next(one for one in reversed(hall.events) if isinstance(one, SteppedUp))
        assert back.rung == "mind"
        sealed = [one for one in hall.events if isinstance(one, BarSealed)]
        starts = {one.bar: one.start for one in sealed}
        # 120 qpm: a bar lasts 2 s, so the bar's number says that musical time went on.
        assert starts[back.bar] == back.bar * 2 * SAMPLE_RATE
        assert starts[back.bar] >= repeated_until - 2 * SAMPLE_RATE
        on = np.sort([note[1] for note in hall.notes(hall.host.bars.until)])
        assert np.diff(on).max() <= 2 * SAMPLE_RATE  # nowhere a gap


def test_a_mind_goes_on_with_what_another_keeper_kept(scene, undisturbed):
    with Hall(scene) as hall:
        hall.begin()
        hall.play(10 * SAMPLE_RATE)
        play, until = hall.host.play, hall.host.bars.until
    with Hall(scene, play) as hall:
        hall.made = 10 * SAMPLE_RATE
        hall.play(END)
        assert hall.notes(END) == {note for note in undisturbed if note[1] >= until}


def test_an_edited_scene_takes_over_when_the_mind_comes_back(scene, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text(SCENE)
    with Hall(mine) as hall:
        hall.begin()
        hall.play(6 * SAMPLE_RATE)
        mine.write_text(SCENE.replace("warm_pad", "round_bass").replace("qpm", "qpm"))
        assert hall.host.pid is not None
        os.kill(hall.host.pid, signal.SIGKILL)
        hall.until(lambda: any(isinstance(one, ProcessDied) for one in hall.events))
        hall.play(20 * SAMPLE_RATE)
        setups = [message for message in hall.told if isinstance(message, Setup)]
        assert len(setups) == 2
        assert setups[1].start_frame > 6 * SAMPLE_RATE
        assert not hall.host.bars.repeating
