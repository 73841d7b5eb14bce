# pyright: strict
"""What there is of the audio process that is heard: one that plays, candidates for its place, or none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.processes.reports import Cause
from engine.runtime.audio.failover.takeover import Takeover
from engine.runtime.audio.graph_log import GraphLog
from engine.runtime.audio.processes import AudioChild


class AudioState(StrEnum):
    """What the audio process is doing."""

    STARTING = "starting"
    PLAYING = "playing"
    DEAD = "dead"  # and about to be started again
    FAILED = "failed"  # offline: it died, and the render with it
    ENDED = "ended"  # faded out
    CLOSED = "closed"


@dataclass
class Attached:
    """One process writes to the pipe that is heard.

    Attributes:
        child: the process.
        log: of what it is told; None in a render, which tells nobody.
        playing: whether it has built its graph.
    """

    child: AudioChild
    log: GraphLog | None
    playing: bool = False


@dataclass(frozen=True, slots=True)
class Racing:
    """Candidates are on their way to the place where the last one stopped."""

    takeover: Takeover


@dataclass(frozen=True, slots=True)
class Lost:
    """There is none; another is started at a moment of the clock."""

    restart_at: float


@dataclass(frozen=True, slots=True)
class Over:
    """No more sound will come."""

    state: AudioState


Standing = Attached | Racing | Lost | Over
"""What there is."""


def state_of(now: Standing) -> AudioState:
    """What the audio process is doing."""
    match now:
        case Attached(playing=playing):
            return AudioState.PLAYING if playing else AudioState.STARTING
        case Racing():
            return AudioState.STARTING
        case Lost(restart_at):
            return AudioState.STARTING if restart_at == float("inf") else AudioState.DEAD
        case Over(state):
            return state


@dataclass(frozen=True, slots=True)
class End:
    """The process that was heard has ended.

    Attributes:
        frame: up to which it has played.
        faded: it had faded out.
        faded_early: it ended by itself on its way there.
        reason: what is known of its end, for people.
        cause: why it ended.
    """

    frame: int
    faded: bool
    faded_early: bool
    reason: str
    cause: Cause
