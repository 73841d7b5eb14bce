# pyright: strict
"""How a message leaves: by mail, or to a webhook. Each raises `UndeliveredError` if it did not."""

from __future__ import annotations

import hashlib
import http.client
import json
import smtplib
import socket
import ssl
import threading
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from engine.health.notices.notice import Notice

TIMEOUT = 20.0
"""Seconds that a server may take to answer."""

LONGEST = 60.0
"""Seconds that a connection may last: the time to answer begins anew with every byte."""

Reveal = Callable[[], str]
"""Gives a secret each time that it is needed, so that it lies nowhere else."""


class UndeliveredError(Exception):
    """A message did not leave; it may later. Its text names the server and holds no secret."""


class Sender(ABC):
    """Lets messages leave."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Where to, for people, without secrets."""

    @property
    def key(self) -> str:
        """What stays the same while the way there is mended: messages that wait are kept under it."""
        return self.name

    @abstractmethod
    def send(self, notice: Notice) -> None:
        """Send a message.

        Raises:
            UndeliveredError: it did not leave.
        """


class _Deadline:
    """Cuts connections that last too long, however slowly the other side keeps them alive."""

    def __init__(self) -> None:
        self._connections: list[smtplib.SMTP | http.client.HTTPConnection] = []
        self._timer = threading.Timer(LONGEST, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, connection: smtplib.SMTP | http.client.HTTPConnection) -> None:
        """Cut a connection, too."""
        self._connections.append(connection)

    def _cut(self) -> None:
        for connection in self._connections:
            with suppress(OSError, AttributeError):  # not connected yet, or no more
                connection.sock.shutdown(socket.SHUT_RDWR)  # pyright: ignore[reportOptionalMemberAccess]


class _Smtp(smtplib.SMTP):
    """Connects under a deadline: the constructor reads the greeting already."""

    def __init__(self, deadline: _Deadline, host: str, port: int) -> None:
        deadline.watch(self)
        super().__init__(host, port, timeout=TIMEOUT)


class _SmtpTls(smtplib.SMTP_SSL):
    """The same, encrypted from the first byte on."""

    def __init__(self, deadline: _Deadline, host: str, port: int, context: ssl.SSLContext) -> None:
        deadline.watch(self)
        super().__init__(host, port, timeout=TIMEOUT, context=context)


@dataclass(frozen=True)
class Mail(Sender):
    """By SMTP, to one address: what a server takes for one and refuses for another is tried again for that one alone.

    Attributes:
        server, port: of whoever takes the mail.
        sender, to: addresses.
        user: to log in as; empty for nobody.
        password: gives it.
        encryption: "starttls", "tls" from the first byte on, or "none".
        context: what certificates are trusted; None: those that the system trusts.
    """

    server: str
    port: int
    sender: str
    to: str
    user: str = ""
    password: Reveal | None = None
    encryption: str = "starttls"
    context: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        """Where to."""
        return f"{self.key} by {self.server}:{self.port}"

    @property
    def key(self) -> str:
        """Whom to: a file may come to name another server while messages wait."""
        return f"mail to {self.to}"

    def send(self, notice: Notice) -> None:
        """See `Sender.send`."""
        password = self.password() if self.password is not None else ""
        try:
            with _Deadline() as deadline:
                self._send(self._message(notice), password, deadline)
        except smtplib.SMTPAuthenticationError as error:
            # Whatever else the server says might repeat what it was given.
            raise UndeliveredError(f"{self.name}: the server refuses user or password ({error.smtp_code})") from None
        except UnicodeError:  # its text holds a piece of what it is about
            raise UndeliveredError(f"{self.name}: user and password must be plain ASCII for mail") from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            said = str(error).replace(password, "<secret>") if password else str(error)
            raise UndeliveredError(f"{self.name}: {type(error).__name__}: {said}") from None

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self.sender, self.to
        message["Subject"] = notice.subject
        message["Date"] = format_datetime(datetime.fromtimestamp(notice.at, UTC))
        # The same at each attempt: whoever got it twice, since a server took it and died before it said so, can tell.
        message["Message-ID"] = f"<{identity(notice)}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(notice.text)
        return message

    def _send(self, message: EmailMessage, password: str, deadline: _Deadline) -> None:
        context = self.context or ssl.create_default_context()
        if self.encryption == "tls":
            smtp = _SmtpTls(deadline, self.server, self.port, context)
        else:
            smtp = _Smtp(deadline, self.server, self.port)
        try:
            if self.encryption == "starttls":
                smtp.starttls(context=context)
            if self.user and password:
                smtp.login(self.user, password)
            smtp.send_message(message)
            with suppress(OSError, smtplib.SMTPException):
                smtp.quit()  # it has been taken, however the server says good-bye
        finally:
            smtp.close()


