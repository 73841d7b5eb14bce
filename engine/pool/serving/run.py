# pyright: strict
"""A pool that serves until it is told to stop."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn

from engine.errors import PerpetuumError
from engine.pool.serving.app import PoolApp
from engine.pool.serving.connections import MOST_CONNECTIONS, BoundedConnection
from engine.pool.serving.file.config import PoolConfig
from engine.pool.serving.makers import Makers
from engine.pool.serving.players import Players
from engine.pool.serving.store import WeightsStore
from engine.pool.wire.messages import LARGEST_WEIGHTS

_FIRST_HANDED, _MOST_HANDED = 3, 64


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
        PerpetuumError: an address cannot be listened on, or other machines can reach one and no token is asked for.
    """
    if os.environ.get("LISTEN_PID") == str(os.getpid()):
        return _handed(config)
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


def _handed(config: PoolConfig) -> list[socket.socket]:
    """Those of systemd. The file's own addresses were judged when it was read, these could not be."""
    number = os.environ.get("LISTEN_FDS", "")
    if not number.isdecimal() or not 0 < int(number) <= _MOST_HANDED:
        raise PerpetuumError(f"LISTEN_FDS is {number[:20]!r}", "start it from its socket: perpetuum-pool.socket")
    handed = [socket.socket(fileno=_FIRST_HANDED + place) for place in range(int(number))]
    open_one = next((one for one in handed if not _local(one)), None)
    if open_one is not None and not config.tokens:
        where = named(open_one)
        for one in handed:
            one.close()
        raise PerpetuumError(
            f"{where} can be reached from other machines, and there are no `tokens`",
            "write a token for each player into the pool's file, or have the socket listen on 127.0.0.1 alone",
        )
    for one in handed:
        one.set_inheritable(False)  # Ray starts many processes
    return handed


def _local(listener: socket.socket) -> bool:
    """Whether nobody but this machine can reach it; who may use a socket of the file system, its mode says."""
    if listener.family == socket.AF_UNIX:
        return True
    try:
        address = ipaddress.ip_address(str(listener.getsockname()[0]).partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def named(listener: socket.socket) -> str:
    """Where a socket listens, in words."""
    where: object = listener.getsockname()
    if not isinstance(where, tuple):
        return str(where) or "a socket without a name"
    host, port = where[:2]  # pyright: ignore[reportUnknownVariableType]
    return f"[{host}]:{port}" if listener.family == socket.AF_INET6 else f"{host}:{port}"


def served(app: PoolApp) -> uvicorn.Config:
    """How an application is served."""
    return uvicorn.Config(
        app.application(),
        http=BoundedConnection,
        log_config=None,
        access_log=False,
        lifespan="off",
        limit_concurrency=MOST_CONNECTIONS + 1,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=5,
    )


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
    server = _Server(served(app))
    ready()
    server.run(sockets)
