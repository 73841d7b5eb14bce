# pyright: strict
"""Jobs by their keys: each is done once, however often and by however many it is asked for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from engine.pool.serving.makers import JobOutcome, MakersAwayError


class Answers:
    """Remembers outcomes, and lets whoever asks for what is being made wait for the same.

    Args:
        remembered: bytes of answers that are kept.
        most: jobs that are made at once, or wait for it.
    """

    def __init__(self, remembered: int = 64 << 20, most: int = 128) -> None:
        self._remembered = remembered
        self._most = most
        self._done: OrderedDict[str, JobOutcome] = OrderedDict()
        self._bytes = 0
        self._making: dict[str, asyncio.Task[JobOutcome]] = {}

    @property
    def making(self) -> int:
        """Jobs that are being made."""
        return len(self._making)

    async def of(self, key: str, make: Callable[[], Awaitable[JobOutcome]], seconds: float) -> tuple[JobOutcome, bool]:
        """(outcome of a job, whether it was asked for before).

        Whoever stops waiting stops nothing: asked again, perhaps after a broken connection, the answer is there.

        Args:
            key: of the job.
            make: does it.
            seconds: for which it is waited for.

        Raises:
            TimeoutError: it takes longer.
            MakersAwayError: nobody can make it now, or too much is being made already.
        """
        if (outcome := self._done.get(key)) is not None:
            self._done.move_to_end(key)
            return outcome, True
        task = self._making.get(key)
        again = task is not None
        if task is None:
            if len(self._making) >= self._most:
                raise MakersAwayError(f"{self._most} phrases are being made already")
            task = asyncio.ensure_future(self._make(key, make))
            task.add_done_callback(_looked_at)
            self._making[key] = task
        async with asyncio.timeout(seconds):
            return await asyncio.shield(task), again

    async def _make(self, key: str, make: Callable[[], Awaitable[JobOutcome]]) -> JobOutcome:
        try:
            outcome = await make()
        finally:
            del self._making[key]
        if outcome.body:
            self._done[key] = outcome
            self._bytes += len(outcome.body)
            while self._bytes > self._remembered:
                self._bytes -= len(self._done.popitem(last=False)[1].body)
        return outcome


def _looked_at(task: asyncio.Task[JobOutcome]) -> None:
    """What failed and nobody waits for any more is no news."""
    if not task.cancelled():
        task.exception()
