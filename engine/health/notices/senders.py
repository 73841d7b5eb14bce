# pyright: strict
"""How a message leaves: by mail, or to a webhook. Each raises `UndeliveredError` if it did not."""

from __future__ import annotations

import json
import smtplib
import ssl
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from engine.health.notices.notice import Notice

TIMEOUT = 20.0
"""Seconds that a server may take to answer."""

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

    @abstractmethod
    def send(self, notice: Notice) -> None:
        """Send a message.

        Raises:
            UndeliveredError: it did not leave.
        """


@dataclass(frozen=True)
class Mail(Sender):
    """By SMTP.

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
    to: tuple[str, ...]
    user: str = ""
    password: Reveal | None = None
    encryption: str = "starttls"
    context: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        """Where to."""
        return f"mail to {', '.join(self.to)} by {self.server}:{self.port}"

    def send(self, notice: Notice) -> None:
        """See `Sender.send`."""
        message = EmailMessage()
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Subject"] = notice.subject
        message["Date"] = format_datetime(datetime.fromtimestamp(notice.at, UTC))
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2] or None)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(notice.text)
        try:
            context = self.context or ssl.create_default_context()
            with self._connection(context) as smtp:
                if self.encryption == "starttls":
                    smtp.starttls(context=context)
                if self.user and self.password is not None:
                    smtp.login(self.user, self.password())
                smtp.send_message(message)
        except smtplib.SMTPAuthenticationError as error:
            # Whatever else the server says might repeat what it was given.
            raise UndeliveredError(f"{self.name}: the server refuses user or password ({error.smtp_code})") from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise UndeliveredError(f"{self.name}: {type(error).__name__}: {error}") from None

    def _connection(self, context: ssl.SSLContext) -> smtplib.SMTP:
        if self.encryption == "tls":
            return smtplib.SMTP_SSL(self.server, self.port, timeout=TIMEOUT, context=context)
        return smtplib.SMTP(self.server, self.port, timeout=TIMEOUT)


@dataclass(frozen=True)
class Webhook(Sender):
    """By HTTP POST of a JSON object with kind, at, subject and text.

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
        body = {"kind": notice.kind.value, "at": notice.at, "subject": notice.subject, "text": notice.text}
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


def _ask(url: str, name: str, body: bytes | None) -> None:
    """Ask a server, and take any answer of success.

    Raises:
        UndeliveredError: there was none; the URL is not in its text.
    """
    try:
        if not url.startswith(("http://", "https://")):
            raise UndeliveredError(f"{name}: the address does not begin with http:// or https://")
        headers = {"Content-Type": "application/json", "User-Agent": "perpetuum"}
        request = urllib.request.Request(url, body, headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT):
            pass
    except urllib.error.HTTPError as error:
        with error:
            raise UndeliveredError(f"{name}: the server answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise UndeliveredError(f"{name}: {error.reason}") from None
    except (OSError, ValueError) as error:
        raise UndeliveredError(f"{name}: {type(error).__name__}") from None
