"""Ctrl-C and SIGTERM: a sentence, the status that shells expect, nothing half done (see proofs/interrupts)."""

from __future__ import annotations

import signal
import time

import pytest

from engine.cli import main
from engine.cli.interruptions import Interruptions
from engine.errors import Terminated
from tests.proofs.interrupts import interrupted


@pytest.mark.parametrize(
    ("verb", "after", "number", "status"),
    [
        ("render", 2.5, signal.SIGTERM, 143),
        ("generate", 1.5, signal.SIGINT, 130),
        ("plan", 0.3, signal.SIGINT, 130),
    ],
)
def test_a_verb_that_is_stopped_ends_with_the_signals_status_a_line_and_no_broken_file(verb, after, number, status):
    ended = interrupted(verb, after, number)
    assert ended.status in (status, -number)
    assert not ended.problem(verb, signal.SIGINT if number == signal.SIGTERM else number).startswith("a traceback")
    assert ended.left == ()
    assert len(ended.said.splitlines()) <= 2


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_what_a_signal_makes_of_a_library_is_no_failure_of_its_own(monkeypatch, capsys, number, status):
    """Libraries turn what is raised in the middle of them into errors of theirs; that is not what is said."""

    def wrapped(**_):
        try:
            signal.raise_signal(number)
        except BaseException as error:
            raise ImportError("numpy cannot be imported") from error

    monkeypatch.setattr("engine.cli.cli.main", wrapped)
    found = signal.getsignal(number)
    before = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    signal.signal(number, before)  # what started the tests may ignore it, as nohup does
    try:
        with pytest.raises(SystemExit) as ended:
            main(["scenes"])
        assert signal.getsignal(number) is before
    finally:
        signal.signal(number, found)
    assert ended.value.code == status
    assert capsys.readouterr().err == "perpetuum: stopped\n"


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_an_interruption_that_a_destructor_swallows_is_raised_once_more(number, raised):
    """Python prints and drops what is raised there, and Ctrl-C would be lost."""

    class Fragile:
        def __del__(self) -> None:
            if not seen:
                seen.append(1)
                signal.raise_signal(number)

    seen: list[int] = []
    fragile: Fragile | None = Fragile()
    with Interruptions():
        fragile = None
        assert fragile is None
        with pytest.raises(raised):
            time.sleep(10)
    assert seen == [1]


def test_a_closed_standard_error_does_not_make_a_traceback_of_a_wrong_command_line(monkeypatch):
    monkeypatch.setattr("click.exceptions.UsageError.show", lambda self: (_ for _ in ()).throw(OSError(28, "full")))
    monkeypatch.setattr("os.dup2", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main(["rendr"])
    assert ended.value.code == 2
