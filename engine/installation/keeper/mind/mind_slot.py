# pyright: strict
"""The place of the mind: the process that decides now, and how another goes on where it stood."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from engine.codec import CodecError
from engine.installation.keeper.mind.messages import Beat, CannotPlay, Decided, FromMind, ToMind
from engine.installation.keeper.mind.warm import MIND, MindChild, WarmMind
from engine.processes.child import Gone
from engine.processes.reports import Cause
from engine.processes.stopped import is_stopped
from engine.processes.supervision import Limits, Supervision
from engine.processes.watchdog import Watchdog

LIMITS = Limits(restarts=6, period=60.0, first_delay=0.2, longest_delay=10.0, memory=400_000_000, lifetime=24 * 3600.0)
"""What a mind may do. One that is lost more often comes back after pauses: the last bars sound meanwhile."""

START_PATIENCE = 60.0
"""Seconds without a sign until it has read the scene. A slow and busy machine imports for half a minute, and one that
is ended before it has come to anything only begins anew."""

PATIENCE = 2.5
"""Seconds without any sign of life, later: something in it holds all of its threads, or it has no processor at all."""

STOPPED = 0.5
"""Seconds for which it may be stopped by a signal; the kernel says so, however busy the machine is."""

WARM_EVERY = 60.0
"""Seconds between two attempts to have another one wait for a section line."""

STEP_PATIENCE = 4.0
"""Seconds for one step of the conductor, which asks for phrases by rules; less than what is sealed ahead."""


class MindSlot:
    """Has one mind decide; one that dies, hangs, leaks or makes no sense gives way to another.

    Not thread-safe.

    Args:
        supervision: of the mind.
        orders: gives what a new one is told.
        deliver: called with (child, message) in a reader's thread.
        decided: takes what a mind has decided; raises `CodecError` if that makes no sense, and then takes nothing.
        cannot_play: told why a mind cannot play what it was told.
        command: what a mind runs; for tests.
        clock: gives seconds.
        warm: the first one, started already; None: it is started then.
    """

    def __init__(
        self,
        supervision: Supervision,
        orders: Callable[[], Sequence[ToMind]],
        deliver: Callable[[MindChild, FromMind | Gone], None],
        decided: Callable[[Decided], None],
        cannot_play: Callable[[CannotPlay], None],
        command: Sequence[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        warm: WarmMind | None = None,
    ) -> None:
        self.child: MindChild | None = None
        self._warm = warm
        self._worn = ""
        self._supervision = supervision
        self._orders = orders
        self._deliver = deliver
        self._decided = decided
        self._cannot_play = cannot_play
        self._command = command or MIND
        self._clock = clock
        self._restart_at = float("inf")
        self._refusal: CannotPlay | None = None
        self._steps = Watchdog(clock=clock)
        self._runs = Watchdog(clock=clock)
        self._looks = 0
        self._works = False
        self._warm_at = 0.0

    @property
    def pid(self) -> int | None:
        """Its process id; None while there is none."""
        return self.child.process.pid if self.child is not None else None

    @property
    def works(self) -> bool:
        """Whether it has decided something."""
        return self._works

    def start(self) -> None:
        """Start one."""
        self._works, self._looks, self._refusal, self._worn = False, 0, None, ""
        warm, self._warm = self._warm, None
        try:
            child = (warm or WarmMind(self._command)).take(self._deliver)
        except OSError as error:
            self._mark_lost(Cause.DIED, f"it cannot be started: {error}")
            return
        self.child = child
        self._restart_at = float("inf")
        self._supervision.began()
        self._steps.feed()
        self._runs.feed()
        for order in self._orders():
            self.send(order)

    def send(self, message: ToMind) -> None:
        """Tell it something, if it is there."""
        if self.child is not None:
            self.child.send(message)

    def look(self) -> None:
        """Start one if it is time; replace one that hangs or uses too much memory."""
        if self.child is None:
            if self._clock() >= self._restart_at:
                self.start()
            return
        if not is_stopped(self.child.process.pid):
            self._runs.feed()
        elif self._runs.hangs(STOPPED):
            self._replace(self.child, Cause.HUNG, f"it was stopped for {STOPPED:g} s")
            return
        finding = self._supervision.check(self.child.process.pid, PATIENCE if self._works else START_PATIENCE)
        if finding is not None:
            self._replace(self.child, finding.cause, finding.reason)
        elif self._works and self._steps.hangs(STEP_PATIENCE):
            self._replace(self.child, Cause.HUNG, f"it took more than {STEP_PATIENCE:g} s for a step")
        elif self._works:
            self._look_at_wear(self.child)

    def at_section(self) -> None:
        """A section begins in what was decided last: a good moment to let one that is worn go."""
        child, warm = self.child, self._warm
        if child is None or warm is None or not warm.ready or warm.gone or not self._works:
            return
        self.child = None
        child.kill()
        self._supervision.renewed(self._worn)
        self.start()

    def _look_at_wear(self, child: MindChild) -> None:
        """Have another one wait while one is worn: it takes its place at the next section, at once."""
        self._worn = self._supervision.worn(child.process.pid) or self._worn
        if self._warm is not None and self._warm.gone:
            self._warm.close()
            self._warm = None
        if self._worn and self._warm is None and self._clock() >= self._warm_at:
            self._warm_at = self._clock() + WARM_EVERY
            with suppress(OSError):
                self._warm = WarmMind(self._command)

    def take(self, child: MindChild, message: FromMind | Gone) -> None:
        """Take what a mind said."""
        if child is not self.child:
            return  # of one that was replaced
        if isinstance(message, Gone):
            self._replace(child, Cause.DIED if message.by_itself else Cause.BROKE_PROTOCOL, message.reason)
            return
        try:
            self._take(message)
        except CodecError as error:
            self._replace(child, Cause.BROKE_PROTOCOL, f"it sent what makes no sense: {error}")

    def close(self) -> None:
        """End it."""
        child, self.child, self._restart_at = self.child, None, float("inf")
        warm, self._warm = self._warm, None
        if child is not None:
            child.kill()  # nothing is lost by it: what it has decided is here
        if warm is not None:
            warm.close()

    def _take(self, message: FromMind) -> None:
        self._supervision.watchdog.feed()
        match message:
            case Decided():
                self._decided(message)
                if not self._works and message.state:
                    self._works = True
                    self._steps.feed()
                    self._supervision.started()
                if self._works:
                    self._supervision.works()
            case Beat(looks=looks, worn=worn):
                self._worn = worn or self._worn
                if looks != self._looks:
                    self._looks = looks
                    self._steps.feed()
            case CannotPlay():
                self._refusal = message

    def _replace(self, child: MindChild, cause: Cause, reason: str) -> None:
        self.child = None
        status = child.close(0.2) if cause is Cause.DIED else child.kill()
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            self._cannot_play(refusal)
            reason = refusal.reason
        else:
            reason = child.explained(reason, status if cause is Cause.DIED else None)
        self._mark_lost(cause, reason)

    def _mark_lost(self, cause: Cause, reason: str) -> None:
        retry_in = self._supervision.lost(reason, worked=self._works, cause=cause)
        self._works = False
        self._restart_at = float("inf") if retry_in is None else self._clock() + retry_in
