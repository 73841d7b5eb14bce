# pyright: strict
"""Control over HTTP: GET /status, POST /mute, /unmute, /quiet, /louder, /softer, /volume/-6, /normal, /section/NAME,
/scene/NAME, /reload, /alarm, /release; JSON comes back.

It is served by waitress in threads of the keeper, so that the alarm works with every other process stopped. Nobody but
this machine reaches it unless the installation file says so, and then nothing is told or done without a token.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine.errors import PerpetuumError
from engine.installation.choices.access import Address, Listening
from engine.installation.keeper.hands.hands import WITH_A_VALUE, Ask

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from waitress.server import TcpWSGIServer

log = logging.getLogger(__name__)

RETRY = 10.0
"""Seconds after which an address that cannot be had is tried again: a network may come up late."""

LIMITS = {"connection_limit": 50, "channel_timeout": 10, "max_request_header_size": 8192, "max_request_body_size": 1024}
"""Of what anybody who connects can have us keep."""

REASONS = {
    200: "OK",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    500: "Failed",
}


def _shown(ask: Ask) -> str:
    return f"{ask}/{WITH_A_VALUE[ask]}" if ask in WITH_A_VALUE else str(ask)


class ControlApplication:
    """Answers requests; a WSGI application.

    Args:
        listening: who may.
        alarm: whether the fire alarm may be raised and released here.
        answer: gives the answer to a line, as at the control socket.
        loopback: whether the address is one that this machine alone reaches.
    """

    def __init__(self, listening: Listening, alarm: bool, answer: Callable[[str], str], loopback: bool) -> None:
        self._listening = listening
        self._alarm = alarm
        self._answer = answer
        self._loopback = loopback

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            code, content = self._reply(environ)
        except Exception as error:  # whoever asks must not end whoever answers
            log.exception("the control over HTTP failed")
            code, content = 500, {"error": repr(error)}
        body = json.dumps(content).encode() + b"\n"
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        if code == 401:
            headers.append(("WWW-Authenticate", "Bearer"))
        if code == 405:
            headers.append(("Allow", "GET" if environ.get("PATH_INFO") == "/status" else "POST"))
        start_response(f"{code} {REASONS[code]}", headers)
        return [body]

    def _reply(self, environ: WSGIEnvironment) -> tuple[int, dict[str, Any]]:
        if refused := self._refused(environ):
            return refused
        name, _, value = str(environ.get("PATH_INFO", "")).strip("/").partition("/")
        method = environ.get("REQUEST_METHOD")
        if (name != "status" and name not in set(Ask)) or (bool(value) != (name in WITH_A_VALUE)):
            return 404, {"error": "there is no such thing to ask", "known": ["status", *(_shown(one) for one in Ask)]}
        if method != ("GET" if name == "status" else "POST"):
            return 405, {"error": "GET status, and POST what is asked"}
        if name in (Ask.ALARM, Ask.RELEASE) and not self._alarm:
            return 403, {"error": "the installation file does not let the alarm be raised over HTTP (`alarm: http`)"}
        try:
            answer = self._answer(f"{name} {value}".strip())
        except PerpetuumError as error:
            return 409, {"error": str(error)}
        return 200, json.loads(answer) if name == "status" else {"sentence": answer}

    def _refused(self, environ: WSGIEnvironment) -> tuple[int, dict[str, Any]] | None:
        """Why nothing is answered, if nothing is."""
        # What a page in a browser of this machine sends carries one of these, whatever site it is of.
        if environ.get("HTTP_ORIGIN") or environ.get("HTTP_SEC_FETCH_SITE", "none") != "none":
            return 403, {"error": "pages of browsers may not ask"}
        if self._loopback and not _is_local(str(environ.get("HTTP_HOST", ""))):
            return 403, {"error": "this address is asked for by its number or as localhost"}
        token = self._listening.token
        if token is None:
            return (
                None if self._loopback else (403, {"error": "beyond this machine nothing is answered without a token"})
            )
        scheme, _, given = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
        try:
            wanted = token.reveal()
        except PerpetuumError as error:
            log.error("the control over HTTP refuses all: %s", error)
            return 403, {"error": "the token of this installation cannot be read; its log says why"}
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), wanted.encode()):
            return 401, {"error": "the token is missing or wrong: Authorization: Bearer TOKEN"}
        return None


class HttpControl:
    """Serves at all addresses of an installation file; one that cannot be had is tried again.

    Args:
        listening: addresses and token.
        alarm: whether the fire alarm may be raised and released here.
        answer: gives the answer to a line; called in threads of the server.
        retry: seconds until an address is tried again.
    """

    def __init__(self, listening: Listening, alarm: bool, answer: Callable[[str], str], retry: float = RETRY) -> None:
        self._listening = listening
        self._alarm = alarm
        self._answer = answer
        self._retry = retry
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._servers: list[TcpWSGIServer] = []

    def serves(self, listening: Listening, alarm: bool) -> bool:
        """Whether it was made for these."""
        return (listening, alarm) == (self._listening, self._alarm)

    def start(self) -> None:
        """Begin to serve; nobody waits for it."""
        for address in self._listening.control:
            threading.Thread(target=self._serve, args=(address,), name=f"http {address}", daemon=True).start()

    def close(self) -> None:
        """Serve no more."""
        self._over.set()
        with self._lock:
            servers, self._servers = self._servers, []
        for server in servers:
            with suppress(OSError):
                server.close()
            server.task_dispatcher.shutdown(timeout=0.2)

    def _serve(self, address: Address) -> None:
        said = False
        while not self._over.is_set():
            try:
                server = self._open(address)
            except (OSError, ValueError) as error:
                if not said:
                    said = True
                    log.warning(
                        "nothing can be asked at %s (%s); it is tried again. Give the installation another address "
                        "(`listen: control`), or end what has it",
                        address,
                        error,
                    )
                self._over.wait(self._retry)
                continue
            said = False
            with suppress(OSError, ValueError):  # of a socket that `__exit__` has closed
                server.run()

    def _open(self, address: Address) -> TcpWSGIServer:
        from waitress.server import create_server  # imported when the music plays already

        application = ControlApplication(self._listening, self._alarm, self._answer, address.loopback)
        with self._lock:
            if self._over.is_set():
                raise OSError("it is over")
            server = create_server(
                application,
                host=address.host,
                port=address.port,
                threads=2,
                ident="perpetuum",
                asyncore_use_poll=True,
                **LIMITS,
            )
            self._servers.append(server)
        return server


def _is_local(host: str) -> bool:
    """Whether a Host header names this machine itself: by another name a page could have it asked (DNS rebinding)."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
    name = name.strip("[]").lower()
    if name in ("localhost", ""):
        return name == "localhost"
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
