# pyright: strict
"""Control over HTTP: GET /status, POST /mute, /unmute, /quiet, /louder, /softer, /volume/-6, /normal, /section/NAME,
/scene/NAME, /reload, /alarm, /release; JSON comes back. GET /staff is the page for staff (`staff_page.py`).

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
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from engine.errors import PerpetuumError
from engine.installation.choices.access import SHORTEST_PASSWORD, Address, Listening
from engine.installation.choices.secret import Secret
from engine.installation.keeper.hands.hands import WITH_A_VALUE, Ask

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from waitress.server import TcpWSGIServer

log = logging.getLogger(__name__)

RETRY = 10.0
"""Seconds after which an address that cannot be had is tried again: a network may come up late."""

WHO, PAGE = "http", "staff page"
"""Who asks, by way of commands and of the page."""

Answer = Callable[[str, str], str]
"""Gives the answer to a line that somebody asks, and raises a `PerpetuumError` that says why it cannot be done."""

LONGEST_FORM = 1024
"""Bytes of what is filled in."""

LIMITS = {
    "connection_limit": 50,
    "channel_timeout": 10,
    "max_request_header_size": 8192,
    "max_request_body_size": LONGEST_FORM,
}
"""Of what anybody who connects can have us keep."""


def _shown(ask: Ask) -> str:
    return f"{ask}/{WITH_A_VALUE[ask]}" if ask in WITH_A_VALUE else str(ask)


class ControlApplication:
    """Answers requests; a WSGI application.

    Args:
        listening: who may.
        alarm: whether the fire alarm may be raised and released here.
        answer: gives the answer to a line of somebody, as at the control socket.
        loopback: whether the address is one that this machine alone reaches.
    """

    def __init__(self, listening: Listening, alarm: bool, answer: Answer, loopback: bool) -> None:
        self._listening = listening
        self._alarm = alarm
        self._answer = answer
        self._loopback = loopback
        from engine.installation.keeper.hands import staff_page  # imported when the music plays already

        self._staff = staff_page
        self._page = staff_page.StaffPage(lambda line: answer(line, PAGE))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = str(environ.get("PATH_INFO", ""))
        try:
            if f"{path}/".startswith(f"{self._staff.PATH}/"):
                return self._visited(environ, path, start_response)
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
        start_response(_status(code), headers)
        return [body]

    def _visited(self, environ: WSGIEnvironment, path: str, start_response: StartResponse) -> list[bytes]:
        """Let the page for staff answer; of what a browser sends it looks after itself."""
        visit = self._staff.Visit(
            method=str(environ.get("REQUEST_METHOD")),
            path=path,
            host=str(environ.get("HTTP_HOST", "")),
            origin=str(environ.get("HTTP_ORIGIN", "")),
            site=str(environ.get("HTTP_SEC_FETCH_SITE", "")),
            cookies=str(environ.get("HTTP_COOKIE", "")),
            form=_form(environ),
        )
        token, refused = self._token(visit.host)
        if refused is None and self._listening.staff_password is not None:
            password = self._staff_password(self._listening.staff_password)
            if password is None and token is None:
                refused = {"error": "the password of staff cannot be read, or is too short; the log says why"}
        else:
            password = None
        page = (
            self._staff.Page(403, refused["error"]) if refused is not None else self._page.visit(visit, token, password)
        )
        body = page.text.encode()
        plain = [("Content-Type", "text/plain; charset=utf-8")] if refused is not None else [*self._staff.HEADERS]
        start_response(_status(page.code), [*plain, *page.more, ("Content-Length", str(len(body)))])
        return [body] if visit.method != "HEAD" else []

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
            answer = self._answer(f"{name} {value}".strip(), WHO)
        except PerpetuumError as error:
            return 409, {"error": str(error)}
        return 200, json.loads(answer) if name == "status" else {"sentence": answer}

    def _refused(self, environ: WSGIEnvironment) -> tuple[int, dict[str, Any]] | None:
        """Why nothing is answered, if nothing is."""
        # What a page in a browser of this machine sends carries one of these, whatever site it is of.
        if environ.get("HTTP_ORIGIN") or environ.get("HTTP_SEC_FETCH_SITE", "none") != "none":
            return 403, {"error": "pages of browsers may not ask"}
        wanted, refused = self._token(str(environ.get("HTTP_HOST", "")))
        if refused is not None:
            return 403, refused
        if wanted is None:
            return None
        scheme, _, given = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), wanted.encode()):
            return 401, {"error": "the token is missing or wrong: Authorization: Bearer TOKEN"}
        return None

    def _staff_password(self, secret: Secret) -> str | None:
        """What opens the page for staff; None where it cannot be had."""
        try:
            password = secret.reveal()
        except PerpetuumError as error:
            log.error("the page for staff takes the token alone: %s", error)
            return None
        if len(password) < SHORTEST_PASSWORD:
            log.error("the page for staff takes the token alone: the password in %s is too short", secret)
            return None
        return password

    def _token(self, host: str) -> tuple[str | None, dict[str, str] | None]:
        """(what must be shown; None: nothing, why nobody is answered; None: there is no reason)."""
        if self._loopback and not _is_local(host):
            return None, {"error": "this address is asked for by its number or as localhost"}
        token = self._listening.token
        if token is None:
            return None, None if self._loopback else {
                "error": "beyond this machine nothing is answered without a token"
            }
        try:
            return token.reveal(), None
        except PerpetuumError as error:
            log.error("the control over HTTP refuses all: %s", error)
            return None, {"error": "the token of this installation cannot be read; its log says why"}


class HttpControl:
    """Serves at all addresses of an installation file; one that cannot be had is tried again.

    Args:
        listening: addresses and token.
        alarm: whether the fire alarm may be raised and released here.
        answer: gives the answer to a line of somebody; called in threads of the server.
        retry: seconds until an address is tried again.
    """

    def __init__(self, listening: Listening, alarm: bool, answer: Answer, retry: float = RETRY) -> None:
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


def _status(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}"


def _form(environ: WSGIEnvironment) -> dict[str, str]:
    """What was filled in; of anything else than a form nothing. One that is too long never comes here."""
    length = str(environ.get("CONTENT_LENGTH") or "0")
    kind = str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded" or not length.isdigit():
        return {}
    data = environ["wsgi.input"].read(min(int(length), LONGEST_FORM))
    return dict(parse_qsl(data.decode("utf-8", "replace"), max_num_fields=10))
