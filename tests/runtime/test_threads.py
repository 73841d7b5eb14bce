"""Threads that the main thread waits for."""

from __future__ import annotations

import signal
import threading

import pytest

from engine.runtime.threads import SteadyThread


class StruckError(Exception):
    """Raised by a signal's handler."""


def test_a_signal_that_raises_while_one_waits_for_a_thread_does_not_make_it_look_ended():
    """`threading.Thread` of Python 3.11 fails this."""
    free = threading.Event()
    thread = SteadyThread(free.wait, "waits")
    thread.start()

    def strike(*_: object) -> None:
        raise StruckError

    before = signal.signal(signal.SIGALRM, strike)
    try:
        for _ in range(3):
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            with pytest.raises(StruckError):
                thread.join(60)
            assert thread.is_alive()
    finally:
        signal.signal(signal.SIGALRM, before)
    free.set()
    thread.join(60)
    assert not thread.is_alive()


def test_a_thread_that_was_not_started_cannot_be_waited_for():
    thread = SteadyThread(lambda: None, "not started")
    assert not thread.is_alive()
    with pytest.raises(RuntimeError, match="'not started' was not started"):
        thread.join()


def test_a_thread_that_raises_is_over():
    thread = SteadyThread(lambda: [][0], "raises")
    hook, threading.excepthook = threading.excepthook, lambda _: None
    try:
        thread.start()
        thread.join(60)
    finally:
        threading.excepthook = hook
    assert not thread.is_alive()
