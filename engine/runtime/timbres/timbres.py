# pyright: strict
"""Banks of notes seen from the conductor: orders go out, and what came of each comes back once.

A process is started when something is to be made that the cache does not have, and ends when all is made: what it
imported is not kept in memory for days. One that dies or hangs is given each bank twice at most.
"""

from __future__ import annotations

import logging
import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Protocol

from engine.codec import CodecError
from engine.processes.child import Child, Gone, OomScore, python_module
from engine.processes.reports import Cause, Reporter, log_report
from engine.processes.supervision import Limits, Supervision
from engine.runtime.timbres.messages import (
    FROM_BANK_MAKER,
    TO_BANK_MAKER,
    BankFailed,
    BankMade,
    BankOrder,
    FromBankMaker,
    Making,
    ToBankMaker,
)
from engine.runtime.workers.slot import THREADS
from engine.timbres.bank_cache import BankCache

log = logging.getLogger(__name__)

PATIENCE = 300.0
"""Seconds without a sign of life: a small machine with much to do reads 200 MB, and imports TensorFlow, in a minute."""

MEMORY = 2_500_000_000
"""Bytes that the process may use; a GANSynth of the published size takes 770 MB."""

LIMITS = Limits(restarts=6, period=600.0, first_delay=1.0, longest_delay=60.0, away=5.0, memory=MEMORY)

ATTEMPTS = 2
"""How often a bank is begun whose making ends the process: once may be an accident, such as a memory that was full."""


class KeptBanks:
    """The banks that are there, for a performance in which none is made: each was, before it began.

    Args:
        cache: where they lie.
    """

    def __init__(self, cache: BankCache) -> None:
        self.cache = cache
        self._lacking: list[BankMade | BankFailed] = []

    def find(self, digest: str) -> str | None:
        """See `Timbres`."""
        found = self.cache.find(digest)
        return str(found) if found is not None else None

    def want(self, orders: Sequence[BankOrder]) -> None:
        """Nothing is made: what is not there could not be, and why was said before."""
        self._lacking += [BankFailed(order.digest, "") for order in orders]

    def poll(self) -> list[BankMade | BankFailed]:
        """What is not there, without a reason."""
        found, self._lacking = self._lacking, []
        return found


class BankSource(Protocol):
    """Somebody else who may make banks, such as a pool."""

    def takes(self, order: BankOrder) -> bool:
        """Whether it can be asked now."""
        ...

    def submit(self, order: BankOrder) -> None:
        """Have one made, and none other any more."""
        ...

    def poll(self) -> Sequence[BankMade | BankFailed]:
        """What has come of it. Never waits."""
        ...

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        ...


BankChild = Child[ToBankMaker, FromBankMaker]


