"""The recorder's journal over months and on bad days: bounded, never held up, and whoever breaks it is told of."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from engine.events.sounding import SoundTold
from engine.installation.history.account import account
from engine.installation.recorder.keeping import ASIDE, SYNC_EVERY, Keeping
from engine.journal.entries import ENTRIES, HAPPENINGS, Happened, HeardUntil, Noted, SittingBegan
from engine.journal.reader import Journal
from engine.journal.records import HeardPlace
from engine.journal.schema import LOG, NAME
from engine.score.time import SAMPLE_RATE
from tests.conductor.resumed import shipped
from tests.installation.keeper.test_recording import kept_again
from tests.journal.told import MORNING, Told
from tests.journal.told import Keeping as Telling

BEGAN = SittingBegan("installation.yaml", "scene.yaml", 1, 0, 0, "0", "a test")


class Clock:
    """Both clocks."""

    now = MORNING

    def __call__(self) -> float:
        return self.now


def size(folder: Path) -> int:
    """Bytes of a journal with all that belongs to it."""
    return sum(one.stat().st_size for one in folder.glob(f"{NAME}*"))


def test_a_journal_grows_for_as_long_as_it_is_kept_and_no_longer(tmp_path, monkeypatch):
    """Five minutes are kept here, and half an hour goes by, second by second."""
    monkeypatch.setattr("engine.journal.writer.LOG", 50_000)
    clock, index, sizes = Clock(), 0, []
    keeping = Keeping(tmp_path, 0, 300.0, clock, clock)
    told = Happened(HAPPENINGS.encode(SoundTold(1, 0, (bytes(range(256)),))))
    for minute in range(30):
        entries = [BEGAN] if minute == 0 else []
        for second in range(60):
            entries += [HeardUntil((minute * 60 + second) * SAMPLE_RATE, 0.0), told]
        batch = []
        for place, entry in enumerate(entries):
            index += 1
            batch.append(Noted(index, clock.now + place / 2, 0, ENTRIES.encode(entry)))
        clock.now += SYNC_EVERY
        assert keeping.take(batch)
        assert keeping.look()
        sizes.append(size(tmp_path))
    keeping.close()
    assert max(sizes[12:]) < 1.2 * sizes[9]
    with Journal(tmp_path / NAME) as journal:
        walls = [one.wall for one in journal.marks(0.0, 1e12)]
        assert 300 <= clock.now - walls[0] <= 300 + 2 * SYNC_EVERY
        assert len(list(journal.told(journal.sittings()[0].number, 0, 1e12))) in (len(walls), len(walls) + 1)


def test_what_is_kept_is_forced_onto_the_disk_once_a_minute_and_moved_into_the_file_when_its_log_is_long(
    tmp_path, monkeypatch
):
    """What SQLite itself forces is seen by strace: `tests.proofs.resume.writes`."""
    forced: list[str] = []
    real = os.fdatasync

    def counted(descriptor: int) -> None:
        forced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr("engine.journal.writer.os.fdatasync", counted)
    clock, logs, moved = Clock(), [], 0
    keeping = Keeping(tmp_path, 0, 86400.0, clock, clock)
    noise = random.Random(5)
    for minute in range(60):
        told = Happened(HAPPENINGS.encode(SoundTold(1, 0, (noise.randbytes(300_000),))))
        clock.now += SYNC_EVERY
        assert keeping.take([Noted(minute + 1, clock.now, 0, ENTRIES.encode(told if minute else BEGAN))])
        before = len(forced)
        assert keeping.look()
        assert keeping.look()
        assert len(forced) - before <= 1
        logs.append((tmp_path / f"{NAME}-wal").stat().st_size)
        moved += len(forced) == before
    assert set(forced) == {f"{NAME}-wal"}
    assert 2 <= moved <= 6
    assert max(logs) < 2 * LOG
    assert min(logs[30:]) < LOG / 2


def test_records_of_a_clock_that_was_ahead_do_not_keep_what_is_old_for_ever(tmp_path):
    clock, index = Clock(), 0
    keeping = Keeping(tmp_path, 0, 600.0, clock, clock)
    for minute in range(80):
        wall = clock.now + (3e8 if minute < 3 else 0.0)  # it was put right after three minutes
        batch = []
        for entry in [BEGAN, HeardUntil(1, 0.0)] if minute == 0 else [HeardUntil(minute * 60 * SAMPLE_RATE, 0.0)]:
            index += 1
            batch.append(Noted(index, wall, 0, ENTRIES.encode(entry)))
        clock.now += SYNC_EVERY
        keeping.take(batch)
        keeping.look()
    keeping.close()
    with Journal(tmp_path / NAME) as journal:
        assert len(list(journal.marks(0.0, 1e12))) <= 12


def test_what_was_heard_while_a_clock_was_put_back_is_found_at_the_time_that_it_showed(tmp_path):
    telling, scene = Telling(tmp_path / NAME), shipped("daylight")
    telling.begin(scene.path, 5)
    told = Told(telling, scene, 5, staged=False).until(8)
    put_back = telling.frame
    telling.wall -= 86_400
    told.until(20)
    moment = telling.wall + telling.frame / SAMPLE_RATE - 1
    with Journal(tmp_path / NAME) as journal:
        [sitting] = account(journal, moment - 10, moment + 10)
        assert sitting.sections
        assert not account(journal, moment - 90_000, moment - 86_000)
        place = journal.place_at(moment)
        assert place is not None
        assert place.frame > put_back
        assert journal.wall_at(HeardPlace(place.sitting, place.frame)) == pytest.approx(moment, abs=0.01)


def socket_at(path: Path) -> None:
    socket.socket(socket.AF_UNIX).bind(str(path))


@pytest.mark.parametrize("side", ["", "-wal", "-shm"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, socket_at])
def test_what_is_no_file_is_put_out_of_the_way_and_said(tmp_path, monkeypatch, make, side):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    make(Path(NAME + side))
    keeping = kept_again(tmp_path)
    keeping.close()
    assert keeping.problems[0].startswith(f"{tmp_path / NAME}{side} is no file")
    [kept] = tmp_path.glob(f"journal.broken-*.sqlite3{side}")
    assert not kept.is_file()
    assert (tmp_path / NAME).is_file()


def test_only_the_last_three_broken_ones_stay_and_folders_are_nobodys_to_delete(tmp_path):
    for number in range(ASIDE + 3):
        path = tmp_path / NAME
        path.unlink(missing_ok=True)
        if number % 2:
            path.write_text("nonsense" * 100)
        else:
            path.mkdir()
        kept_again(tmp_path).close()
    files = [one for one in tmp_path.glob("journal.broken-*.sqlite3") if one.is_file()]
    assert len(files) <= ASIDE


def test_a_link_to_another_disk_is_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / NAME).symlink_to(tmp_path / "disk" / "elsewhere.sqlite3")
    keeping = kept_again(tmp_path / "state")
    keeping.close()
    assert keeping.problems == []
    assert (tmp_path / "disk" / "elsewhere.sqlite3").stat().st_size > 0


def test_history_into_a_pipe_that_nobody_reads_any_more_ends_quietly(tmp_path):
    telling, scene = Telling(tmp_path / NAME), shipped("daylight")
    telling.begin(scene.path, 5)
    Told(telling, scene, 5, staged=False).until(20)
    telling.writer.close()
    reading, writing = os.pipe()
    os.close(reading)
    verb = [sys.executable, "-m", "engine", "history", "--state", str(tmp_path)]
    try:
        done = subprocess.run(verb, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120)
    finally:
        os.close(writing)
    assert done.stderr == ""
