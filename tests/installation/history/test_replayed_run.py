"""A real `perpetuum run`: its recording is what `replay` makes of its journal; `history` and `report` tell of it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from engine.cli import cli
from engine.errors import PerpetuumError
from engine.events import BankPlayed, GraphBegan, TimbreChanged
from engine.installation.history.passage import JournalPassage, find_passage, render_passage
from engine.installation.hours.walltime import zone_of_the_machine
from engine.journal.reader import Journal
from engine.runtime.ending import Ending
from engine.runtime.render import render
from engine.runtime.timbres.messages import BankOrder
from engine.runtime.timbres.orders import orders_of
from engine.scenes import load
from engine.score.time import SAMPLE_RATE
from engine.timbres.bank_cache import BankCache
from engine.timbres.neural.kind import NEURAL
from tests.installation.keeper.test_run import Run

TURNING = """
perpetuum: 1
title: Turning
seed: 3
tempo: 240 qpm
key: C
parts:
  pad:
    generator: {kind: chord_walk, chord_length: 1 bar}
    phrase: 1 bar
    instrument: {kind: neural, places: [7, 12], over: 8 bars, steps: 2, lowest: C4, highest: C4, stand_in: warm_pad}
    level: -6 dB
sections:
  all: {bars: 4 bars, parts: [pad]}
"""
LINE = 4 * SAMPLE_RATE
"""The frame at which the notes of the first section give way to those of the second."""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Iterator[Run]:
    """Its pad turns into another one; it is muted and comes back, and its audio process is killed once."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patched.delenv("CACHE_DIRECTORY", raising=False)
        # Its banks are there, so that none is late on a busy machine.
        for order in banks_of(scene_in(folder)):
            BankCache().keep(order.digest, partial(NEURAL.make, order.settings))
        yield ran(folder)


def scene_in(folder):
    """The scene, which is written there."""
    path = folder / "turning.yaml"
    path.write_text(TURNING)
    scene, found = load(path)
    assert scene is not None, [one.text(False) for one in found]
    return scene


def banks_of(scene) -> list[BankOrder]:
    """What its first two sections want; their places need no seed."""
    return [orders_of(scene, 0, "", bar)[0]["pad"] for bar in (0, 4)]


def ran(folder) -> Run:
    found = Run(folder, "heard.wav", scene=TURNING)
    try:
        found.sounds()
        found.until(lambda: found.status["taken"] > LINE + SAMPLE_RATE)
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


def test_a_timbre_turns_offline_as_it_did_live_with_the_same_banks_at_the_same_bars(run, tmp_path, monkeypatch):
    """The render makes its banks anew, and is what was heard, sample for sample, over the section line."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CACHE_DIRECTORY", raising=False)
    passage = passage_of(run, 0.5, 60.0)
    with Journal(run.state / "journal.sqlite3") as journal:
        seed = next(iter(journal.beginnings(passage.sitting.number))).seed
        played = {one.value.digest for one in journal.happenings(kinds=[BankPlayed.__name__])}
        turned = [one.value for one in journal.happenings(kinds=[TimbreChanged.__name__])]
    scene = scene_in(tmp_path)
    first, second = (order.digest for order in banks_of(scene))
    assert {first, second} == played
    assert [(one.digest, one.bar) for one in turned][:1] == [(second, 4)]
    render_passage(passage, tmp_path / "live.wav", exact=True, as_heard=False)
    render(scene, seed, tmp_path / "offline.wav", lambda plan: Ending.after_bars(plan, 6))
    assert sorted(BankCache()) == sorted({first, second})
    live, offline = (soundfile.read(tmp_path / f"{name}.wav", dtype="int32")[0] for name in ("live", "offline"))
    shared = offline[passage.first : passage.first + LINE + SAMPLE_RATE]
    assert np.abs(shared).max() > 1 << 24
    assert np.array_equal(live[: len(shared)], shared)


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
