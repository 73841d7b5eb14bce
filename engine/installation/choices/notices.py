# pyright: strict
"""Who is told when something breaks, straight from the installation: by mail, by a webhook, by a ping that stops."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.installation.choices.secret import Secret


class Encryption(StrEnum):
    """How mail goes to its server."""

    STARTTLS = "starttls"
    """Encrypted after the first words."""

    TLS = "tls"
    """Encrypted from the first byte on."""

    NONE = "none"
    """Readable by everybody on the way."""


@dataclass(frozen=True, slots=True)
class MailChoice:
    """Messages by mail.

    Attributes:
        server, port: of whoever takes it.
        sender: address that it comes from.
        to: addresses.
        user: to log in as; empty for nobody.
        password: of that user.
        encryption: on the way to the server.
    """

    server: str
    port: int
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password: Secret | None = None
    encryption: Encryption = Encryption.STARTTLS


@dataclass(frozen=True, slots=True)
class NoticeChoices:
    """Who is told, and how.

    Attributes:
        mail: None without.
        webhook: where the URL lies that messages are posted to; None without.
        ping: where the URL lies that is asked for as a sign of life; None without.
        every: seconds between two signs of life.
        weekly: whether it is said once a week that all is well.
    """

    mail: MailChoice | None = None
    webhook: Secret | None = None
    ping: Secret | None = None
    every: float = 60.0
    weekly: bool = True

    @property
    def any(self) -> bool:
        """Whether anybody is told anything."""
        return self.mail is not None or self.webhook is not None or self.ping is not None
