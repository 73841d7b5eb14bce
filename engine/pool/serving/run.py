# pyright: strict
"""A pool that serves until it is told to stop."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn

from engine.errors import PerpetuumError
from engine.pool.serving.app import PoolApp
from engine.pool.serving.config import PoolConfig
from engine.pool.serving.makers import Makers
from engine.pool.serving.players import Players
from engine.pool.serving.store import WeightsStore
from engine.pool.wire.messages import LARGEST_WEIGHTS

MOST_CONNECTIONS = 512
_FIRST_HANDED = 3


class _Server(uvicorn.Server):
    """Ends at a signal without raising it once more: Ray has handlers of its own, which would end us at once."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listeners(config: PoolConfig) -> list[socket.socket]:
    """Sockets that listen: those that systemd hands over, or else those of the pool's addresses.

    Raises:
        PerpetuumError: an address cannot be listened on.
    """
    if os.environ.get("LISTEN_PID") == str(os.getpid()):
        number = int(os.environ.get("LISTEN_FDS", "0"))
        handed = [socket.socket(fileno=_FIRST_HANDED + place) for place in range(number)]
        for one in handed:
            one.set_inheritable(False)  # Ray starts many processes
        return handed
    found: list[socket.socket] = []
    for address in config.listen:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        try:
            found.append(socket.create_server((address.host, address.port), family=family, backlog=256))
        except OSError as error:
            for one in found:
                one.close()
            raise PerpetuumError(
                f"cannot listen on {address}: {error.strerror}", "is another pool on this port? choose another one"
            ) from error
    return found


def serve_pool(config: PoolConfig, makers: Makers, sockets: list[socket.socket], ready: Callable[[], None]) -> None:
    """Answer players until SIGTERM or Ctrl-C.

    Args:
        config: of the pool.
        makers: make phrases.
        sockets: that listen.
        ready: called when players are answered.

    Raises:
        PerpetuumError: the folder of weights cannot be used.
    """
    store = WeightsStore(config.weights, config.limit, min(LARGEST_WEIGHTS, config.limit))
    app = PoolApp(makers, store, Players({name: secret.reveal for name, secret in config.tokens.items()}))
    server = _Server(
        uvicorn.Config(
            app.application(),
            log_config=None,
            access_log=False,
            lifespan="off",
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=5,
        )
    )
    ready()
    server.run(sockets)
