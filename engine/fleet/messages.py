# pyright: strict
"""What a player and whoever steers it say to each other: versioned JSON, and the topics on which it is said.

PREFIX/NAME/presence   retained; the player, and the broker as its last will: `Presence`
PREFIX/NAME/state      retained; the player: `PlayerState`
PREFIX/NAME/command    to the player, QoS 1, never retained: `SteeringCommand`
PREFIX/NAME/answer     the player, QoS 1: `CommandAnswer`
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec

from engine.errors import PerpetuumError

VERSION = 1
"""Of all messages. Who speaks another one is told so, and nothing is done."""

LARGEST_FILE = 256 * 1024
"""Bytes of a file that is pushed: as many as a scene or an installation may have."""

LARGEST = 6 * LARGEST_FILE + 4096
"""Bytes of a message: JSON may write a character of a file as six."""

MOST_FOUND = 50
"""Problems that an answer tells; the rest is counted."""


class PlayerTopics(msgspec.Struct, frozen=True):
    """Topics of a player.

    Attributes:
        prefix: of all.
        name: of the player; "+" for every one.
    """

    prefix: str
    name: str

    @property
    def presence(self) -> str:
        """Whether it is there."""
        return f"{self.prefix}/{self.name}/presence"

    @property
    def state(self) -> str:
        """How it is."""
        return f"{self.prefix}/{self.name}/state"

    @property
    def command(self) -> str:
        """What is asked of it."""
        return f"{self.prefix}/{self.name}/command"

    @property
    def answer(self) -> str:
        """What came of that."""
        return f"{self.prefix}/{self.name}/answer"


Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{8,64}\Z")]
By = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.@-]{0,40}\Z")]
Line = Annotated[str, msgspec.Meta(max_length=200)]


class Presence(msgspec.Struct, frozen=True):
    """Whether a player is connected.

    Attributes:
        version: see `VERSION`.
        online: whether it is; the broker says that it is not when it has lost it.
        why: it is not, where it said so itself.
    """

    version: int
    online: bool
    why: str = ""


class PlayerState(msgspec.Struct, frozen=True, kw_only=True):
    """How a player is.

    Attributes:
        version: see `VERSION`.
        name: of the player.
        title: of its installation.
        engine: version of the software.
        at: seconds since 1970 by its own clock.
        ok: whether all checks hold.
        sentence: how it is, in words for anybody.
        wrong: what does not hold, in words for a technician; one a check.
        scene, section: that are heard; empty while nothing is.
        rung: the lowest of the ladder that is heard; empty where all sounds as the scene asks.
        expected: whether sound is meant to be heard.
        last_sound: seconds since 1970 by its own clock at which audible sound last left; None before the first.
        temperature: of the board in degrees Celsius; None where it does not tell.
        muted, quiet, alarm: what hands want.
        volume: dB by which staff have turned it up or down.
        may: what may be asked of it this way.
    """

    version: int
    name: str
    title: str
    engine: str
    at: float
    ok: bool
    sentence: str
    wrong: tuple[str, ...] = ()
    scene: str = ""
    section: str = ""
    rung: str = ""
    expected: bool = False
    last_sound: float | None = None
    temperature: float | None = None
    muted: bool = False
    quiet: bool = False
    alarm: bool = False
    volume: float = 0.0
    may: tuple[str, ...] = ()


class Push(StrEnum):
    """What may be pushed."""

    SCENE = "scene"
    INSTALLATION = "installation"


class PushedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that is to take the place of the one that a player has.

    Attributes:
        kind: what it is.
        text: of the file.
        name: of the scene, as the programme calls it.
    """

    kind: Push
    text: str
    name: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,62})?\Z")] = ""


class SteeringCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that is asked of a player. It is done once, however often it comes.

    Attributes:
        version: see `VERSION`.
        id: that no other command has; the answer bears it.
        ask: a line as `perpetuum control` takes it, "mute", "volume -6"; empty where a file is pushed.
        push: a file; None without.
        by: who asks, for the journal; nothing is believed of it.
    """

    version: int
    id: Id
    ask: Line = ""
    push: PushedFile | None = None
    by: By = ""


class Outcome(StrEnum):
    """What came of a command."""

    DONE = "done"
    """It acts, or will where the music lets it."""

    REFUSED = "refused"
    """Nothing was changed; the text says why."""

    FAILED = "failed"
    """It could not be done, or nobody knows."""


class FoundProblem(msgspec.Struct, frozen=True):
    """What is wrong with a pushed file, at one place of it.

    Attributes:
        file: path on the player.
        line, column: counted from 1.
        error: whether it stops the file from being taken.
        text: as `perpetuum check` prints it.
    """

    file: str
    line: int
    column: int
    error: bool
    text: str


class CommandAnswer(msgspec.Struct, frozen=True):
    """What came of a command.

    Attributes:
        version: see `VERSION`.
        id: of the command; empty where it had none that could be read.
        outcome: see `Outcome`.
        text: for people.
        found: what is to be said of a pushed file, `MOST_FOUND` at most.
        more: how many further problems there are.
    """

    version: int
    id: str
    outcome: Outcome
    text: str
    found: tuple[FoundProblem, ...] = ()
    more: int = 0


class _Versioned(msgspec.Struct):
    version: int


M = TypeVar("M", Presence, PlayerState, SteeringCommand, CommandAnswer)


def read_message(kind: type[M], payload: bytes) -> M:
    """A message, of which nothing is believed.

    Args:
        kind: what it should be.
        payload: as it came.

    Raises:
        PerpetuumError: it is none; the text says why, and quotes little of it.
    """
    if len(payload) > LARGEST:
        raise PerpetuumError(f"a message of {len(payload)} bytes is too large", f"at most {LARGEST}")
    try:
        version = msgspec.json.decode(payload, type=_Versioned).version
        if version != VERSION:
            raise PerpetuumError(f"version {version} is not spoken here", f"version {VERSION}")
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PerpetuumError(f"this is no {kind.__name__}: {str(error)[:200]}") from None


_ID = re.compile(rb'"id"\s*:\s*"([A-Za-z0-9_-]{8,64})"')


def id_of(payload: bytes) -> str:
    """The id of what may be no command at all, so that whoever sent it is answered; empty where there is none."""
    match = _ID.search(payload[:4096]) or _ID.search(payload[-4096:])
    return match[1].decode() if match else ""


def write_message(message: Presence | PlayerState | SteeringCommand | CommandAnswer) -> bytes:
    """A message as it is sent."""
    return msgspec.json.encode(message)
