# pyright: strict
"""Connections of the pool's server: one on which nobody asks anything keeps no place for long."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_PATIENCE = 10.0
"""Seconds in which the head of a request must have come, from when it or its connection began."""

MOST_CONNECTIONS = 512
"""Connections that are open at once. One more ends the one that has been idle for longest; where all are being
answered, it is refused with 503 (uvicorn's `limit_concurrency`)."""


class BoundedConnection(H11Protocol):
    """A connection of uvicorn that ends where no request comes: uvicorn waits for the first one, and for the end of
    one that has begun, for ever."""

    most = MOST_CONNECTIONS
    _late: asyncio.TimerHandle | None = None
    _idle_since = 0.0

    @property
    def _idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is open."""
        super().connection_made(transport)
        self._await_a_head()
        if len(self.connections) > self.most:
            others = cast("set[BoundedConnection]", self.connections) - {self}
            oldest = min((one for one in others if one._idle), key=lambda one: one._idle_since, default=None)
            if oldest is not None:
                oldest._hang_up()

    def data_received(self, data: bytes) -> None:
        """Something of a request, or several, came."""
        super().data_received(data)
        if not self._idle:
            self._stop_waiting()
        elif self._late is None:
            self._await_a_head()

    def on_response_complete(self) -> None:
        """A request was answered."""
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_a_head(self) -> None:
        self._idle_since = self.loop.time()
        self._late = self.loop.call_later(HEAD_PATIENCE, self._hang_up)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _hang_up(self) -> None:
        self.connections.discard(self)
        self.transport.abort()
