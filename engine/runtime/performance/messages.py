# pyright: strict
"""What passes between the two halves of a performance, and nothing else does."""

from __future__ import annotations

from dataclasses import dataclass

from engine.events.vocabulary import Event
from engine.runtime.performance.commands import StageCommand
from engine.sound.messages import ChangeInstrument, Fade, Forget, Notes, Ramps, Release, Setup


@dataclass(frozen=True, slots=True)
class Begin:
    """The notes of the first bars have been sent: let it sound."""


@dataclass(frozen=True, slots=True)
class SoundProgress:
    """How far the sound is.

    Attributes:
        made: frames that the audio process has made.
        heard: frames that the output has taken.
        over: no more sound will come.
    """

    made: int
    heard: int
    over: bool


@dataclass(frozen=True, slots=True)
class GraphRefused:
    """No process could build the graph of a new scene; the old one plays on.

    Attributes:
        setup: of the new scene.
        reason: what the last process said.
    """

    setup: Setup
    reason: str


ToStage = Setup | Notes | Ramps | ChangeInstrument | Forget | Release | Fade | Begin | StageCommand
"""From the mind, and from whoever commands, to the stage."""

FromStage = SoundProgress | GraphRefused | Event
"""From the stage to the mind."""
