"""What supervision decides, in virtual time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.processes.backoff import Backoff
from engine.processes.memory_budget import LOOK, PERIOD, MemoryBudget, resident
from engine.processes.reports import BudgetRaised, Cause, ChildLost, ChildRenewed, ChildStarted, IntensityExceeded
from engine.processes.restarts import Exceeded, RestartIntensity, Restarts
from engine.processes.supervision import YOUNG, Limits, Supervision
from engine.processes.watchdog import Watchdog
from tests.processes.virtual import Clock

MB = 1_000_000


class Supervised:
    """A supervision in virtual time, of a child whose memory is what we say."""

    def __init__(self, **limits) -> None:
        self.clock, self.used, self.reports = Clock(), 10 * MB, []
        self.supervision = Supervision(
            "child", Limits(**limits), self.reports.append, self.clock, lambda pid: self.used
        )
        self.supervision.began()

    def look(self, seconds: float, patience: float | None = 1.0):
        """The first finding within some seconds, looking every 50 ms."""
        for _ in range(round(seconds / 0.05)):
            self.clock.pass_by(0.05)
            finding = self.supervision.check(1, patience)
            if finding is not None:
                return finding
        return None

    def lose(self, worked: bool = True, cause: Cause = Cause.DIED) -> float | None:
        retry_in = self.supervision.lost("it ended", worked, cause)
        self.supervision.began()
        return retry_in


# Back-off


def test_pauses_double_up_to_the_longest_and_begin_anew_when_it_works():
    backoff = Backoff(first=0.1, longest=1.0)
    assert [backoff.next_delay() for _ in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    backoff.reset()
    assert backoff.next_delay() == 0.1


def test_a_year_of_failures_is_counted_without_overflow():
    backoff = Backoff(first=0.1, longest=30.0)
    assert {backoff.next_delay() for _ in range(10_000)} <= {0.1 * 2**k for k in range(9)} | {30.0}


# Restart intensity


@given(st.integers(0, 5), st.floats(0.5, 100), st.lists(st.floats(0, 50), max_size=30))
def test_an_intensity_is_exceeded_when_more_than_so_many_lie_within_the_period(most, period, gaps):
    """Compared with counting all of them."""
    clock = Clock()
    intensity, moments = RestartIntensity(most, period, clock), []
    for gap in gaps:
        clock.pass_by(gap)
        intensity.add()
        moments.append(clock.now)
        assert intensity.exceeded == (sum(clock.now - moment < period for moment in moments) > most)


def test_one_that_worked_is_replaced_at_once_and_one_that_did_not_after_growing_pauses():
    here = Supervised(restarts=10)
    assert here.lose(worked=True) == 0.0
    assert [here.lose(worked=False) for _ in range(3)] == [0.1, 0.2, 0.4]
    here.supervision.works()
    assert here.lose(worked=False) == 0.1


def test_beyond_the_intensity_pauses_grow_though_it_works_each_time_until_the_period_is_over():
    here = Supervised(restarts=3, period=60.0)
    pauses = []
    for _ in range(6):
        pauses.append(here.lose(worked=True))
        here.supervision.works()
    assert pauses == [0.0, 0.0, 0.0, 0.1, 0.2, 0.4]
    here.clock.pass_by(61.0)
    here.supervision.works()
    assert here.lose(worked=True) == 0.0


def test_an_intensity_that_is_exceeded_is_reported_once_until_it_was_kept_again():
    here = Supervised(restarts=2, period=60.0)
    for _ in range(6):
        here.lose()
    exceeded = IntensityExceeded("child", 2, 60.0, given_up=False)
    assert here.reports.count(exceeded) == 1
    here.clock.pass_by(100.0)
    here.supervision.works()
    for _ in range(4):
        here.lose()
    assert here.reports.count(exceeded) == 2


def test_an_owner_who_wants_it_gives_up_beyond_the_intensity():
    here = Supervised(restarts=2, exceeded=Exceeded.GIVE_UP)
    assert [here.lose() for _ in range(3)] == [0.0, 0.0, None]
    assert here.reports[-1] == IntensityExceeded("child", 2, 60.0, given_up=True)


def test_no_restart_at_all_may_be_allowed():
    assert Restarts(RestartIntensity(0, 60.0, Clock()), Exceeded.GIVE_UP, Backoff()).lost(worked=True) is None


# Hang


def test_a_child_without_a_sign_of_life_hangs_and_one_with_a_late_sign_does_not():
    here = Supervised()
    assert here.look(0.9) is None
    here.supervision.watchdog.feed()
    assert here.look(0.9) is None
    finding = here.look(0.2)
    assert finding is not None
    assert finding.cause is Cause.HUNG


def test_where_no_sign_is_expected_no_time_counts():
    here = Supervised()
    assert here.look(100.0, patience=None) is None
    assert here.look(0.9) is None


def test_a_child_is_not_blamed_for_the_time_in_which_we_ourselves_were_stopped():
    here = Supervised()
    here.look(0.9)
    here.clock.pass_by(3600.0)
    assert here.supervision.check(1, 1.0) is None
    assert here.look(0.9) is None
    assert here.look(0.2) is not None


def test_one_who_always_looks_seldom_finds_a_hang_too():
    clock = Clock()
    watchdog = Watchdog(away=0.3, clock=clock)
    looks = 0
    while not watchdog.hangs(1.0):
        looks += 1
        clock.pass_by(10.0)
        assert looks < 10


@given(st.lists(st.floats(0.0, 5.0), min_size=1, max_size=40))
def test_no_child_hangs_before_its_patience_is_over(gaps):
    clock = Clock()
    watchdog, passed = Watchdog(away=0.3, clock=clock), 0.0
    for gap in gaps:
        clock.pass_by(gap)
        passed += gap
        if watchdog.hangs(2.0):
            assert passed > 2.0
            return


def test_one_that_is_condemned_is_not_found_twice():
    here = Supervised()
    finding = here.look(2.0)
    here.supervision.condemned = finding
    assert here.look(10.0) is None
    here.supervision.began()
    assert here.look(2.0) is not None


# Memory


def test_a_child_over_its_budget_is_found_and_one_within_is_left_alone():
    here = Supervised(memory=100 * MB)
    here.used = 100 * MB
    assert here.look(60.0, None) is None
    here.used = 101 * MB
    finding = here.look(LOOK + 0.1, None)
    assert finding is not None
    assert (finding.cause, finding.used) == (Cause.OVER_BUDGET, 101 * MB)
    assert "101 MB" in finding.reason
    assert "100 MB" in finding.reason


def test_a_child_is_worn_by_three_quarters_of_its_budget_once_it_is_not_young_any_more():
    here = Supervised(memory=100 * MB)
    here.used = 76 * MB
    assert here.supervision.worn(1) == ""
    here.clock.pass_by(YOUNG + 1.0)
    assert "76 MB" in here.supervision.worn(1)
    here.supervision.renewed(here.supervision.worn(1))
    here.supervision.began()
    assert here.supervision.worn(1) == ""
    assert [type(report) for report in here.reports] == [ChildRenewed]
    here.used = 75 * MB
    here.clock.pass_by(YOUNG + 1.0)
    assert here.supervision.worn(1) == ""
    assert here.supervision.restarts.failures == 0


def test_a_child_is_worn_by_its_age_whatever_it_uses():
    here = Supervised(lifetime=7200.0)
    here.clock.pass_by(7200.0)
    assert here.supervision.worn(1) == ""
    here.clock.pass_by(10.0)
    assert here.supervision.worn(1) == "it has run for 2.0 h"


def test_where_there_is_no_budget_no_memory_is_measured():
    clock = Clock()
    budget = MemoryBudget(None, clock, lambda pid: pytest.fail("it was measured"))
    clock.pass_by(100.0)
    assert budget.excess(1) is None
    assert not budget.replaced()


def test_a_process_that_is_gone_is_not_over_its_budget():
    clock = Clock()
    budget = MemoryBudget(1, clock)
    clock.pass_by(100.0)
    dead = subprocess.Popen(["true"])
    dead.wait()
    assert budget.excess(dead.pid) is None


def test_a_leak_that_takes_hours_never_raises_the_budget():
    here = Supervised(memory=100 * MB)
    for _ in range(100):
        here.clock.pass_by(PERIOD)
        here.lose(cause=Cause.OVER_BUDGET)
    assert not any(isinstance(report, BudgetRaised) for report in here.reports)


def test_what_one_child_after_the_other_needs_it_gets_up_to_twice_the_budget():
    here = Supervised(memory=100 * MB, restarts=100)
    for _ in range(30):
        here.clock.pass_by(10.0)
        here.lose(cause=Cause.OVER_BUDGET)
    raised = [report.budget for report in here.reports if isinstance(report, BudgetRaised)]
    assert raised == [150 * MB, 200 * MB]


def test_memory_is_read_as_the_kernel_tells_it():
    """The oracle is another file of the kernel's, in other units."""
    code = "import sys; data = bytearray(64 << 20); data[::4096] = b'x' * (64 << 8); print(flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        used = resident(child.pid)
        status = Path(f"/proc/{child.pid}/status").read_text()
        told = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
        assert used is not None
        assert used > 64 << 20
        assert used == pytest.approx(told * 1024, rel=0.05)
    finally:
        child.kill()
        child.communicate()


# Reports


def test_each_loss_is_one_report_with_its_cause_and_what_comes_next():
    here = Supervised(first_delay=0.5)
    here.supervision.started()
    here.supervision.lost("it hung", worked=False, cause=Cause.HUNG)
    assert here.reports == [ChildStarted("child"), ChildLost("child", Cause.HUNG, "it hung", 0.5)]


def test_our_own_memory_is_told_for_our_own_process():
    assert (resident(os.getpid()) or 0) > MB
