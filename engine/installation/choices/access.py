# pyright: strict
"""Who may ask and command an installation, and who may raise the fire alarm."""

from __future__ import annotations

from dataclasses import dataclass

from engine.installation.choices.secret import Secret

SHORTEST_PASSWORD = 6
"""Characters of the password of staff: wrong ones may be tried for months, one an hour."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens.

    Attributes:
        host: a numeric address, "127.0.0.1" or "::1", or a name like "localhost".
        port: 1..65535.
        loopback: whether nobody but this machine can reach it.
    """

    host: str
    port: int
    loopback: bool

    @property
    def everywhere(self) -> bool:
        """Whether it stands for all addresses of this machine, and so does not say where it is reached."""
        return self.host in ("0.0.0.0", "::")

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Listening:
    """Who may ask, and command, over HTTP.

    Attributes:
        control: addresses on which mute, quiet mode, alarm and state are served; none: nothing listens.
        token: that every command must carry; there is one wherever an address is not loopback. None: none is asked for.
        health: addresses on which health and metrics can be read, by anybody who reaches them; none: nothing listens.
        staff_password: that opens the page for staff and nothing else; None: the token does.
    """

    control: tuple[Address, ...] = (Address("127.0.0.1", 8470, True),)
    token: Secret | None = None
    health: tuple[Address, ...] = (Address("127.0.0.1", 8471, True),)
    staff_password: Secret | None = None


@dataclass(frozen=True, slots=True)
class PoolChoice:
    """Other machines that make phrases.

    Attributes:
        hosts: their URLs; those that come first are asked first.
        token: of this player; None: none is sent.
    """

    hosts: tuple[str, ...]
    token: Secret | None = None


@dataclass(frozen=True, slots=True)
class AlarmContact:
    """A contact of the fire alarm at a GPIO pin.

    Attributes:
        pin: number as Broadcom counts (GPIO17 is 17).
        closed_means_alarm: whether the alarm closes the contact; a contact that opens also tells a broken wire.
    """

    pin: int
    closed_means_alarm: bool = False


@dataclass(frozen=True, slots=True)
class AlarmSources:
    """Who may raise the fire alarm, which silences everything.

    Attributes:
        contact: at a pin; None without.
        signal: whether a signal of the system does.
        http: whether a command at a control address does.
    """

    contact: AlarmContact | None = None
    signal: bool = True
    http: bool = True
