"""A scene that was forked plays, note for note, what was played then."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.conductor.clocks import FastClock
from engine.errors import PerpetuumError
from engine.events import BarSealed
from engine.form.scene import Scene
from engine.installation.history.fork import fork
from engine.journal.reader import Journal
from engine.runtime.performance.course import Course
from engine.runtime.performance.links import pair_of_links
from engine.runtime.performance.mind.beginning import beginning_of
from engine.runtime.performance.mind.mind import Mind
from engine.runtime.workers.workers import Workers
from engine.scenes import load
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import Notes, Setup
from tests.journal.told import MORNING, Keeping, Told

SCENE = """
perpetuum: 1
title: Told
tempo: 100..120 qpm
meter: 3/4
key: D dorian
seed: 8
parts:
  pad: {generator: chord_walk, instrument: warm_pad}
  lead: {generator: {kind: melody_rules, chords: pad}, phrase: 2 bars, instrument: soft_lead}
sections:
  first: {bars: 4 bars, parts: [pad, lead], move: {lead.level: -20 dB -> -8 dB}, next: {second: 2, first: 1}}
  second: {bars: 6 bars, parts: [pad, lead]}
"""


@pytest.fixture
def told(tmp_path) -> Told:
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE)
    scene, problems = load(path)
    assert scene is not None, problems
    keeping = Keeping(tmp_path / "journal.sqlite3")
    keeping.begin(path, 5)
    keeping.turn(path, 5)
    return Told(keeping, scene, 5).until(50)


def decided_by(scene: Scene, bars: int) -> tuple[list[Notes], list[BarSealed], Setup]:
    """What the sound is told of a scene, bar by bar, and no clock waits."""
    begin = beginning_of(scene)
    assert begin is not None
    to_stage, to_mind = pair_of_links()
    events: list[object] = []
    with Workers() as workers:
        course = Course(begin.conductor.seed, live=False, begin=begin)
        mind = Mind(scene, course, workers, to_stage, events.append)
        mind.prepare()
        first = mind.conductor.next_bar
        assert isinstance(mind._clock, FastClock)
        mind.conductor.run(first + bars)
    sent = to_mind.receive(0.0)
    setup = next(one for one in sent if isinstance(one, Setup))
    return [one for one in sent if isinstance(one, Notes)], [e for e in events if isinstance(e, BarSealed)], setup


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_what_it_plays_first_is_what_was_played_then(told, tmp_path, seconds):
    moment = 40.0
    (tmp_path / "elsewhere").mkdir()
    with Journal(told.keeping.path) as journal:
        made = fork(
            journal, datetime.fromtimestamp(MORNING + moment, UTC), seconds, UTC, tmp_path / "elsewhere" / "new.yaml"
        )
        sitting = journal.sittings()[0].number
        heard = next(iter(journal.bars(sitting, round(moment * SAMPLE_RATE), round(moment * SAMPLE_RATE) + 1)))
        passing = [bar for bar in told.bars.values() if bar.pass_index == heard.body.pass_index]
        begins = passing[0]
        expected = list(journal.bars(sitting, begins.start, 1 << 40))[:12]
    assert made.same
    assert made.section == heard.body.section
    assert made.wall == pytest.approx(MORNING + begins.start / SAMPLE_RATE, abs=0.1)
    scene, problems = load(made.scene)
    assert scene is not None, problems
    notes, bars, setup = decided_by(scene, 12)
    assert setup.start_frame == 0
    assert [(one.bar, one.start, one.end, one.section) for one in bars] == [
        (one.bar, one.start - begins.start, one.end - begins.start, one.body.section) for one in expected
    ]
    found = sorted((one.part, *row) for one in notes for row in one.notes.tolist() if (row[0], row[1]) != (0, 0))
    wanted = sorted(
        (one.part, on - begins.start, off - begins.start, pitch, velocity)
        for bar in expected
        for one in bar.notes
        for on, off, pitch, velocity in one.notes.tolist()
    )
    ringing = [note for note in found if note not in wanted]
    assert all(note[1] == 0 for note in ringing), "only what rang on at the bar line is struck again"
    assert [note for note in found if note in wanted] == wanted


def test_an_edited_fork_begins_there_all_the_same(told, tmp_path):
    with Journal(told.keeping.path) as journal:
        made = fork(journal, datetime.fromtimestamp(MORNING + 40, UTC), 60.0, UTC, tmp_path / "new.yaml")
    made.scene.write_text(
        made.scene.read_text().replace("6 bars", "7 bars").replace("lead.level: -20", "lead.level: -24")
    )
    scene, problems = load(made.scene)
    assert scene is not None, problems
    _, bars, _ = decided_by(scene, 4)
    assert (bars[0].start, bars[0].section) == (0, made.section)


def test_where_nothing_was_heard_no_scene_is_made(told, tmp_path):
    with Journal(told.keeping.path) as journal, pytest.raises(PerpetuumError, match="nothing was heard"):
        fork(journal, datetime.fromtimestamp(MORNING + 86400, UTC), 60.0, UTC, tmp_path / "new.yaml")
    assert not (tmp_path / "new.yaml").exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"conductor": 3}', "\x00", "{" * 5000])
def test_a_beginning_that_is_none_is_said_where_it_is_named(tmp_path, text):
    (tmp_path / "broken.json").write_text(text)
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE + "begin: broken.json\n")
    scene, problems = load(path)
    assert scene is None
    assert any("beginning" in one.message and one.line == len(SCENE.splitlines()) + 1 for one in problems)


def test_a_beginning_that_is_not_there_is_said(tmp_path):
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE + "begin: nowhere.json\n")
    scene, problems = load(path)
    assert scene is None
    assert any("cannot be read" in one.message for one in problems)
