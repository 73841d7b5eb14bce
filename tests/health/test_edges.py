"""When somebody is told, in virtual time."""

from datetime import UTC, datetime

import pytest

from engine.health.checks import Check
from engine.health.notices.edges import STEADY, Edges, ToldNotices
from engine.health.notices.notice import NoticeKind
from engine.health.notices.remembering import NAME, ToldFile

TUESDAY = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()


NAMES = ("sound", "output", "state", "alarm")


class Days:
    """An installation whose checks are as they are told, a look every second."""

    def __init__(self, weekly=False):
        self.weekly = weekly
        self.edges = Edges("Foyer", UTC, weekly)
        self.second = 0.0
        self.told = []

    def run(self, seconds, *failing, step=1.0):
        until = self.second + seconds
        while self.second < until:
            checks = [
                Check(name, name not in failing, f"{name} is so") for name in ("sound", "output", "state", "alarm")
            ]
            self.told += self.edges.look(checks, self.second, TUESDAY + self.second)
            self.second += step

    def restart(self, folder, away=0.0):
        """Another process takes over, by what the last one left on the disk; its clock that nobody sets begins anew."""
        ToldFile(folder).keep(self.edges.told)
        self.edges = Edges("Foyer", UTC, self.weekly, ToldFile(folder).kept)
        self.second += away

    @property
    def kinds(self):
        return [notice.kind for notice in self.told]


@pytest.fixture
def days():
    return Days()


def test_what_goes_well_is_no_news(days):
    days.run(3600)
    assert days.told == []


def test_what_heals_itself_soon_is_no_news(days):
    for _ in range(50):
        days.run(10, "sound")
        days.run(30)
    assert days.told == []


def test_a_break_is_told_once_and_the_recovery_once(days):
    days.run(100)
    days.run(3600, "sound")
    assert days.kinds == [NoticeKind.BROKEN]
    days.run(3600)
    assert days.kinds == [NoticeKind.BROKEN, NoticeKind.RECOVERED]
    assert "2026-11-24 12:01:40 UTC" in days.told[0].text
    assert "1:00:00" in days.told[1].text


def test_what_breaks_besides_is_named_by_the_recovery_alone(days):
    days.run(100, "output")
    days.run(1000, "output", "sound", "state")
    days.run(1000, "state")
    days.run(100)
    assert days.kinds == [NoticeKind.BROKEN, NoticeKind.RECOVERED]
    assert "sound is so" not in days.told[0].text
    assert all(f"- {name}:" in days.told[1].text for name in ("output", "sound", "state"))


def test_what_comes_and_goes_is_one_message(days):
    days.run(60, "sound")
    for _ in range(30):
        days.run(STEADY / 2)
        days.run(30, "sound")
    assert days.kinds == [NoticeKind.BROKEN]
    days.run(STEADY + 5)
    assert days.kinds == [NoticeKind.BROKEN, NoticeKind.RECOVERED]


def test_once_a_week_it_is_said_that_all_is_well():
    days = Days(weekly=True)
    days.run(28 * 86400, step=60.0)
    assert days.kinds == [NoticeKind.ALL_CLEAR] * 4
    moments = [datetime.fromtimestamp(one.at, UTC) for one in days.told]
    assert {(one.weekday(), one.hour, one.minute) for one in moments} == {(0, 9, 0)}


def test_nobody_says_that_all_is_well_while_it_is_not():
    days = Days(weekly=True)
    days.run(7 * 86400, "sound", step=60.0)
    assert days.kinds == [NoticeKind.BROKEN]


def test_a_restart_amid_a_fault_tells_nothing_twice_and_its_recovery_is_told(tmp_path):
    days = Days()
    days.run(100, "sound")
    days.restart(tmp_path, away=200.0)
    days.run(100, "sound", "output")
    days.restart(tmp_path)
    days.run(100)
    days.restart(tmp_path)
    days.run(100)
    assert days.kinds == [NoticeKind.BROKEN, NoticeKind.RECOVERED]
    assert "0:06:40" in days.told[1].text
    assert all(f"- {name}:" in days.told[1].text for name in ("sound", "output"))


def test_what_healed_while_nobody_looked_is_told_as_over(tmp_path):
    days = Days()
    days.run(100, "sound")
    days.restart(tmp_path, away=3600.0)
    days.run(STEADY + 5)
    assert days.kinds == [NoticeKind.BROKEN, NoticeKind.RECOVERED]


def test_a_week_that_begins_while_it_is_off_is_told_once_when_it_is_on(tmp_path):
    days = Days(weekly=True)
    days.run(60)
    days.restart(tmp_path, away=10 * 86400.0)
    days.run(86400, step=60.0)
    assert days.kinds == [NoticeKind.ALL_CLEAR]


def test_a_clock_that_knows_nothing_yet_begins_no_week():
    edges = Edges("Foyer", UTC)
    well = [Check("sound", True, "it sounds")]
    moments = (TUESDAY, 30.0, 40.0, TUESDAY + 60)  # the second start has no battery, and no network yet
    assert [one for at in moments for one in edges.look(well, 0.0, at)] == []


@pytest.mark.parametrize("data", [b"", b"\xff{", b'{"since": "x"}', b"[]", b'{"broken": 5}', b"x" * 100_000])
def test_what_a_power_cut_left_of_what_was_told_is_nothing_told(tmp_path, data):
    (tmp_path / NAME).write_bytes(data)
    assert ToldFile(tmp_path).kept == ToldNotices()


def test_what_has_been_told_is_written_when_something_else_is_told_and_not_each_second(tmp_path):
    written, file = [], ToldFile(tmp_path)
    for second in range(100):
        broken = {"sound": f"nothing audible for {second} s"} | ({"output": "gone"} if second > 50 else {})
        file.keep(ToldNotices(TUESDAY, broken))
        written.append((tmp_path / NAME).stat().st_mtime_ns)
    assert len(set(written)) == 2
    assert ToldFile(tmp_path).kept.broken.keys() == {"sound", "output"}
