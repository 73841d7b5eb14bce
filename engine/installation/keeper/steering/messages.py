# pyright: strict
"""What passes between the keeper and the steering's process."""

from __future__ import annotations

from dataclasses import dataclass

from engine.codec import Codec
from engine.events.snapshot import HealthSnapshot
from engine.installation.choices.steering import SteeringChoice
from engine.installation.installation import Installation


@dataclass(frozen=True, slots=True)
class Steer:
    """The first word to a process: by which broker it is reached, and what it may change.

    Attributes:
        choice: as the installation file says it.
        installation: that runs.
        folder: of its state.
    """

    choice: SteeringChoice
    installation: Installation
    folder: str


@dataclass(frozen=True, slots=True)
class SteeringBeat:
    """A sign of life, once a second."""


@dataclass(frozen=True, slots=True)
class SteeringReach:
    """Whether it can be reached from afar now.

    Attributes:
        reached: whether a broker has it.
        text: by which broker, or why not.
    """

    reached: bool
    text: str


@dataclass(frozen=True, slots=True)
class SteeringAsks:
    """Somebody asks for something. With an id that was asked before, nothing is done once more.

    Attributes:
        id: of the command.
        line: as the control socket takes it.
        who: asks, in a word.
    """

    id: str
    line: str
    who: str


@dataclass(frozen=True, slots=True)
class AskAnswered:
    """What came of it.

    Attributes:
        id: of the command.
        done: whether it acts, or will; otherwise nothing was changed.
        text: for people.
    """

    id: str
    done: bool
    text: str


ToSteering = Steer | HealthSnapshot | AskAnswered
"""All that the process is told."""

FromSteering = SteeringBeat | SteeringReach | SteeringAsks
"""All that it says."""

TO_STEERING: Codec[ToSteering] = Codec(ToSteering)
FROM_STEERING: Codec[FromSteering] = Codec(FromSteering)
