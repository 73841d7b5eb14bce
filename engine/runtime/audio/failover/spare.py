# pyright: strict
"""A spare audio process: it has imported what it needs and waits for a setup, so that it can take over at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from engine.processes.reports import Cause
from engine.processes.supervision import Supervision
from engine.runtime.audio.processes import AudioChild
from engine.sound.messages import Ping

SPARE_DELAY = 2.0
"""Seconds after the first sound at which a spare process is started: until then networks are loaded. Later ones come
at once."""

PING_INTERVAL = 0.5
"""Seconds between two questions whether it is well."""

PING_PATIENCE = 0.3
"""Seconds for an answer; who needs longer would not take over in time either."""


@dataclass
class _Standby:
    """The process that waits.

    Attributes:
        child: the process.
        answered: whether it has ever answered: it has imported what it needs.
        asked: whether an answer is still to come.
        ask_at: when it is asked next, in seconds.
    """

    child: AudioChild
    answered: bool = False
    asked: bool = False
    ask_at: float = 0.0


class Spare:
    """At most one process in waiting; one that dies or does not answer is replaced before it is needed.

    Not thread-safe; whoever owns it holds a lock.

    Args:
        spawn: starts a process; may raise OSError.
        discard: ends a process that is no longer wanted.
        start_patience: seconds for its first answer, which comes once it has imported what it needs.
        supervision: of the spares.
        clock: gives seconds.
    """

    def __init__(
        self,
        spawn: Callable[[], AudioChild],
        discard: Callable[[AudioChild], None],
        start_patience: float,
        supervision: Supervision,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spawn = spawn
        self._discard = discard
        self._start_patience = start_patience
        self._supervision = supervision
        self._clock = clock
        self._start_at = float("inf")
        self._standby: _Standby | None = None

    @property
    def child(self) -> AudioChild | None:
        """The process, if there is one."""
        return self._standby.child if self._standby is not None else None

    @property
    def ready(self) -> bool:
        """Whether there is one that has imported what it needs."""
        return self._standby is not None and self._standby.answered

    def start_at(self, moment: float) -> None:
        """Have one from a moment on (seconds of the clock); an earlier moment stays."""
        self._start_at = min(self._start_at, moment)

    def look(self) -> None:
        """Start one if it is time, ask it whether it is well, replace one that does not answer."""
        standby = self._standby
        if standby is None:
            if self._clock() >= self._start_at:
                self._start()
            return
        patience = (PING_PATIENCE if standby.answered else self._start_patience) if standby.asked else None
        finding = self._supervision.check(standby.child.process.pid, patience)
        if finding is not None:
            self._lose(standby, finding.reason, finding.cause)
        elif not standby.asked and self._clock() >= standby.ask_at:
            self._ask(standby)

    def answered(self, child: AudioChild) -> None:
        """It answered."""
        standby = self._standby
        if standby is None or standby.child is not child:
            return
        if standby.answered:
            self._supervision.works()
        else:
            standby.answered = True
            self._supervision.started()
        standby.asked = False
        standby.ask_at = self._clock() + PING_INTERVAL

    def gone(self, child: AudioChild) -> bool:
        """Whether it was the spare that has gone; another is started after a pause."""
        standby = self._standby
        if standby is None or standby.child is not child:
            return False
        self._lose(standby, "it ended", Cause.DIED)
        return True

    def take(self) -> AudioChild | None:
        """Give it away."""
        child, self._standby = self.child, None
        self._start_at = float("inf")
        return child

    def _start(self) -> None:
        try:
            standby = _Standby(self._spawn())
        except OSError:
            self._start_at = self._clock() + self._supervision.restarts.unavailable()
            return
        self._standby = standby
        self._supervision.began()
        self._ask(standby)

    def _ask(self, standby: _Standby) -> None:
        standby.child.send(Ping())
        standby.asked = True
        self._supervision.watchdog.feed()

    def _lose(self, standby: _Standby, reason: str, cause: Cause) -> None:
        self._standby = None
        retry_in = self._supervision.lost(reason, worked=False, cause=cause)
        self._start_at = float("inf") if retry_in is None else self._clock() + retry_in
        self._discard(standby.child)
