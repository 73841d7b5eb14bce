"""The account of a journal says what the conductor did: each section, why it came, and who played."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from click.testing import CliRunner

from engine.cli import cli
from engine.events import Commanded, ProcessDied, SceneTookOver, SteppedDown
from engine.installation.history.account import account
from engine.journal.entries import SittingEnded
from engine.journal.reader import Journal
from engine.score.time import SAMPLE_RATE
from tests.conductor.stage import kinds  # noqa: F401
from tests.conductor.test_state import moving
from tests.journal.told import MORNING, Keeping, Told


@pytest.fixture
def told(kinds, tmp_path) -> Told:  # noqa: F811
    scene = moving(np.random.default_rng(5))
    keeping = Keeping(tmp_path / "journal.sqlite3")
    keeping.begin(scene.path, 5)
    keeping.turn(scene.path, 5)
    return Told(keeping, scene, 5).until(60)


def test_sections_are_those_that_the_plan_laid_out_each_with_its_bars_tempo_and_moment(told):
    plan = told.conductor.plan
    with Journal(told.keeping.path) as journal:
        (sitting,) = account(journal)
    heard = told.keeping.frame
    expected = {}
    for bar in told.bars.values():
        if bar.start < heard:
            expected.setdefault(bar.pass_index, []).append(bar)
    assert [(one.section, one.bars) for one in sitting.sections] == [
        (bars[0].section, len(bars)) for bars in expected.values()
    ]
    for section, bars in zip(sitting.sections, expected.values(), strict=True):
        assert section.qpm == bars[0].qpm
        assert section.began == pytest.approx(MORNING + bars[0].start / SAMPLE_RATE, abs=0.1)
        assert section.seed == plan.seed
        assert {part.part for part in section.parts} == {part.part for bar in bars for part in bar.parts if part.heard}
    assert len(sitting.sections) > 3


def test_each_section_says_why_it_came(told):
    with Journal(told.keeping.path) as journal:
        sections = account(journal)[0].sections
    assert sections[0].cause == "timetable: turn 1 of the programme of 2026-11-28 09:00"
    for before, one in itertools.pairwise(sections):
        if before.section == one.section:
            assert one.cause == "it follows itself"
        else:
            assert "follows" in one.cause or f"drawn after {before.section}: weight" in one.cause


def test_commands_edits_turns_and_the_ear_are_causes_and_accidents_stand_where_they_happened(kinds, tmp_path):  # noqa: F811
    scenes = (moving(np.random.default_rng(seed)) for seed in range(40))
    scene = next(scene for scene in scenes if len(scene.sections) > 1)
    keeping = Keeping(tmp_path / "journal.sqlite3")
    keeping.begin(scene.path, 5)
    keeping.turn(scene.path, 5)
    told = Told(keeping, scene, 5).until(10)
    bar = told.conductor.next_bar
    keeping.happened(Commanded("GoToSection", "verse, bar", bar))
    keeping.happened(SteppedDown("lead", bar, "networks", "its phrase was late"))
    section = next(name for name in scene.sections if name != told.bars[bar - 1].section)
    told.conductor.follow(told.conductor.plan.led_to(section, bar))
    told.until(bar + 8)
    edited = told.conductor.next_bar
    keeping.turn(scene.path, 5, 1)
    keeping.happened(SceneTookOver(edited, "Another"))
    told.until(edited + 8)
    keeping.happened(ProcessDied("audio", "killed by signal 9", 0.0))
    keeping.happened(SittingEnded("closed"))
    with Journal(keeping.path) as journal:
        (sitting,) = account(journal)
    by_bar = {}
    number = 0
    for one in sitting.sections:
        by_bar[number] = one
        number += one.bars
    assert by_bar[bar].section == section
    assert by_bar[bar].cause == "command: GoToSection verse, bar"
    assert [one.text for one in by_bar[bar].accidents] == [
        f"lead, bar {bar + 1}: networks did not play: its phrase was late"
    ]
    assert by_bar[edited].cause == "timetable: turn 2 of the programme of 2026-11-28 09:00"
    assert sitting.ending == "closed"
    assert sum(len(one.accidents) for one in sitting.sections) == 1, "what came after the last sound is of no section"


def test_history_prints_it_and_gives_it_as_json(told):
    keeping = told.keeping
    run = CliRunner().invoke(cli, ["history", "--state", str(keeping.path.parent), "--since", "2020-01-01"])
    assert run.exit_code == 0, run.output
    assert "timetable: turn 1" in run.output
    run = CliRunner().invoke(
        cli, ["history", "--state", str(keeping.path.parent), "--since", "2020-01-01", "--format", "json"]
    )
    sections = json.loads(run.stdout)["sittings"][0]["sections"]
    assert sum(one["bars"] for one in sections) >= 50
    assert all(one["parts"] and one["cause"] for one in sections)
