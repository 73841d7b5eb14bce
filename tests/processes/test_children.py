import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import Terminated
from engine.processes.child import OomScore, start_bound
from tests.runtime.sound import until

PARENT = """
import sys, time
from engine.runtime.audio import Audio
from engine.runtime.workers.workers import Workers
from tests.runtime.sound import DUMMY, setup
audio = Audio(command=DUMMY)
audio.start()
audio.send(setup("a"))
workers = Workers(command=[sys.executable, "-m", "tests.dummies.worker"])
real = Workers()
while not (workers.ready and real.ready and audio.state == "playing"):
    workers.poll(0.01), real.poll(0.01)
pids = [audio.pid, *workers.pids, *real.pids]
print(*pids, flush=True)
time.sleep(3600)
"""


FROZEN = """
import sys, threading, time
from engine.runtime.audio import Audio
from tests.runtime.sound import DUMMY, Reports, setup, until
found = Reports()
with Audio(command=DUMMY, pipe_bytes=1 << 16, report=found) as audio:
    def read():
        while not audio.over:
            audio.pipe.read(2048, 0.05)
    threading.Thread(target=read, daemon=True).start()
    audio.send(setup("a"))
    audio.begin()
    until(lambda: audio.spare_pid)
    print(audio.pid, audio.spare_pid, flush=True)
    sys.stdin.readline()
    before = audio.frame
    until(lambda: audio.frame > before + 24_000)
    print(found.lost(), found.lost("audio spare"), flush=True)
"""


def gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_child_outlives_its_parent(number):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        with parent.stdout as stream:
            pids = [int(word) for word in stream.readline().split()]
        assert len(pids) == 3
        assert not any(gone(pid) for pid in pids)
    finally:
        parent.send_signal(number)
        parent.wait()
    until(lambda: all(gone(pid) for pid in pids))


def test_children_are_not_blamed_for_the_time_in_which_all_of_us_were_frozen():
    """As by a container that is paused: we go on first, and see at once that no sound came for a second."""
    command = [sys.executable, "-c", FROZEN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        pids = [parent.pid, *(int(word) for word in parent.stdout.readline().split())]
        assert len(pids) == 3
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(1.0)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.1)
        lost, _ = parent.communicate("\n", timeout=60)
    assert lost.split() == ["0", "0"]


def test_the_first_signal_asks_and_the_second_interrupts():
    from engine.runtime.signals import StopSignals

    before = signal.getsignal(signal.SIGINT)
    with StopSignals() as stop:
        assert not stop.asked
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Terminated):
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_that_was_ignored_stays_ignored():
    from engine.runtime.signals import StopSignals

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.asked
    finally:
        signal.signal(signal.SIGHUP, before)


def test_where_memory_runs_out_the_kernel_is_told_to_end_what_can_be_made_again_unheard_first():
    own = int(Path("/proc/self/oom_score_adj").read_text())
    scores = {}
    for what in OomScore:
        process = start_bound(["sleep", "60"], what)
        scores[what] = int(Path(f"/proc/{process.pid}/oom_score_adj").read_text()) - own
        process.kill()
        process.wait()
    assert sorted(scores, key=scores.__getitem__) == [
        OomScore.PLAYER,
        OomScore.AUDIO,
        OomScore.MIND,
        OomScore.RECORDER,
        OomScore.WORKER,
        OomScore.BACKGROUND,
    ]
    assert all(score > 0 for score in scores.values())
