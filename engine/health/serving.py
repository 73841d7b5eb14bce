# pyright: strict
"""The endpoints: /livez, /readyz, /status and /metrics over HTTP."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable

import msgspec
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.errors import PerpetuumError
from engine.events.snapshot import HealthSnapshot
from engine.health.checks import Check, checks, lives
from engine.health.told import ToldStatus

log = logging.getLogger(__name__)


def application(
    registry: CollectorRegistry,
    snapshot: Callable[[], HealthSnapshot | None],
    title: str = "",
    clock: Callable[[], float] = time.monotonic,
) -> Starlette:
    """What answers.

    Args:
        registry: of the metrics.
        title: of the installation.
        snapshot: gives the last one.
        clock: the snapshots' own.
    """

    def livez(request: Request) -> Response:
        check = lives(snapshot(), clock())
        return JSONResponse(_as_json(check), 200 if check.ok else 503)

    def readyz(request: Request) -> Response:
        found = checks(snapshot(), clock())
        ready = all(check.ok for check in found)
        body = {"ready": ready, "checks": {check.name: _as_json(check) for check in found}}
        return JSONResponse(body, 200 if ready else 503)

    def metrics(request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    def status(request: Request) -> Response:
        last = snapshot()
        told = ToldStatus(title, clock() - last.monotonic if last is not None else 0.0, last)
        return Response(msgspec.json.encode(told), media_type="application/json")

    answers = {"/livez": livez, "/readyz": readyz, "/metrics": metrics, "/status": status}
    return Starlette(routes=[Route(path, answer) for path, answer in answers.items()])


def _as_json(check: Check) -> dict[str, object]:
    return {"ok": check.ok, "text": check.text}


class Endpoints:
    """Serves an application from a thread of its own, until it is closed.

    Args:
        app: that answers.
        host: a numeric address, or "localhost".
        port: 0 for any that is free.

    Attributes:
        port: where it listens.

    Raises:
        PerpetuumError: the address cannot be listened on.
    """

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            self._socket = socket.create_server(address[:2], family=family)  # pyright: ignore[reportArgumentType]
        except OSError as error:
            problem = error.strerror or str(error)
            raise PerpetuumError(
                f"cannot listen on {host}:{port}: {problem}", "is another installation on this port? choose another one"
            ) from error
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="endpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.should_exit = True
        self._thread.join(3.0)
        self._socket.close()

    def _run(self) -> None:
        try:
            self._server.run([self._socket])
        except Exception:
            log.exception("the endpoints failed; the music goes on")
