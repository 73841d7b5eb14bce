# pyright: strict
"""What passes between the keeper and a mind."""

from __future__ import annotations

from dataclasses import dataclass

from engine.codec import Codec
from engine.events.vocabulary import Event
from engine.installation.choices.access import PoolChoice
from engine.runtime.performance.commands import MindCommand
from engine.runtime.performance.messages import GraphRefused, SoundProgress, ToStage


@dataclass(frozen=True, slots=True)
class Play:
    """The first word to a mind.

    Attributes:
        scene: path of the scene file.
        seed: of the performance.
        lead: frames before it sounds at which a bar is sealed.
        state: checkpoint of the mind before it, as that one wrote it; empty: begin with the scene's first bar.
        frame: with a state: bars that begin before this frame are left out, because they have sounded without a mind.
        sounding: with a state: the graph that it was decided for sounds.
        pool: other machines that make phrases; None: there are none. Where the token lies travels, never the token.
    """

    scene: str
    seed: int
    lead: int
    state: bytes = b""
    frame: int = 0
    sounding: bool = False
    pool: PoolChoice | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """All that a mind has decided since it last said so, and how another goes on from here: taken whole or not at all.

    Attributes:
        messages: to the stage, as `TO_STAGE` writes them, in order.
        events: as `EVENTS` writes them, in order.
        state: checkpoint; empty before there is one.
        scene: path of the scene file that the checkpoint is of.
        seed: of the performance from there on.
    """

    messages: tuple[bytes, ...]
    events: tuple[bytes, ...]
    state: bytes = b""
    scene: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life, some times a second.

    Attributes:
        looks: steps of the conductor so far; one that does not grow hangs.
        worn: why one of its workers should be replaced, which is done with the mind; empty: none.
    """

    looks: int
    worn: str = ""


@dataclass(frozen=True, slots=True)
class CannotPlay:
    """The mind ends, because what it was told cannot be played.

    Attributes:
        reason: why, for people.
        state_refused: the scene can be played, and the state cannot be taken up.
    """

    reason: str
    state_refused: bool


ToMind = Play | SoundProgress | GraphRefused | MindCommand
"""All that a mind is told."""

FromMind = Decided | Beat | CannotPlay
"""All that it says."""

TO_MIND: Codec[ToMind] = Codec(ToMind)
FROM_MIND: Codec[FromMind] = Codec(FromMind)
TO_STAGE: Codec[ToStage] = Codec(ToStage)
EVENTS: Codec[Event] = Codec(Event)
