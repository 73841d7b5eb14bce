# pyright: strict
"""What is told to the journal by whoever plays: small frozen values, in the order in which things happened."""

from __future__ import annotations

from dataclasses import dataclass

from engine.codec import Codec
from engine.events.vocabulary import Event
from engine.runtime.performance.commands import StageCommand
from engine.runtime.performance.messages import ToStage


@dataclass(frozen=True, slots=True)
class SittingBegan:
    """Something is about to sound.

    Attributes:
        installation: path of its file.
        scene: path of the scene file.
        seed: of the performance.
        frame: at which the sound begins; 0, or where another sitting stood.
        continues: number of the sitting that it goes on from; 0 for none.
        version: of the engine.
        why: it begins, for people.
    """

    installation: str
    scene: str
    seed: int
    frame: int
    continues: int
    version: str
    why: str


@dataclass(frozen=True, slots=True)
class SittingEnded:
    """A sitting was ended on purpose. One that was cut off has no such end.

    Attributes:
        why: for people.
    """

    why: str


@dataclass(frozen=True, slots=True)
class TurnBegan:
    """Another turn of an installation's programme is asked for; its scene takes over at a `SceneTookOver`.

    Attributes:
        source: of the turn, as the timetable calls it: "programme", "fixed hours", "outside the hours".
        session: name of the session.
        index: turns before it in the session.
        scene: name of the scene in the installation.
        file: path of the scene file.
        seconds: for which it is meant to play.
        seed: of the performance.
    """

    source: str
    session: str
    index: int
    scene: str
    file: str
    seconds: float
    seed: int


@dataclass(frozen=True, slots=True)
class LastBarsRepeated:
    """Nobody decided, so the last bars sounded once more.

    Attributes:
        start, end: frames of what they fill.
        messages: notes as the sound was told, as `TO_STAGE` writes them.
    """

    start: int
    end: int
    messages: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class RecordsLost:
    """Something happened that the journal could not keep.

    Attributes:
        count: of the entries.
        seconds: over which.
        reason: why.
    """

    count: int
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What a mind has decided at once, and how it goes on from there.

    Attributes:
        messages: what the stage was told of it, as `TO_STAGE` writes them, in order.
        events: as `EVENTS` writes them, in order.
        state: of the mind, JSON; empty before there is one.
        scene: path of the scene file that the state is of.
        seed: of the performance from there on.
    """

    messages: tuple[bytes, ...]
    events: tuple[bytes, ...]
    state: bytes
    scene: str
    seed: int


@dataclass(frozen=True, slots=True)
class Happened:
    """Something happened.

    Attributes:
        value: as `HAPPENINGS` writes it.
    """

    value: bytes


@dataclass(frozen=True, slots=True)
class HeardUntil:
    """How far the sound has been heard.

    Attributes:
        frame: that the output takes next.
        played: seconds for which the turn has played.
    """

    frame: int
    played: float


HappeningValue = Event | ToStage | StageCommand | TurnBegan | SittingEnded | LastBarsRepeated | RecordsLost
"""All that a happening may be."""

Entry = SittingBegan | Decision | Happened | HeardUntil
"""All that the journal is told."""

ENTRIES: Codec[Entry] = Codec(Entry)
HAPPENINGS: Codec[HappeningValue] = Codec(HappeningValue)
EVENTS: Codec[Event] = Codec(Event)
TO_STAGE: Codec[ToStage] = Codec(ToStage)


@dataclass(frozen=True, slots=True)
class Noted:
    """An entry, and when it was made.

    Attributes:
        index: of all entries of this run of the keeper, from 1.
        wall: seconds of UTC since 1970.
        made: frames of sound that were made by then.
        entry: as `ENTRIES` writes it.
    """

    index: int
    wall: float
    made: int
    entry: bytes
