# pyright: strict
"""A thread that a signal cannot make look as if it had ended."""

from __future__ import annotations

import threading
from collections.abc import Callable


class SteadyThread(threading.Thread):
    """A daemon thread whose end is its own word.

    While the main thread waits in `join`, a signal's handler may raise there. Python 3.11 then takes the thread for
    ended although it runs (its `_wait_for_tstate_lock` releases the lock that the running thread holds), and what stops
    in reverse would stop what the thread still uses.

    Args:
        run: what it does.
        name: for logs and stacks.
    """

    def __init__(self, run: Callable[[], object], name: str) -> None:
        super().__init__(target=run, name=name, daemon=True)
        self._over = threading.Event()

    def run(self) -> None:
        """Do it, and say when it is over."""
        try:
            super().run()
        finally:
            self._over.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it is over, at most `timeout` seconds.

        Raises:
            RuntimeError: it was not started.
        """
        if self.ident is None:
            raise RuntimeError(f"the thread {self.name!r} was not started")
        self._over.wait(timeout)

    def is_alive(self) -> bool:
        """Whether it was started and is not over."""
        return self.ident is not None and not self._over.is_set()
