# pyright: strict
"""Steering from afar: by which broker a player is reached, and what may be asked of it that way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.installation.choices.secret import Secret


class SteeringRight(StrEnum):
    """What whoever may write to a player's topics may ask of it."""

    MUTE = "mute"
    """Mute, and unmute."""

    QUIET = "quiet"
    """Quiet mode, and its end."""

    VOLUME = "volume"
    """How loud it is, until the next opening."""

    SECTION = "section"
    """Go to a section of the scene that plays."""

    SCENE = "scene"
    """Let a scene of the programme come next."""

    ALARM = "alarm"
    """Raise the fire alarm, and release it."""

    PUSH_SCENES = "push_scenes"
    """Replace scene files."""

    PUSH_INSTALLATION = "push_installation"
    """Replace the installation file."""


WITHOUT_HARM = (
    SteeringRight.MUTE,
    SteeringRight.QUIET,
    SteeringRight.VOLUME,
    SteeringRight.SECTION,
    SteeringRight.SCENE,
)
"""What is allowed where a file says nothing: all that is over by the next morning."""


@dataclass(frozen=True, slots=True)
class SteeringChoice:
    """How a player is steered by MQTT.

    Attributes:
        host, port: of the broker.
        name: of the player, which no other has at this broker.
        prefix: of all topics.
        user: to log in as; empty for nobody.
        password: of that user; None without one.
        tls: whether all is encrypted, and the broker has to show who it is.
        ca: path of the certificates that are believed, PEM; empty for those of the system.
        rights: what may be asked.
    """

    host: str
    port: int
    name: str
    prefix: str = "perpetuum"
    user: str = ""
    password: Secret | None = None
    tls: bool = True
    ca: str = ""
    rights: tuple[SteeringRight, ...] = WITHOUT_HARM
