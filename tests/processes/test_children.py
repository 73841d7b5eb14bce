import os
import signal
import subprocess
import sys

import pytest

from engine.errors import Terminated
from tests.runtime.sound import until

PARENT = """
import sys, time
from engine.runtime.audio import Audio
from engine.runtime.workers import Workers
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
