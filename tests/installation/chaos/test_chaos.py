"""Faults, what may be heard of them, and how they are provoked."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine import assets
from engine.cli import cli
from engine.errors import PerpetuumError
from engine.installation.chaos.copying import copy_installation
from engine.installation.chaos.fault import Fault, NoFault
from engine.installation.chaos.measuring import FaultMeasures
from engine.installation.chaos.processes import descendants, stop_tree, tell, those
from engine.installation.chaos.report import FaultReport, as_json, as_table
from engine.installation.chaos.run import FAULTS, chosen
from engine.installation.chaos.rungs import LadderRung, rung_of
from engine.installation.chaos.wall_clock import WallClockStep
from engine.sabotage import VARIABLE, Sabotage
from tests.runtime.sound import until

WAITS = (
    "import sys, time; from engine.sabotage import allow_sabotage; allow_sabotage(); print(flush=True); time.sleep(60)"
)


class Known(Fault):
    name = "known"
    silence = 0.5
    rungs = frozenset({LadderRung.LAST_BARS})

    def provoke(self, rig):
        """Nothing."""


GOOD = FaultMeasures(0.4, 0.0, 0.01, ((LadderRung.LAST_BARS, 2.0),), 1.0)


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (GOOD, ""),
        (FaultMeasures(0.7, 0.0, None, (), 0.0), "silent for 0.70 s"),
        (FaultMeasures(0.0, 0.0, 0.03, (), 0.0), "frames are +30 ms off"),
        (FaultMeasures(0.0, 0.0, -3.0, (), 0.0), "frames are -3000 ms off"),
        (FaultMeasures(0.0, 0.0, None, ((LadderRung.UNHEARD, 1.0),), 0.0), "fell to: unheard"),
        (FaultMeasures(0.0, 0.0, None, (), None), "did not come back"),
        (FaultMeasures(0.0, 0.0, None, (), 6.0), "back after 6.0 s"),
        (FaultMeasures(problem="there is no mind"), "there is no mind"),
    ],
)
def test_each_bar_is_told_where_it_is_missed(measured, words):
    assert measured.missed(Known(), FaultMeasures(0.1)) == ([words] if words else [])


def test_what_comes_twice_is_missed_but_where_the_last_bars_are_expected():
    twice = FaultMeasures(0.0, 1.4, None, (), 0.0)
    assert twice.missed(NoFault(), None) == ["1.4 s came twice"]
    assert twice.missed(Known(), None) == []


def test_the_table_has_the_worst_of_all_and_says_what_was_left_out():
    bad = FaultMeasures(0.9, 0.0, -0.002, (), 2.0)
    reports = [FaultReport(Known(), (GOOD, bad), FaultMeasures(0.0)), FaultReport(NoFault(), (), None, "no disk")]
    table = as_table(reports).splitlines()
    assert table[2] == "| known | **900** (400, 900) | 0.0 | +10 | last bars 2.0 | 2.0 | **silent for 0.90 s** |"
    assert table[3] == "| none (control) | | | | | | left out: no disk |"
    assert json.loads(as_json(reports))[0]["times"][0]["rungs"] == {"last bars": 2.0}


def test_faults_have_names_of_their_own_and_are_chosen_by_words_with_the_control_first():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40
    assert [fault.name for fault in chosen(["player killed"])] == [
        "none (control)",
        "player killed",
        "audio and player killed",
    ]
    with pytest.raises(PerpetuumError, match="no fault is called nosuch"):
        chosen(["nosuch"])
    done = CliRunner().invoke(cli, ["chaos", "--list"])
    assert done.stdout.splitlines() == [fault.name for fault in FAULTS]
    assert CliRunner().invoke(cli, ["chaos"]).exit_code == 2


@pytest.mark.parametrize(
    ("status", "rung"),
    [
        ({"sentence": "Chaos: drone to pacat", "made": 5}, LadderRung.MUSIC),
        ({"sentence": "Chaos: drone, its last bars once more", "made": 5, "repeating": True}, LadderRung.LAST_BARS),
        ({"sentence": "Chaos: drone to nowhere, in real time: x", "made": 5}, LadderRung.UNHEARD),
        ({"sentence": "its recording plays", "made": 5, "substituted": True}, LadderRung.RECORDING),
        ({"sentence": "Chaos: drone is about to begin", "made": 0}, LadderRung.NOT_BEGUN),
        ({"sentence": "Chaos: closed"}, LadderRung.NOT_BEGUN),
    ],
)
def test_the_rung_is_what_the_installation_says(status, rung):
    assert rung_of(status) is rung


@pytest.mark.parametrize("name", ["chaos", "gallery", "every_setting"])
def test_a_copy_of_an_installation_is_one_that_is_always_open_and_plays_to_the_sink(name, tmp_path):
    copied = copy_installation(assets.installation(name), tmp_path / "files", "chaos", tmp_path / "state")
    done = CliRunner().invoke(cli, ["check", str(copied.file)])
    assert done.exit_code == 0, done.stdout
    text = copied.file.read_text()
    assert "argument: chaos" in text
    assert "hours: {every_day" not in text
    assert "token" not in text
    for scene in copied.scenes:
        assert scene.parent == tmp_path / "files"
        assert not scene.is_symlink()


def test_what_is_no_installation_is_refused(tmp_path):
    with pytest.raises(PerpetuumError, match="is no installation"):
        copy_installation(assets.scene("daylight"), tmp_path / "files", "chaos", tmp_path)


def test_a_child_dereferences_null_when_it_is_told_to_and_only_if_the_environment_allows_it():
    for allowed, expected in (("1", -signal.SIGSEGV), ("", -Sabotage.SEGFAULT.signal)):
        environment = {**os.environ, VARIABLE: allowed}
        with subprocess.Popen([sys.executable, "-c", WAITS], env=environment, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            child.send_signal(Sabotage.SEGFAULT.signal)
            assert child.wait(20) == expected, "without it a signal ends the process like any other"


def test_processes_below_one_are_found_stopped_and_go_on():
    sleeps = "import time; print(flush=True); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleeps!r}])"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        [child] = those(parent.pid, "time.sleep")
        assert list(descendants(parent.pid)) == [child]
        try:
            assert stop_tree(parent.pid) == [parent.pid, child]
            stat = Path(f"/proc/{child}/stat")  # it stops when it is next scheduled
            until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
            tell([child, parent.pid, child], signal.SIGCONT)
            until(lambda: stat.read_text().rpartition(")")[2].split()[0] != "T")
        finally:
            tell([child, parent.pid], signal.SIGKILL)
        parent.wait(10)
        tell([child], signal.SIGKILL)  # one that is gone is left alone


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
def test_the_wall_clock_of_a_process_leaps_while_it_runs_and_nothing_else_does(tmp_path):
    step = WallClockStep(tmp_path)
    assert step.works
    code = "import time\nwhile input() != 'end': print(time.time(), time.monotonic(), flush=True)"
    environment = {**os.environ, **step.environment}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for seconds in (0, 14 * 86_400, -14 * 86_400, 0):
            step.set(seconds)
            child.stdin.write("go\n")
            child.stdin.flush()
            wall, monotonic = map(float, child.stdout.readline().split())
            assert wall - time.time() == pytest.approx(seconds, abs=5)
            assert monotonic == pytest.approx(time.monotonic(), abs=5)
        child.stdin.write("end\n")
