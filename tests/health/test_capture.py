"""A microphone is recorded for months: whatever its program prints, and though it is stopped."""

import sys

import numpy as np
import pytest

from engine.health.room import capture
from engine.health.room.capture import RoomCapture
from tests.runtime.sound import until

NUMBER = """
import os, sys, pathlib
run = pathlib.Path(sys.argv[1])
number = int(run.read_text()) + 1 if run.exists() else 1
run.write_text(str(number))
"""
SOUND = """
import time
while True:
    sys.stdout.buffer.write(b"\\0\\x40" * 1600 * number)
    sys.stdout.buffer.flush()
    time.sleep(0.01)
"""


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """Starts a capture whose program is a script; gives the pieces that come."""
    captures, pieces = [], []

    def start(script):
        words = (sys.executable, "-c", NUMBER + script, str(tmp_path / "runs"))
        monkeypatch.setattr(capture, "command_for", lambda device: words)
        captures.append(RoomCapture("default", pieces.append))
        return pieces

    yield start
    for one in captures:
        one.close()


def test_a_program_that_prints_without_end_goes_on_recording(recorded):
    """A bare card tells of each overrun, which in months is more than a pipe holds."""
    pieces = recorded("sys.stderr.write('overrun!!!\\\\n' * 40_000)\nsys.stderr.flush()\n" + SOUND)
    until(lambda: len(pieces) > 5, 60)
    assert np.allclose(pieces[0], 0.5)
    assert all(len(piece) == capture.PIECE for piece in pieces)


def test_one_that_is_stopped_is_replaced(recorded, monkeypatch, tmp_path):
    monkeypatch.setattr(capture, "STALLED", 0.5)
    recorded("import signal\nif number == 1: os.kill(os.getpid(), signal.SIGSTOP)\n" + SOUND)
    until(lambda: (tmp_path / "runs").exists() and (tmp_path / "runs").read_text() >= "2", 60)


def test_why_it_ended_is_said_in_its_own_words(recorded, caplog):
    recorded("sys.exit('no such source')\n")
    until(lambda: "no such source" in caplog.text, 60)
