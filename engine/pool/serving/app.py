# pyright: strict
"""The HTTP server of a pool. What is no good request is refused here, with what and where, and reaches no replica."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from engine import __version__
from engine.errors import PerpetuumError
from engine.pool.serving.answering import Answers
from engine.pool.serving.making.makers import JobOutcome, Makers, MakersAwayError
from engine.pool.serving.metrics import PoolMetrics
from engine.pool.serving.openapi import document
from engine.pool.serving.players import Players
from engine.pool.serving.store import StoreFullError, TooLargeError, WeightsStore
from engine.pool.wire import messages as wire
from engine.pool.wire.requests import INSTALLED, Kinds, WireError, WireVersionError, read_envelope, read_job
from engine.pool.wire.settings import version_of
from engine.pool.wire.timbres import read_timbre

log = logging.getLogger(__name__)

T = TypeVar("T")

BODY_PATIENCE = 10.0
"""Seconds in which a request must have come."""

WEIGHTS_PATIENCE = 600.0
"""Seconds in which a weights file must have come."""

SLOWEST, STALLED = 100_000.0, 20.0
"""Bytes a second below which weights are refused, after so many seconds: whoever drips them keeps others out."""

READY_PATIENCE, UNREADY_PATIENCE = 5.0, 0.5
"""Seconds in which a bar must be made for the pool to be ready; and for which one is waited for where none was."""


_MOST_TOLD = 256
"""Lines of the log about what plays heavy weights."""


class RefusedError(Exception):
    """A request that is refused.

    Attributes:
        status: of HTTP.
        refusal: what is said.
    """

    def __init__(self, status: int, problem: str, where: str = "", missing: tuple[str, ...] = ()) -> None:
        super().__init__(problem)
        self.status = status
        self.refusal = wire.Refusal(problem[:2000], where[:200], missing)


@dataclass
class PoolApp:
    """What answers.

    Attributes:
        makers: make phrases.
        store: has weights.
        players: who may ask.
        kinds: that can be asked for.
        most: requests that a player may have under way.
        checkpoints: folders of what timbres are made with.
        answers: that were made.
        banks: of notes that were made.
        metrics: counted.
    """

    makers: Makers
    store: WeightsStore
    players: Players
    kinds: Kinds = INSTALLED
    most: int = 32
    checkpoints: tuple[Path, ...] = ()
    answers: Answers = field(default_factory=Answers)
    banks: Answers = field(default_factory=lambda: Answers(remembered=256 << 20, most=16))
    metrics: PoolMetrics = field(default_factory=PoolMetrics)
    _under_way: Counter[str] = field(default_factory=Counter[str])
    _told: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    _looking: asyncio.Task[str] | None = None
    _problem: str = ""
    _receiving: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    def application(self) -> Starlette:
        """As ASGI."""
        described = msgspec.json.encode(document())

        async def livez(request: Request) -> Response:
            return PlainTextResponse("it answers\n")

        async def openapi(request: Request) -> Response:
            return Response(described, media_type="application/json")

        async def metrics(request: Request) -> Response:
            self.metrics.making.set(self.answers.making)
            return Response(generate_latest(self.metrics.registry), media_type=CONTENT_TYPE_LATEST)

        routes = [
            Route("/v1/phrases", self._answering("phrases", self._phrases), methods=["POST"]),
            Route("/v1/timbres", self._answering("timbres", self._timbres), methods=["POST"]),
            Route("/v1/models", self._answering("models", self._models), methods=["GET"]),
            Route("/v1/weights/{digest}", self._answering("weights", self._weights), methods=["PUT"]),
            Route("/v1/openapi.json", openapi, methods=["GET"]),
            Route("/livez", livez, methods=["GET"]),
            Route("/readyz", self._readyz, methods=["GET"]),
            Route("/metrics", metrics, methods=["GET"]),
        ]
        return Starlette(routes=routes)

    def _answering(
        self, name: str, answer: Callable[[Request, str], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for players: told by their tokens, counted, and refused as JSON."""

        async def endpoint(request: Request) -> Response:
            began = time.monotonic()
            try:
                player = self.players.of(request.headers.get("authorization", ""))
                if player is None:
                    raise RefusedError(401, "give the token of a player, in plain ASCII: `Authorization: Bearer TOKEN`")
                response = await answer(request, player)
            except RefusedError as refused:
                response = Response(msgspec.json.encode(refused.refusal), refused.status, media_type="application/json")
                if refused.status == 401:
                    response.headers["WWW-Authenticate"] = "Bearer"
                if refused.status in (429, 503):
                    response.headers["Retry-After"] = "1"
            except ClientDisconnect:
                response = Response(status_code=400)
            self.metrics.requests.labels(name, str(response.status_code)).inc()
            self.metrics.seconds.labels(name).observe(time.monotonic() - began)
            return response

        return endpoint

    async def _readyz(self, request: Request) -> Response:
        # Whoever asks meanwhile shares the answer: probes need no token, and must not fill the replicas with bars.
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
        # Where a bar could not be made just now, it is said at once while another one is tried.
        done, _ = await asyncio.wait((self._looking,), timeout=UNREADY_PATIENCE if self._problem else None)
        problem = self._problem = self._looking.result() if done else self._problem
        return PlainTextResponse(f"{problem or 'a bar was made'}\n", 503 if problem else 200)

    async def _look(self) -> str:
        try:
            async with asyncio.timeout(READY_PATIENCE):
                return await self.makers.unwell()
        except TimeoutError:
            return f"no bar was made in {READY_PATIENCE:g} s"
        except Exception as error:  # a probe is told what is wrong, whatever it is
            log.exception("whether a bar can be made could not be seen")
            return f"it cannot be seen: {error!r}"[:500]

    async def _models(self, request: Request, player: str) -> Response:
        generators, transforms = self.kinds.generators.kinds(), self.kinds.transforms.kinds()
        body = wire.WireModels(
            wire.VERSION,
            __version__,
            self.store.models,
            {name: version_of(kind.settings) for name, kind in generators.items()},
            {name: version_of(kind.settings) for name, kind in transforms.items()},
        )
        return Response(msgspec.json.encode(body), media_type="application/json")

    async def _phrases(self, request: Request, player: str) -> Response:
        return await self._one_of_many(request, player, self._phrase)

    async def _timbres(self, request: Request, player: str) -> Response:
        return await self._one_of_many(request, player, self._timbre)

    async def _one_of_many(
        self, request: Request, player: str, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        if self._under_way[player] >= self.most:
            raise RefusedError(429, f"{player} has {self.most} requests under way")
        self._under_way[player] += 1
        try:
            return await answer(request)
        finally:
            self._under_way[player] -= 1
            if not self._under_way[player]:
                del self._under_way[player]

    async def _timbre(self, request: Request) -> Response:
        body = await _body(request)
        came = time.monotonic()
        try:
            # It may read weights, to tell which they are.
            read = await asyncio.to_thread(read_timbre, body, self.checkpoints)
        except WireVersionError as error:
            raise RefusedError(409, error.message, error.where) from error
        except WireError as error:
            raise RefusedError(400, error.message, error.where) from error
        checkpoints = [str(one) for one in self.checkpoints]
        left = read.seconds_left - (time.monotonic() - came)
        return await self._made(
            request, self.banks, read.digest, lambda: self.makers.make_bank(body, checkpoints), left
        )

    async def _phrase(self, request: Request) -> Response:
        body = await _body(request)
        came = time.monotonic()
        try:
            read = read_envelope(body)
            paths = self.store.paths(read.weights)
            missing = tuple(digest for digest in read.weights if digest not in paths)
            if missing:
                raise RefusedError(404, "these weights are not here; hand them over", "$.job", missing)
            kind, _ = read_job(read.data, paths, self.kinds)
        except WireVersionError as error:
            raise RefusedError(409, error.message, error.where) from error
        except WireError as error:
            raise RefusedError(400, error.message, error.where) from error
        files = {digest: str(path) for digest, path in paths.items()}
        left = read.seconds_left - (time.monotonic() - came)

        async def make() -> JobOutcome:
            outcome = await self.makers.make(kind, read.data, files)
            self._tell_of(files, outcome.heavy)
            return outcome

        return await self._made(request, self.answers, read.key, make, left)

    def _tell_of(self, files: Iterable[str], by: str) -> None:
        """Tell what has played weights by their digests, if they are heavy."""
        if not by:
            return
        self.metrics.heavy.labels(by.partition(":")[0]).inc()
        model = self.store.played(files, by)
        # Where one replica has fallen back and another has not, it changes with every phrase.
        if model is not None and (model.digest, by) not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add((model.digest, by))
            log.warning("%s is played by %s", model.name or model.digest, by)

    async def _made(
        self, request: Request, answers: Answers, key: str, make: Callable[[], Awaitable[JobOutcome]], left: float
    ) -> Response:
        """What comes of a job, for which the client waits so many seconds."""
        try:
            outcome, again = await _unless_gone(request, answers.of(key, make, left))
        except MakersAwayError as error:
            raise RefusedError(503, error.message) from error
        except TimeoutError as error:
            raise RefusedError(504, f"it takes longer than {left:.3g} s") from error
        if again:
            self.metrics.again.inc()
        elif outcome.batch:
            self.metrics.batch.observe(outcome.batch)
        if not outcome.body:
            raise RefusedError(422, outcome.problem)
        return Response(outcome.body, media_type="application/json")

    async def _weights(self, request: Request, player: str) -> Response:
        digest: str = request.path_params["digest"]
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise RefusedError(400, "a digest is 64 hexadecimal digits in small letters", "digest")
        if self._receiving.locked():
            raise RefusedError(429, "other weights are coming in; hand them over later")
        announced = request.headers.get("content-length", "")
        try:
            async with self._receiving, asyncio.timeout(WEIGHTS_PATIENCE):
                size = int(announced) if announced.isdecimal() else None
                taken = await self.store.take(digest, _in_time(request.stream()), size)
        except TimeoutError as error:
            raise RefusedError(408, f"they did not come in {WEIGHTS_PATIENCE:g} s") from error
        except StoreFullError as error:
            raise RefusedError(507, error.message) from error
        except TooLargeError as error:
            raise RefusedError(413, error.message) from error
        except PerpetuumError as error:
            raise RefusedError(400, error.message) from error
        return Response(status_code=201 if taken else 204)


async def _unless_gone(request: Request, work: Coroutine[None, None, T]) -> T:
    """What comes of some work, which is given up when the client hangs up.

    Args:
        request: whose body has been read.
        work: what it asks for.

    Raises:
        ClientDisconnect: it hung up.
    """
    working, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        for one in (working, gone):
            one.cancel()


async def _in_time(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What comes in, as long as it comes fast enough.

    Raises:
        RefusedError: it does not.
    """
    began, size, chunks = time.monotonic(), 0, aiter(stream)
    while True:
        try:
            async with asyncio.timeout(began + STALLED + size / SLOWEST - time.monotonic()):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            problem = f"they come more slowly than {SLOWEST / 1000:g} kB a second"
            raise RefusedError(408, f"{problem}: {size} bytes in {time.monotonic() - began:.0f} s") from error
        size += len(chunk)
        yield chunk


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request) -> bytes:
    """The body, if it is no larger than a request may be and comes in time.

    Raises:
        RefusedError: it is not.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "the body must be application/json")
    whole = bytearray()
    stream: AsyncIterator[bytes] = request.stream()
    try:
        async with asyncio.timeout(BODY_PATIENCE):
            async for chunk in stream:
                whole += chunk
                if len(whole) > wire.LARGEST_REQUEST:
                    raise RefusedError(413, f"more than {wire.LARGEST_REQUEST} bytes")
    except TimeoutError as error:
        raise RefusedError(408, f"the request did not come in {BODY_PATIENCE:g} s") from error
    return bytes(whole)
