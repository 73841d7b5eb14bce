"""What happens is kept by a recorder that may be away, slow, stopped or without a disk, and nobody waits for it."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from engine.events import SteppedDown
from engine.installation.keeper.recording.backlog import WINDOW, Backlog
from engine.installation.keeper.recording.recording import RecorderPlace
from engine.installation.recorder.keeping import Keeping
from engine.journal.entries import ENTRIES, HAPPENINGS, Happened, HeardUntil, RecordsLost, SittingBegan, TurnBegan
from engine.journal.reader import Journal
from engine.journal.schema import NAME, VERSION
from tests.conductor.resumed import shipped
from tests.journal.told import MORNING, Told
from tests.journal.told import Keeping as Telling

BEGAN = SittingBegan("installation.yaml", "scene.yaml", 1, 0, 0, "0", "a test")
TURN = TurnBegan("programme", "today", 0, "scene", "scene.yaml", 60.0, 1)


def step(number: int) -> Happened:
    return Happened(HAPPENINGS.encode(SteppedDown("", number, "networks", "x")))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_waits_is_bounded_in_seconds_and_bytes_and_what_is_lost_is_told():
    clock = Clock()
    backlog = Backlog(clock, lambda: MORNING, longest=60.0, most_bytes=100_000)
    for number in range(100):
        backlog.note(step(number), 0)
        clock.now += 1
    assert 58 <= len(backlog) <= 61
    for number in range(20_000):
        backlog.note(step(number), 0)
    lost, found = backlog.lost, []
    while len(backlog):
        due = backlog.due()
        found += due
        backlog.kept(due[-1].index)
    assert lost > 15_000
    assert sum(len(one.entry) for one in found) < 110_000
    told = [HAPPENINGS.decode(ENTRIES.decode(one.entry).value) for one in found]  # pyright: ignore
    assert [one.count for one in told if isinstance(one, RecordsLost)] == [lost]


def test_a_recorder_is_sent_no_more_than_a_window_before_it_has_kept_some():
    backlog = Backlog(Clock())
    for number in range(1000):
        backlog.note(step(number), 0)
    assert [one.index for one in backlog.due()] == list(range(1, WINDOW + 1))
    assert backlog.due() == []
    backlog.kept(10)
    assert [one.index for one in backlog.due()] == list(range(WINDOW + 1, WINDOW + 11))


def test_an_entry_need_not_be_waited_for_once_it_is_kept_or_given_up():
    clock = Clock()
    backlog = Backlog(clock, longest=60.0)
    backlog.note(Happened(b"first"), 0)
    index = backlog.index
    backlog.note(Happened(b"second"), 0)
    assert not backlog.has(index)
    backlog.kept(index)
    assert backlog.has(index)
    assert not backlog.has(second := backlog.index)
    clock.now += 61.0
    backlog.note(Happened(b"third"), 0)
    assert backlog.has(second)


def test_another_journal_is_told_how_the_sitting_began():
    backlog = Backlog(Clock())
    backlog.note(BEGAN, 0)
    backlog.note_turn(TURN, 0)
    backlog.note(step(1), 0)
    backlog.kept(3)
    assert [one.index for one in backlog.opened(0)] == [1, 2]
    assert backlog.opened(3) == []


def until(recording: RecorderPlace, condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        recording.look(0.02)


def steps_in(folder: Path) -> list[int]:
    with Journal(folder / NAME) as journal:
        return [one.value.bar for one in journal.happenings(kinds=["SteppedDown"])]  # pyright: ignore


def test_a_recorder_that_is_killed_or_stopped_costs_no_record_and_no_time(tmp_path):
    recording = RecorderPlace()
    try:
        recording.open(tmp_path, 86400.0)
        recording.note(BEGAN)
        number = 0
        for fault in (None, signal.SIGKILL, signal.SIGSTOP):
            until(recording, lambda: recording.pid is not None and recording._open)
            if fault is not None:
                os.kill(recording.pid or 0, fault)
            stopped = recording.pid
            began = time.process_time()
            for _ in range(300):
                number += 1
                recording.note(step(number))
                recording.look()
            assert time.process_time() - began < 1.0
            if fault is signal.SIGSTOP:
                with suppress(ProcessLookupError):
                    os.kill(stopped or 0, signal.SIGKILL)  # as it is after some seconds without a sign of life
        until(recording, lambda: not len(recording.backlog))
        assert recording.backlog.lost == 0
    finally:
        recording.close(5.0)
    assert steps_in(tmp_path) == list(range(1, number + 1))


def test_a_disk_that_takes_nothing_is_said_once_and_tried_again(tmp_path, caplog):
    folder = tmp_path / "state"
    folder.write_text("no folder at all")
    recording = RecorderPlace()
    try:
        recording.open(folder, 86400.0)
        assert recording.recalled(60.0) is None
        recording.note(BEGAN)
        recording.note(step(7))
        folder.unlink()
        folder.mkdir()
        until(recording, lambda: not len(recording.backlog))
    finally:
        recording.close(5.0)
    assert caplog.text.count("cannot be written") == 1
    assert steps_in(folder) == [7]


@pytest.fixture(scope="module")
def journal_bytes(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / NAME
    telling, scene = Telling(path), shipped("daylight")
    telling.begin(scene.path, 5)
    telling.turn(scene.path, 5)
    Told(telling, scene, 5, staged=False).until(16)
    telling.writer.checkpoint()
    telling.writer.close()
    return path.read_bytes()


def kept_again(folder: Path) -> Keeping:
    """Open a journal and keep something in it: it works, whatever it was before."""
    keeping = Keeping(folder, 0, 86400.0)
    backlog = Backlog()
    backlog.note(BEGAN, 0)
    backlog.note(HeardUntil(5, 0.0), 5)
    if not keeping.take(backlog.due()):
        backlog.opened(0)
        assert keeping.take(backlog.due())
    return keeping


@pytest.mark.parametrize("kind", ["cut", "flipped", "zeroed", "garbage"])
def test_a_journal_that_is_broken_is_begun_anew_or_read_as_far_as_it_can_be(tmp_path, journal_bytes, kind):
    """Fifty of them: it starts, says what was lost, and keeps the broken file aside."""
    rng = np.random.default_rng(sum(kind.encode()))
    told = 0
    for number in range(13):
        folder = tmp_path / str(number)
        folder.mkdir()
        data = bytearray(journal_bytes)
        place = int(rng.integers(0, len(data)))
        if kind == "cut":
            del data[place:]
        elif kind == "flipped":
            for at in rng.integers(0, len(data), 200):
                data[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == "zeroed":
            data[place : place + 20_000] = bytes(len(data[place : place + 20_000]))
        else:
            data[:200] = rng.bytes(200)
        (folder / NAME).write_bytes(data)
        keeping = kept_again(folder)
        aside = list(folder.glob("journal.broken-*.sqlite3"))
        assert len(aside) <= 1
        if aside:
            assert aside[0].read_bytes()[:100] == bytes(data[:100]) or kind in ("flipped", "zeroed", "cut")
            assert any(aside[0].name in problem for problem in keeping.problems)
        if keeping.recalled is not None:
            assert keeping.recalled.scene.endswith("daylight.yaml")
            assert keeping.recalled.bar < 16
        told += bool(keeping.problems)
        keeping.close()
    assert told >= 1


def test_a_whole_journal_is_recalled_and_nothing_is_said(tmp_path, journal_bytes):
    (tmp_path / NAME).write_bytes(journal_bytes)
    keeping = Keeping(tmp_path, 0, 86400.0)
    assert keeping.problems == []
    assert keeping.recalled is not None
    assert keeping.recalled.turn is not None
    keeping.close()


@pytest.mark.parametrize("version", [0, VERSION - 1, VERSION + 1, 999])
def test_another_versions_journal_is_kept_aside(tmp_path, journal_bytes, version):
    (tmp_path / NAME).write_bytes(journal_bytes)
    database = sqlite3.connect(tmp_path / NAME)
    database.execute(f"PRAGMA user_version = {version}")
    database.close()
    keeping = kept_again(tmp_path)
    assert f"of version {version}" in keeping.problems[0]
    assert len(list(tmp_path.glob("journal.broken-*.sqlite3"))) == 1
    keeping.close()
