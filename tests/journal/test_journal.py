"""What is told to a journal can be read from it, and nothing else."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from engine.events import SteppedDown, WeightsFound
from engine.journal.entries import ENTRIES, HAPPENINGS, Happened, HeardUntil, Noted, SittingEnded
from engine.journal.reader import Journal
from engine.journal.schema import COLUMNS, VERSION, OtherVersionError
from engine.journal.writer import JournalWriter
from engine.runtime.performance.commands import SetGain
from engine.runtime.performance.mind.state import MindState
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import Notes
from tests.conductor.stage import kinds  # noqa: F401
from tests.conductor.test_state import moving
from tests.journal.told import MORNING, Keeping, Told

FAR = 1 << 40


@pytest.fixture
def told(kinds, tmp_path) -> Told:  # noqa: F811
    scene = moving(np.random.default_rng(5))
    keeping = Keeping(tmp_path / "journal.sqlite3")
    keeping.begin(scene.path, 5)
    keeping.turn(scene.path, 5)
    return Told(keeping, scene, 5)


def sitting_of(journal: Journal) -> int:
    return journal.sittings()[-1].number


def test_bars_hold_every_note_that_the_sound_was_told(told):
    told.until(20)
    with Journal(told.keeping.path) as journal:
        bars = list(journal.bars(sitting_of(journal), 0, FAR))
        assert journal.unreadable == 0
    assert [(one.bar, one.start, one.end) for one in bars] == [(b.bar, b.start, b.end) for b in told.bars.values()]
    sent = [(one.part, one.notes.tolist()) for one in told.played.sent if isinstance(one, Notes)]
    assert [(one.part, one.notes.tolist()) for bar in bars for one in bar.notes] == sent
    assert [one.body.section for one in bars] == [bar.section for bar in told.bars.values()]


def test_bars_of_some_frames_are_found_among_all(told):
    told.until(40)
    since, until = told.bars[17].start + 5, told.bars[21].start
    with Journal(told.keeping.path) as journal:
        assert [one.bar for one in journal.bars(sitting_of(journal), since, until)] == [17, 18, 19, 20]


def test_phrases_are_read_as_they_were_decided(told):
    told.until(12)
    with Journal(told.keeping.path) as journal:
        found = list(journal.phrases(sitting_of(journal), 0, FAR))
    assert {(one.decided.part, bar) for one in found for bar in range(one.decided.first_bar, 12)} >= {
        (part.part, bar.bar) for bar in told.bars.values() for part in bar.parts if bar.bar < 12
    }
    for one in found:
        assert one.decided.raw.length == one.decided.phrase.length > 0


def test_a_state_is_read_as_it_was_told(told):
    told.until(9)
    state = MindState.of(told.conductor.state(), {}, frozenset(), None, None, {}, {})
    with Journal(told.keeping.path) as journal:
        found = next(journal.states(sitting_of(journal)))
        bytes_kept = told.keeping.writer._database.execute("SELECT max(length(body)) FROM states").fetchone()[0]
    assert MindState.from_json(found.text) == state
    assert bytes_kept < len(state.to_json()) / 4, "phrases are kept twice"


def test_happenings_are_found_by_kind_moment_and_order(told):
    told.until(6)
    gain, down = SetGain(-6.0, 1.0), SteppedDown("lead", 7, "networks", "it was late")
    told.keeping.happened(gain)
    told.keeping.happened(down)
    moment = told.keeping.wall + told.keeping.frame / SAMPLE_RATE
    with Journal(told.keeping.path) as journal:
        (one,) = journal.happenings(kinds=["SetGain"])
        assert (one.value, one.made) == (gain, told.keeping.frame)
        assert [later.value for later in journal.happenings(since=moment - 0.01, after=one.number)] == [down]
        assert not list(journal.happenings(until=MORNING - 1))


def test_a_moment_is_a_frame_of_a_sitting_and_back(told):
    told.until(20)
    with Journal(told.keeping.path) as journal:
        place = journal.place_at(MORNING + 12.5)
        assert place is not None
        assert abs(place.frame - 12.5 * SAMPLE_RATE) < 2
        assert journal.wall_at(place) == pytest.approx(MORNING + 12.5, abs=1e-4)
        assert journal.place_at(MORNING - 60) is None
        assert journal.place_at(MORNING + 4000) is None


def test_a_sitting_says_how_it_began_and_ended(told):
    told.until(8)
    told.keeping.happened(SittingEnded("closed"))
    told.keeping.begin(told.conductor.scene.path, 6)
    with Journal(told.keeping.path) as journal:
        first, second = journal.sittings()
    assert (first.ending, second.ending) == ("closed", "")
    assert first.began == pytest.approx(MORNING)
    assert first.end_frame == told.keeping.frame
    assert second.told.seed == 6


def test_what_is_told_again_after_a_recorder_was_lost_is_kept_once(told):
    told.until(5)
    kept, base = told.keeping.writer.last, told.keeping.writer.base
    told.keeping.writer.close()
    again = JournalWriter(told.keeping.path, base)
    assert again.last == kept
    entries = [Happened(HAPPENINGS.encode(SteppedDown("x", n, "networks", ""))) for n in range(2)]
    batch = [Noted(kept + n, MORNING, 0, ENTRIES.encode(entry)) for n, entry in enumerate(entries)]
    again.take(batch)
    again.take(batch)
    assert [one.value.bar for one in again.journal.happenings(kinds=["SteppedDown"])] == [1]
    again.close()
    assert JournalWriter(told.keeping.path).base > base


def test_the_digest_of_the_weights_stands_beside_the_phrases_that_they_made(told):
    told.keeping.happened(WeightsFound("lead", "net", "ab" * 32))
    told.until(12)
    with Journal(told.keeping.path) as journal:
        found = {
            (one.decided.raw.provenance.generator == "net" and one.decided.part == "lead", one.weights)
            for one in journal.phrases(sitting_of(journal), 0, FAR)
        }
    assert found <= {(True, "ab" * 32), (False, "")}


def test_a_row_whose_bytes_are_wrong_is_left_out_and_counted(told):
    told.until(10)
    database = told.keeping.writer._database
    database.execute("UPDATE bars SET body = zeroblob(100) WHERE bar = 3")
    database.execute("UPDATE bars SET start = start + 1 WHERE bar = 5")
    with Journal(told.keeping.path) as journal:
        assert [one.bar for one in journal.bars(sitting_of(journal), 0, FAR)] == [0, 1, 2, 4, *range(6, 10)]
        assert journal.unreadable == 2


def test_what_is_too_old_goes_in_small_steps_and_the_rest_stays(told):
    told.until(60)
    writer, now = told.keeping.writer, told.keeping.wall + told.keeping.frame / SAMPLE_RATE
    for _ in range(1200):
        told.keeping.tell(HeardUntil(told.keeping.frame, 0.0))
    half = (now + MORNING) / 2
    steps = 0
    while writer.prune(now, now - half):
        steps += 1
        assert steps < 50
    with Journal(told.keeping.path) as journal:
        sitting = sitting_of(journal)
        bars = list(journal.bars(sitting, 0, FAR))
        assert bars[-1].bar == 59
        assert bars[0].wall >= half - 60
        assert bars[0].bar > 0
        assert next(journal.states(sitting)).bar == 60
    while writer.prune(now + 1e6, 60.0):
        pass
    for table in set(COLUMNS) - {"sittings"}:
        assert writer._database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] <= 3, table


def test_another_versions_journal_is_not_touched(tmp_path):
    path = tmp_path / "journal.sqlite3"
    JournalWriter(path).close()
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    before = path.read_bytes()
    with pytest.raises(OtherVersionError, match=f"version {VERSION + 1}"):
        JournalWriter(path)
    with pytest.raises(OtherVersionError):
        Journal(path)
    assert path.read_bytes() == before
    database = sqlite3.connect(tmp_path / "other")
    database.execute("CREATE TABLE mine (x)")
    database.close()
    with pytest.raises(OtherVersionError, match="no journal"):
        JournalWriter(tmp_path / "other")
