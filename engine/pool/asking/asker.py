# pyright: strict
"""Asks the hosts of a pool for phrases: the first that can, one more if that one is slow or fails, and no more."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from engine.conductor.makers.breaker import Circuit
from engine.conductor.makers.contract import Job
from engine.errors import PerpetuumError
from engine.generators.playable import UnplayableError, validated
from engine.pool.asking.client import HostClient, HostLostError, HostRefusedError
from engine.pool.asking.host import PoolHost
from engine.pool.wire.answers import read_answer
from engine.pool.wire.digests import SUFFIX, weights_named
from engine.pool.wire.messages import LARGEST_WEIGHTS
from engine.pool.wire.requests import WireError, WrittenJob, write_job
from engine.score.phrase import Phrase

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK = 60.0
"""Seconds between two looks at what a host has."""

LOOK_PATIENCE = 5.0
"""Seconds in which it must say so."""

HAND_OVER_PATIENCE = 600.0
"""Seconds in which weights must have been handed over."""

FIRST_HEDGE, HEDGE_FACTOR = 0.25, 3.0
"""A second host is asked when the first takes longer than so many times what it takes on average, and at least so
many seconds."""


class PoolAwayError(PerpetuumError):
    """No host can be asked now."""


Made = tuple[Phrase, Phrase, float]
"""Before and after the transforms, and the seconds that it took."""


class Asker:
    """Asks hosts. Belongs to one event loop.

    Args:
        urls: of the hosts; those that come first are asked first where they are equally busy.
        token: gives the player's token.
    """

    def __init__(self, urls: Sequence[str], token: Callable[[], str]) -> None:
        self.hosts = [PoolHost(url, HostClient(url, token)) for url in urls]
        self._awake = {host.url: asyncio.Event() for host in self.hosts}
        for host in self.hosts:
            host.on_open = self._awake[host.url].set
        self._handing_over: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Look at the hosts from now on."""
        for host in self.hosts:
            self._spawn(self._look_after(host))

    async def close(self) -> None:
        """Ask nobody any more; who still waits for a phrase is cancelled."""
        while self._tasks:  # one that is cancelled may have begun others
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for host in self.hosts:
            await host.client.close()

    async def ask(self, job: Job, patience: float) -> Made:
        """Have a phrase made.

        Args:
            job: what to make.
            patience: seconds for which it is waited for.

        Raises:
            PoolAwayError: no host can be asked.
            TimeoutError: it took too long.
            PerpetuumError: it cannot travel, or no host could make it.
        """
        asked = self._spawn(self._ask(job, time.monotonic() + patience))
        try:
            return await asked
        finally:
            asked.cancel()

    async def _ask(self, job: Job, ends: float) -> Made:
        """See `ask`.

        Args:
            job: what to make.
            ends: when nobody waits any more, as `time.monotonic`.
        """
        patience = ends - time.monotonic()
        written = await asyncio.to_thread(write_job, job.kind, job.request, self._digest)
        hosts = self._who_can(written)
        began = time.monotonic()
        under_way = {self._spawn(self._attempt(hosts[0], job, written, ends)): (hosts[0], began)}
        hedge = min(max(FIRST_HEDGE, HEDGE_FACTOR * hosts[0].latency), patience / 2)
        others = hosts[1:2]
        failure: BaseException | None = None
        try:
            while under_way:
                done, _ = await asyncio.wait(
                    under_way, timeout=hedge if others else None, return_when=asyncio.FIRST_COMPLETED
                )
                wrong = {one: one.exception() for one in done}
                if won := [one for one in done if wrong[one] is None]:
                    for host, since in (under_way[one] for one in under_way if one not in done):
                        _beaten(host, time.monotonic() - since)
                    return won[0].result()
                for one in done:
                    failure = failure or wrong[one]
                    del under_way[one]
                for other in others:
                    under_way[self._spawn(self._attempt(other, job, written, ends))] = (other, time.monotonic())
                others = []
        finally:
            for one in under_way:
                one.cancel()
        raise failure or PoolAwayError("nobody was asked")

    def _who_can(self, written: WrittenJob) -> list[PoolHost]:
        """The hosts that may be asked, the best first.

        Raises:
            PoolAwayError: there is none; says why.
        """
        reasons: list[str] = []
        able: list[PoolHost] = []
        for host in self.hosts:
            reason = host.unfit(written.job) if host.admits else host.reason or "it is being tried"
            if reason:
                reasons.append(f"{host.url}: {reason}")
            else:
                able.append(host)
        if not able:
            raise PoolAwayError("; ".join(reasons) or "there is no host")
        return sorted(able, key=lambda host: (host.circuit is not Circuit.CLOSED, host.asked))

    async def _attempt(self, host: PoolHost, job: Job, written: WrittenJob, ends: float) -> Made:
        """Ask one host; it is judged by what comes of it."""
        began = time.monotonic()
        host.asked += 1
        try:
            async with asyncio.timeout(max(0.0, ends - began)):
                body = await host.client.phrase(written.request(ends - began))
            raw, phrase, seconds = read_answer(body, written.key)
            raw, phrase = validated(raw, job.request, job.kind), validated(phrase, job.request, job.kind)
        except TimeoutError as error:
            host.struck("it does not answer in time")
            raise TimeoutError(f"{host.url} does not answer in time") from error
        except HostRefusedError as error:
            self._refused(host, written, error)
            raise PerpetuumError(f"{host.url}: {error.message}") from error
        except (HostLostError, WireError, UnplayableError) as error:
            host.failed(error.message)
            raise PerpetuumError(f"{host.url}: {error.message}") from error
        except Exception as error:  # there is no token to ask with, or worse
            host.failed(str(error) or repr(error))
            raise
        finally:
            host.asked -= 1
        host.answered(time.monotonic() - began)
        return raw, phrase, seconds

    def _refused(self, host: PoolHost, written: WrittenJob, error: HostRefusedError) -> None:
        match error.status:
            case 404 if error.refusal.missing:
                for digest in error.refusal.missing:
                    path = written.weights.get(digest)
                    if path is not None and (host.url, digest) not in self._handing_over:
                        self._spawn(self._hand_over(host, digest, path))
            case 400 | 422:
                pass  # it is this phrase that cannot be made
            case 429 | 503 | 504:
                host.struck(error.message)
            case _:
                host.failed(error.message)

    async def _hand_over(self, host: PoolHost, digest: str, path: Path) -> None:
        """Hand weights over that a host lacks; what goes wrong is seen when they are asked for again."""
        self._handing_over.add((host.url, digest))
        try:
            if path.suffix == SUFFIX and path.stat().st_size <= LARGEST_WEIGHTS:
                async with asyncio.timeout(HAND_OVER_PATIENCE):
                    await host.client.hand_over(digest, path)
        except (PerpetuumError, OSError, TimeoutError):
            await asyncio.sleep(LOOK)  # not over and over
        finally:
            self._handing_over.discard((host.url, digest))

    async def _look_after(self, host: PoolHost) -> None:
        """Ask a host again and again what it has: now and then while it works, after pauses while it does not."""
        awake = self._awake[host.url]
        while True:
            try:
                async with asyncio.timeout(LOOK_PATIENCE):
                    host.says(await host.client.models())
            except (PerpetuumError, OSError) as error:
                host.failed(str(error) or "it does not say in time what it has")
            except Exception as error:  # whatever it is, the host is looked after: it may be gone in a minute
                log.exception("the pool at %s could not be asked what it has", host.url)
                host.failed(f"asking it failed: {error!r}"[:200])
            pause = LOOK if host.circuit is not Circuit.OPEN else host.next_pause()
            awake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await awake.wait()
                # Its circuit has opened.
                await asyncio.sleep(host.next_pause())

    def _digest(self, name: str) -> tuple[str, Path]:
        """Digest of weights, which may lie on a host alone; the path of a file that is not here is that name."""
        try:
            return weights_named(name)
        except PerpetuumError:
            for host in self.hosts:
                for model in host.has.models if host.has is not None else ():
                    if model.name == name:
                        return model.digest, Path(name)
            raise

    def _spawn(self, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # who waited for it was told


def _beaten(host: PoolHost, seconds: float) -> None:
    """Another host was faster. Only then is slowness held against one: who is given up may have been on its way."""
    if seconds >= HEDGE_FACTOR * host.latency:
        host.struck("it is much slower than another host")