@dataclass(frozen=True)
class Webhook(Sender):
    """By HTTP POST of a JSON object with id, kind, at, subject and text.

    Attributes:
        address: gives the URL, which is a secret: whoever has it may post.
        label: for people.
    """

    address: Reveal
    label: str = "webhook"

    @property
    def name(self) -> str:
        """Where to."""
        return self.label

    def send(self, notice: Notice) -> None:
        """See `Sender.send`."""
        body = {"id": identity(notice), "kind": notice.kind.value, "at": notice.at}
        body |= {"subject": notice.subject, "text": notice.text}
        _ask(self.address(), self.name, json.dumps(body).encode())


@dataclass(frozen=True)
class LifeSign:
    """A sign of life by HTTP GET; whoever misses it raises the alarm.

    Attributes:
        address: gives the URL.
    """

    address: Reveal

    def send(self) -> None:
        """Give a sign of life.

        Raises:
            UndeliveredError: nobody took it.
        """
        _ask(self.address(), "ping", None)


def identity(notice: Notice) -> str:
    """What tells a message from all others, and is the same however often it is sent."""
    said = json.dumps([notice.kind.value, notice.at, notice.subject, notice.text])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


class _Unled(urllib.request.HTTPRedirectHandler):
    """Follows nobody: a message that is led elsewhere would arrive there without what it says, and count as sent."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
        """Stay."""


class _Bounded(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Opens connections under a deadline."""

    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline
        super().__init__(context=ssl.create_default_context())

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """See `HTTPHandler`."""
        return self.do_open(self._watched(http.client.HTTPConnection), req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """See `HTTPSHandler`."""
        return self.do_open(self._watched(http.client.HTTPSConnection), req, context=ssl.create_default_context())

    def _watched(self, kind: Callable[..., http.client.HTTPConnection]) -> Any:
        def connection(*arguments: Any, **named: Any) -> http.client.HTTPConnection:
            made = kind(*arguments, **named)
            self._deadline.watch(made)
            return made

        return connection


def _ask(url: str, name: str, body: bytes | None) -> None:
    """Ask a server, and take any answer of success.

    Raises:
        UndeliveredError: there was none; neither the URL nor what the server says is in its text.
    """
    try:
        if not url.startswith(("http://", "https://")):
            raise UndeliveredError(f"{name}: the address does not begin with http:// or https://")
        headers = {"Content-Type": "application/json", "User-Agent": "perpetuum"}
        request = urllib.request.Request(url, body, headers)
        with _Deadline() as deadline:
            opener = urllib.request.build_opener(_Bounded(deadline), _Unled())
            with opener.open(request, timeout=TIMEOUT):
                pass
    except urllib.error.HTTPError as error:
        with error:
            led = ", which leads elsewhere; give the address that it leads to" if 300 <= error.code < 400 else ""
            raise UndeliveredError(f"{name}: the server answers {error.code}{led}") from None
    except urllib.error.URLError as error:
        raise UndeliveredError(f"{name}: {error.reason}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise UndeliveredError(f"{name}: {type(error).__name__}") from None
