"""A real `perpetuum run`: its recording is what `replay` makes of its journal; `history` and `report` tell of it."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from engine.cli import cli
from engine.errors import PerpetuumError
from engine.events import GraphBegan
from engine.installation.history.passage import JournalPassage, find_passage, render_passage
from engine.installation.hours.walltime import zone_of_the_machine
from engine.journal.reader import Journal
from engine.score.time import SAMPLE_RATE
from tests.installation.keeper.test_run import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """It is muted and comes back, and its audio process is killed once."""
    found = Run(tmp_path_factory.mktemp("run"), "heard.wav")
    try:
        found.sounds()
        found.until(lambda: found.status["taken"] > 2 * SAMPLE_RATE)
        control("control", str(found.file), "mute")
        with Journal(found.state / "journal.sqlite3") as journal:
            found.until(lambda: len(list(journal.happenings(kinds=[GraphBegan.__name__]))) == 1)
        audio = [pid for pid in found.children() if b"engine.sound.process" in command_of(pid)]
        for pid in audio:  # the one that is heard, and its spare
            os.kill(pid, signal.SIGKILL)
        control("control", str(found.file), "unmute")
        taken = found.status["taken"]
        found.until(lambda: found.status["taken"] > taken + 4 * SAMPLE_RATE)
    finally:
        found.process.send_signal(signal.SIGTERM)
        found.process.wait(30)
    return found


def command_of(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def control(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def passage_of(run: Run, after: float, seconds: float) -> JournalPassage:
    """Some of what was heard, from some seconds after its beginning on."""
    with Journal(run.state / "journal.sqlite3") as journal:
        first = next(journal.marks(0.0, 1e12))
        return find_passage(journal, datetime.fromtimestamp(first.wall + after, UTC), seconds, UTC)


def test_the_exact_replay_as_it_was_heard_is_the_recording_sample_for_sample(run, tmp_path):
    passage = passage_of(run, 0.5, 60.0)
    assert passage.complete
    assert len(passage.courses) > 1, "another process took over"
    render_passage(passage, tmp_path / "again.wav", exact=True, as_heard=True)
    found, _ = soundfile.read(tmp_path / "again.wav", dtype="int32")
    heard, _ = soundfile.read(run.takes, dtype="int32")
    heard = heard[passage.first : passage.first + len(found)]
    assert len(found) == len(heard) > 3 * SAMPLE_RATE
    different = np.flatnonzero((found != heard).any(axis=1))
    assert len(different) == 0, f"{len(different)} of {len(found)} frames, from {different[:1]} on"
    assert (heard == 0).all(axis=1).any(), "it was muted"


def test_the_verbs_say_what_happened_and_when_nothing_did(run, tmp_path):
    of = ["--of", str(run.file)]
    data = json.loads(control("history", *of, "--format", "json").stdout)
    sections = data["sittings"][0]["sections"]
    assert {one["section"] for one in sections} == {"all"}
    assert sections[0]["cause"].startswith("timetable: turn 1")
    assert any("audio was lost" in one["text"] for section in sections for one in section["accidents"])
    report = json.loads(control("report", *of, "--day", day_of(run), "--format", "json").stdout)
    assert 0 < report["sounded_seconds"] < 60
    assert any(one["what"] == "muted" for one in report["interruptions"])
    assert any(one["what"] == "mute" and one["who"] == "control" for one in report["changes"])
    closed = control("replay", "2020-01-01 12:00", "-o", str(tmp_path / "no.wav"), *of)
    assert closed.exit_code != 0
    assert isinstance(closed.exception, PerpetuumError)
    assert "does not reach back" in str(closed.exception)
    moment = sitting_moment(run)
    made = control("replay", moment, "--minutes", "0.02", "-o", str(tmp_path / "some.wav"), *of)
    assert made.exit_code == 0, made.output
    assert soundfile.info(tmp_path / "some.wav").frames > SAMPLE_RATE


def day_of(run: Run) -> str:
    return sitting_moment(run)[:10]


def sitting_moment(run: Run) -> str:
    with Journal(run.state / "journal.sqlite3") as journal:
        first = next(journal.marks(0.0, 1e12))
    local = datetime.fromtimestamp(first.wall + 1, UTC).astimezone(zone_of_the_machine())
    return local.isoformat(" ", "seconds")


def test_where_there_is_no_journal_it_says_so(tmp_path):
    found = control("history", "--state", str(tmp_path))
    assert isinstance(found.exception, PerpetuumError)
    assert "there is no journal" in str(found.exception)
