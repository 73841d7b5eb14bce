# pyright: strict
"""Jobs by their keys: each is done once, however often and by however many it is asked for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

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
        self._making: dict[str, _Making] = {}

    @property
    def making(self) -> int:
        """Jobs that are being made."""
        return len(self._making)

    async def of(self, key: str, make: Callable[[], Awaitable[JobOutcome]], seconds: float) -> tuple[JobOutcome, bool]:
        """(outcome of a job, whether it was asked for before).

        A job is given up when the last who asked for it waits no more; where it has not been begun, it is not made.

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
        making = self._making.get(key)
        again = making is not None
        if making is None:
            if len(self._making) >= self._most:
                raise MakersAwayError(f"{self._most} phrases are being made already")
            making = self._making[key] = _Making(asyncio.ensure_future(self._make(key, make)))
            making.task.add_done_callback(_looked_at)
        making.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(making.task), again
        finally:
            making.waiting -= 1
            if not making.waiting and not making.task.done():
                making.task.cancel()
                if self._making.get(key) is making:  # who asks from now on has it made anew
                    del self._making[key]

    async def _make(self, key: str, make: Callable[[], Awaitable[JobOutcome]]) -> JobOutcome:
        task = asyncio.current_task()
        try:
            outcome = await make()
        finally:
            if key in self._making and self._making[key].task is task:
                del self._making[key]
        if outcome.body and key not in self._done:
            self._done[key] = outcome
            self._bytes += len(outcome.body)
            while self._bytes > self._remembered:
                self._bytes -= len(self._done.popitem(last=False)[1].body)
        return outcome


@dataclass
class _Making:
    """A job that is being made, and how many wait for it."""

    task: asyncio.Task[JobOutcome]
    waiting: int = 0


def _looked_at(task: asyncio.Task[JobOutcome]) -> None:
    """What failed and nobody waits for any more is no news."""
    if not task.cancelled():
        task.exception()
