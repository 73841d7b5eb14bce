# pyright: strict
"""The top rung of the ladder: other machines. It never waits and never makes the music wait.

What it cannot have in time it gives up early enough for the networks of this machine to play instead.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.conductor.makers.contract import Job, Reply, SlowRung
from engine.score.time import SAMPLE_RATE

if TYPE_CHECKING:
    from engine.pool.asking.asker import Asker

log = logging.getLogger(__name__)

SHARE = 0.6
"""Of the time that is left the pool may take so much; the rest is for this machine's own networks."""

LONGEST_PATIENCE = 10.0
"""Seconds for a phrase, however much time there is."""

LEAST = 1.5
"""Seconds that must be left; with less, this machine's own networks are asked at once."""

BEFORE_THE_SOUND = 1.5
"""Seconds for the phrases of the first bars: somebody waits for the sound to begin."""

_FOREVER = 3600.0


class PoolRung(SlowRung):
    """Asks hosts over HTTP, in a thread of its own.

    Args:
        hosts: their URLs.
        token: gives the player's token, read anew for each request; empty for none.
    """

    name = "pool"

    def __init__(self, hosts: Sequence[str], token: Callable[[], str] = lambda: "") -> None:
        self._urls = tuple(hosts)
        self._token = token
        self._now: Callable[[], int] | None = None
        self._replies: queue.Queue[Reply] = queue.Queue()
        self._asked: dict[int, Future[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._asker: Asker | None = None
        self._thread = threading.Thread(target=self._run, name="pool", daemon=True)
        self._thread.start()

    def __enter__(self) -> PoolRung:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def heard_of(self) -> bool:
        """Whether any host has said yet what it has."""
        return self._asker is not None and any(host.has is not None for host in self._asker.hosts)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """In which hosts are asked."""
        return self._loop

    @property
    def asker(self) -> Asker | None:
        """Who asks, in that loop; None before and after."""
        return self._asker

    # SlowRung

    def follow(self, now: Callable[[], int]) -> None:
        """Be told what gives the frames of sound made so far."""
        self._now = now

    def takes(self, job: Job) -> bool:
        """What needs a network and leaves enough time, once a host has been heard of."""
        return job.network and self.heard_of and self._seconds_left(job) >= LEAST

    def submit(self, job: Job) -> None:
        """Take a job."""
        asker = self._asker
        if asker is None:
            raise RuntimeError("the pool is not asked yet")
        left = self._seconds_left(job)
        patience = BEFORE_THE_SOUND if left > _FOREVER else min(SHARE * left, LONGEST_PATIENCE)
        self._asked[job.ticket] = asyncio.run_coroutine_threadsafe(self._ask(asker, job, patience), self._loop)

    def poll(self, timeout: float) -> Sequence[Reply]:
        """Replies that have come in; waits up to `timeout` seconds for the first one."""
        found: list[Reply] = []
        with suppress(queue.Empty):
            found.append(self._replies.get(timeout=timeout) if timeout > 0 else self._replies.get_nowait())
            while True:
                found.append(self._replies.get_nowait())
        for reply in found:
            self._asked.pop(reply.ticket, None)
        return found

    def cancel(self, tickets: Sequence[int]) -> None:
        """Nobody waits for these any more."""
        for ticket in tickets:
            if (asked := self._asked.pop(ticket, None)) is not None:
                asked.cancel()

    def close(self) -> None:
        """Ask nobody any more."""
        for asked in list(self._asked.values()):
            asked.cancel()
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2.0)

    def _seconds_left(self, job: Job) -> float:
        return (job.deadline - self._now()) / SAMPLE_RATE if self._now is not None else 2 * _FOREVER

    async def _ask(self, asker: Asker, job: Job, patience: float) -> None:
        try:
            raw, phrase, seconds = await asker.ask(job, patience)
        except Exception as error:  # the next rung takes over, whatever it is
            self._replies.put(Reply(job.ticket, None, None, str(error) or repr(error)))
        else:
            self._replies.put(Reply(job.ticket, raw, phrase, "", seconds))

    def _run(self) -> None:
        # Half a second of a Raspberry Pi, which nobody waits for here.
        from engine.pool.asking.asker import Asker

        try:
            # It cancels at its end whatever is left, and closes the loop.
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                loop = runner.get_loop()
                asyncio.set_event_loop(loop)
                asker = Asker(self._urls, self._token)
                loop.call_soon(asker.start)
                self._asker = asker
                loop.run_forever()
                loop.run_until_complete(asker.close())
        except Exception:
            log.exception("the pool cannot be asked any more")
            self._asker = None
