# pyright: strict
"""One host of a pool over HTTP: connections stay open, answers are bounded, and everything can be cancelled."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpcore
import msgspec

from engine import __version__
from engine.errors import PerpetuumError
from engine.pool.wire.answers import read_refusal
from engine.pool.wire.messages import LARGEST_ANSWER, Refusal, WireModels

CONNECT_PATIENCE = 2.0
"""Seconds for a connection."""

KEPT = 30.0
"""Seconds for which a connection that is not used stays open."""

_CHUNK = 1 << 18
_LARGEST_MODELS = 32 << 20
_MODELS = msgspec.json.Decoder(WireModels)


class HostLostError(PerpetuumError):
    """A host cannot be reached, breaks off, or answers what is no answer."""


class HostRefusedError(PerpetuumError):
    """A host refuses a request.

    Attributes:
        status: of HTTP.
        refusal: what it says.
    """

    def __init__(self, status: int, refusal: Refusal) -> None:
        place = f" ({refusal.where})" if refusal.where else ""
        super().__init__(f"it answers {status}: {refusal.problem}{place}")
        self.status = status
        self.refusal = refusal


class HostClient:
    """Talks to one host. Belongs to one event loop.

    Args:
        url: "http://10.0.0.5:8480" or "https://gpu.example.org/pool".
        token: gives the player's token, read anew for each request; empty for none.
    """

    def __init__(self, url: str, token: Callable[[], str]) -> None:
        self._url = url.rstrip("/")
        self._token = token
        # The system's own certificates: whoever runs a pool in a museum adds theirs there.
        secure = urlsplit(url).scheme == "https"
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context() if secure else None,
            max_connections=16,
            max_keepalive_connections=4,
            keepalive_expiry=KEPT,
        )

    async def phrase(self, body: bytes) -> bytes:
        """The answer to a request for a phrase.

        Raises:
            HostLostError: there is none.
            HostRefusedError: it is refused.
            PerpetuumError: there is no token to ask with.
        """
        return await self._ask("POST", "/v1/phrases", body, LARGEST_ANSWER)

    async def models(self) -> WireModels:
        """What the host has; Raises as `phrase`."""
        body = await self._ask("GET", "/v1/models", None, _LARGEST_MODELS)
        try:
            return _MODELS.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise HostLostError(f"what it has is no list of ours: {str(error)[:200]}") from error

    async def hand_over(self, digest: str, path: Path) -> None:
        """Hand a weights file over; Raises as `phrase`, and OSError where it cannot be read."""
        size = path.stat().st_size
        await self._ask("PUT", f"/v1/weights/{digest}", _read(path), LARGEST_ANSWER, {"Content-Length": str(size)})

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def _ask(
        self,
        method: str,
        path: str,
        content: bytes | AsyncIterator[bytes] | None,
        largest: int,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        said: dict[bytes | str, bytes | str] = {
            "Host": urlsplit(self._url).netloc,
            "User-Agent": f"perpetuum/{__version__}",
            "Accept": "application/json",
        }
        said |= {name: value for name, value in (headers or {}).items()}  # noqa: C416  (its type is narrower)
        if isinstance(content, bytes):
            said |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
        if token := self._token():
            if not (token.isascii() and token.isprintable()):
                raise PerpetuumError("the token of the pool is no plain ASCII, which HTTP needs", "give it another one")
            said["Authorization"] = f"Bearer {token}"
        try:
            async with self._pool.stream(
                method,
                self._url + path,
                headers=said,
                content=content,
                extensions={"timeout": {"connect": CONNECT_PATIENCE, "pool": CONNECT_PATIENCE}},
            ) as response:
                whole = bytearray()
                async for chunk in response.aiter_stream():
                    whole += chunk
                    if len(whole) > largest:
                        raise HostLostError(f"its answer has more than {largest} bytes")
                status = response.status
        except (
            httpcore.TimeoutException,
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            OSError,
        ) as error:
            raise HostLostError(f"it cannot be reached: {str(error) or type(error).__name__}") from error
        if not 200 <= status < 300:
            raise HostRefusedError(status, read_refusal(bytes(whole)))
        return bytes(whole)


async def _read(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
