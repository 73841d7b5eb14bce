# pyright: strict
"""One replica of a pool: a process that Ray runs. It makes phrases in some threads and shows its health in another."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import psutil

from engine.pool.serving.file.config import HEAVY, Compute
from engine.pool.serving.making.banks import make_bank
from engine.pool.serving.making.phrases import Lanes, PhraseMaker, Rehearsal
from engine.pool.serving.making.twins import Twins

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
        compute: what plays heavy networks.
        heavy: bytes of a weights file above which they are.
        early: import what plays those now, and not when the first is asked for.
    """

    def __init__(
        self,
        models: int,
        memory: int,
        batch: int = 1,
        compute: Compute = Compute.AUTO,
        heavy: int = HEAVY,
        early: bool = False,
    ) -> None:
        self._memory = memory
        self._process = psutil.Process(os.getpid())
        self._twins = Twins(compute, heavy)
        self._lanes = Lanes(models, batch, self._twins)
        self._rehearse = Rehearsal(PhraseMaker(REHEARSED))
        self._banks = ThreadPoolExecutor(1, "banks")
        # Of its own, so that no number of phrases that wait makes a healthy replica look dead.
        self._health = ThreadPoolExecutor(1, "health")
        if early:
            self._banks.submit(self._twins.prepare)

    async def make(
        self, kind: str, job: bytes, paths: Mapping[str, str], plain: str = ""
    ) -> tuple[bytes, str, int, str]:
        """What a `JobOutcome` has; cancelled before a lane was free, it is not made.

        Args:
            kind: of the generator.
            job: to be done.
            paths: as in `Makers.make`.
            plain: why TensorFlow plays nothing more here; empty: it may.
        """
        if plain:
            self._twins.give_up(plain)
        outcome = await asyncio.wrap_future(self._lanes.submit(kind, job, paths))
        return outcome.body, outcome.problem, outcome.batch, outcome.heavy

    async def make_bank(self, body: bytes, checkpoints: Sequence[str]) -> tuple[bytes, str, int, str]:
        """See `make`; banks are made one after the other, beside the phrases."""
        outcome = await asyncio.get_running_loop().run_in_executor(self._banks, make_bank, body, checkpoints)
        return outcome.body, outcome.problem, 0, ""

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
