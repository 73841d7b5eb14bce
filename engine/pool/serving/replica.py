# pyright: strict
"""One replica of a pool: a process that Ray runs. It makes phrases in some threads and shows its health in another."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import psutil

from engine.pool.serving.making import Lanes, PhraseMaker, Rehearsal

REHEARSED = 32 << 20
"""Bytes of memory for the network of the rehearsals."""


class OverBudgetError(Exception):
    """A replica uses more memory than it may, and is to be replaced."""


class Replica:
    """Makes phrases.

    Args:
        models: bytes of memory that networks may take.
        memory: bytes that the process may take; above, it reports itself unwell, and Ray puts another in its place.
        batch: phrases that share calls of their network.
    """

    def __init__(self, models: int, memory: int, batch: int = 1) -> None:
        self._memory = memory
        self._process = psutil.Process(os.getpid())
        self._lanes = Lanes(models, batch)
        self._rehearse = Rehearsal(PhraseMaker(REHEARSED))
        # Of its own, so that no number of phrases that wait makes a healthy replica look dead.
        self._health = ThreadPoolExecutor(1, "health")

    async def make(self, kind: str, job: bytes, paths: Mapping[str, str]) -> tuple[bytes, str, int]:
        """Body, problem and batch of a `JobOutcome`; cancelled before a lane was free, it is not made."""
        outcome = await asyncio.wrap_future(self._lanes.submit(kind, job, paths))
        return outcome.body, outcome.problem, outcome.batch

    async def check_health(self) -> None:
        """Make one real bar; Ray asks every second.

        Raises:
            OverBudgetError: it takes too much memory.
            PerpetuumError: no bar can be made.
        """
        used = self._process.memory_info().rss
        if used > self._memory:
            raise OverBudgetError(f"it takes {used} bytes of memory, more than {self._memory}")
        await asyncio.get_running_loop().run_in_executor(self._health, self._rehearse)
