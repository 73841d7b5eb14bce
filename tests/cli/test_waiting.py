"""Facts about what is said to somebody who waits."""

import os
import pty

import pytest

from engine.cli import waiting
from engine.errors import PerpetuumError
from engine.progress import heard_by, part, tell


def test_parts_of_a_work_tell_how_far_the_whole_is():
    heard = []
    with heard_by(heard.append):
        with part(0, 1, 4):
            tell(0.5)
        with part(1, 4, 4), part(1, 2, 3):
            tell(1.0)
    tell(0.7)
    assert heard == [0.125, 0.75]


def test_nothing_is_said_for_two_seconds_and_then_how_far_it_is_and_how_long_it_lasts(capsys, monkeypatch):
    now = 100.0
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now)
    with waiting.progress("network", 2) as advance:
        tell(0.0)
        now += 1.9
        tell(0.2)
        assert capsys.readouterr().err == ""
        now += 0.6
        tell(0.25)
        assert capsys.readouterr().err == "network: 12%, about 18 s left\n"
        now += 4
        tell(0.5)
        assert capsys.readouterr().err == ""
        now += 13.5
        advance()
        assert capsys.readouterr().err == "network: 50%, about 20 s left\n"


def test_on_a_terminal_there_is_a_bar(monkeypatch):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        with waiting.progress("net[work]"):
            tell(0.5)
        terminal.write("end")
        terminal.flush()
        shown = b""
        while not shown.endswith(b"end"):
            shown += os.read(ours, 100_000)
    os.close(ours)
    assert b"net[work]" in shown


def test_who_stops_it_hears_what_was_written():
    def stopped():
        with waiting.progress("x", 3) as advance:
            advance()
            raise KeyboardInterrupt

    with pytest.raises(PerpetuumError, match="1 of 3 files are written, whole"):
        stopped()