class Timbres:
    """Has banks made. Not thread-safe.

    Args:
        cache: where they lie; None for the user's.
        command: what the process runs; for tests.
        report: told what is found out about it, in the thread that polls.
        patience: seconds without a sign of life.
        limits: what it may do.
        clock: gives seconds.
    """

    def __init__(
        self,
        cache: BankCache | None = None,
        command: Sequence[str] | None = None,
        report: Reporter = log_report,
        patience: float = PATIENCE,
        limits: Limits = LIMITS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cache = cache if cache is not None else BankCache()
        self.share = 0.0
        self._command = list(command) if command is not None else python_module("engine.runtime.timbres.process")
        self._patience = patience
        self._clock = clock
        self._supervision = Supervision("timbres", limits, report, clock)
        self._arrivals: queue.SimpleQueue[tuple[BankChild, FromBankMaker | Gone]] = queue.SimpleQueue()
        self._orders: deque[BankOrder] = deque()
        self._found: deque[BankMade | BankFailed] = deque()
        self._attempts: Counter[str] = Counter()
        self._child: BankChild | None = None
        self._busy: BankOrder | None = None
        self._start_at = 0.0
        self._first: BankSource | None = None
        self._asked_first: set[str] = set()
        self._away = False

    def ask_first(self, source: BankSource) -> None:
        """Have each bank made by somebody else, once; what they cannot make is made here."""
        self._first = source

    def __enter__(self) -> Timbres:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def waiting(self) -> int:
        """How many banks are still to be made."""
        return len(self._orders) + (self._busy is not None)

    @property
    def pid(self) -> int | None:
        """Process id of who makes them; None where there is none now."""
        return self._child.process.pid if self._child is not None else None

    def find(self, digest: str) -> str | None:
        """The instrument file of a bank that is in the cache."""
        found = self.cache.find(digest)
        return str(found) if found is not None else None

    def want(self, orders: Sequence[BankOrder]) -> None:
        """Have these made, in their order, and nothing else any more; each is answered by `poll` once."""
        self._orders = deque({order.digest: order for order in orders}.values())
        if self._busy is None:
            return
        if any(order.digest == self._busy.digest for order in self._orders):
            self._orders = deque(order for order in self._orders if order.digest != self._busy.digest)
        else:
            self._end()

    def poll(self) -> list[BankMade | BankFailed]:
        """What came of orders since the last call; starts and ends the process as is needed. Never waits."""
        while True:
            try:
                child, message = self._arrivals.get_nowait()
            except queue.Empty:
                break
            if child is self._child:
                self._take(child, message)
        for answer in self._first.poll() if self._first is not None else ():
            self._take_first(answer)
        self._look()
        found = list(self._found)
        self._found.clear()
        return found

    def close(self) -> None:
        """End the process; what was not made is not answered."""
        self._orders.clear()
        self._end()

    def _end(self) -> None:
        if self._away and self._first is not None:
            self._first.cancel()
        self._away = False
        child, self._child, self._busy = self._child, None, None
        if child is not None:
            child.kill()

    def _take_first(self, message: BankMade | BankFailed) -> None:
        if not self._away or self._busy is None or message.digest != self._busy.digest:
            return  # nobody waits for it any more
        order, self._busy, self._away = self._busy, None, False
        if isinstance(message, BankMade):
            self._found.append(message)
        else:
            log.warning("a bank of notes is made here: %s", message.problem)
            self._orders.appendleft(order)

    def _take(self, child: BankChild, message: FromBankMaker | Gone) -> None:
        self._supervision.watchdog.feed()
        match message:
            case Making(share=share):
                self.share = share
            case BankMade() | BankFailed():
                if self._busy is None or message.digest != self._busy.digest:
                    self._lost(child, Cause.BROKE_PROTOCOL, "it answered an order that it did not have")
                    return
                self._busy = None
                self._supervision.works()
                self._found.append(message)
            case Gone(reason=reason, by_itself=by_itself):
                self._lost(child, Cause.DIED if by_itself else Cause.BROKE_PROTOCOL, reason)

    def _look(self) -> None:
        child = self._child
        if child is not None:
            finding = self._supervision.check(
                child.process.pid, self._patience if self._busy and not self._away else None
            )
            if finding is not None:
                self._lost(child, finding.cause, finding.reason)
            elif self._busy is None and not self._orders:
                self._end()
        if self._busy is None and self._orders and self._clock() >= self._start_at:
            self._begin(self._orders.popleft())

    def _begin(self, order: BankOrder) -> None:
        if (there := self.find(order.digest)) is not None:
            self._found.append(BankMade(order.digest, there, 0.0))
            return
        self.share = 0.0
        if self._first is not None and order.digest not in self._asked_first and self._first.takes(order):
            self._asked_first.add(order.digest)
            self._busy, self._away = order, True
            self._first.submit(order)
            return
        self._attempts[order.digest] += 1
        try:
            if self._child is None:
                self._child = Child(
                    "timbres",
                    self._command,
                    TO_BANK_MAKER,
                    FROM_BANK_MAKER,
                    self._deliver,
                    OomScore.BACKGROUND,
                    extra_env=THREADS,
                )
                self._supervision.began()
                self._supervision.started()
            self._child.send(order)
        except CodecError as error:  # a plug-in's settings that cannot travel
            self._found.append(BankFailed(order.digest, f"it cannot be sent to another process: {error}"))
            return
        except OSError as error:
            self._again(order, f"no process can be started: {error}")
            return
        self._busy = order
        self._supervision.watchdog.feed()

    def _deliver(self, child: BankChild, message: FromBankMaker | Gone) -> None:
        self._arrivals.put((child, message))

    def _lost(self, child: BankChild, cause: Cause, reason: str) -> None:
        order, self._child, self._busy = self._busy, None, None
        status = child.close(0.2) if cause is Cause.DIED else child.kill()
        reason = child.explained(reason, status if cause is Cause.DIED else None)
        retry_in = self._supervision.lost(reason, worked=False, cause=cause)
        self._start_at = self._clock() + (retry_in or 0.0)
        if order is not None:
            self._again(order, f"the process that made it: {reason}")

    def _again(self, order: BankOrder, problem: str) -> None:
        if self._attempts[order.digest] < ATTEMPTS:
            self._orders.appendleft(order)
        else:
            self._found.append(BankFailed(order.digest, problem))
