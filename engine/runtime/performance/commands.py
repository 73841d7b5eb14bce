# pyright: strict
"""What a hand may ask of a running performance: a closed union of frozen values that the codec carries.

The mind's commands act at a bar line that is not decided yet; those of the stage (`Mute`, `Alarm`, `SetGain`,
`SetTrim`, `SetLowCut`, `Stop`) act at once, behind the pipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class When(StrEnum):
    """When another scene takes over."""

    BAR = "bar"  # at the next bar line that is not decided
    SECTION = "section"  # where a pass of a section ends
    REST = "rest"  # where a pass ends, after a rest of `REST_BARS`


@dataclass(frozen=True, slots=True)
class ChangeScene:
    """Play another scene, or the same file as it is now.

    Attributes:
        path: of the scene file.
        when: where it takes over.
        seed: of what it plays, which then begins with the scene's first section; None: as an edit, go on with the same.
        overlap: bars of what plays that still sound while it begins; only with a seed.
    """

    path: str
    when: When = When.BAR
    seed: int | None = None
    overlap: int = 0


@dataclass(frozen=True, slots=True)
class GoToSection:
    """Go to a section of the scene.

    Attributes:
        section: its name.
        when: `BAR` cuts what runs, `SECTION` waits for its end.
    """

    section: str
    when: When = When.SECTION


@dataclass(frozen=True, slots=True)
class Reseed:
    """Go on with another seed from the next bar line that is not decided."""

    seed: int


@dataclass(frozen=True, slots=True)
class Solo:
    """Let only one part be heard.

    Attributes:
        part: its name; None for all.
    """

    part: str | None


@dataclass(frozen=True, slots=True)
class MutePart:
    """Silence a part, or let it be heard again."""

    part: str
    muted: bool


@dataclass(frozen=True, slots=True)
class SetControl:
    """Hold a setting of a part where a hand wants it; the hand counts more than section, day and scene.

    Attributes:
        part: its name.
        control: "level", "pan", "reverb", "delay", "brightness", or a setting of its generator; "generator" lets
            another kind play in its place, by rules.
        value: as a scene file writes it ("-14 dB", "70 %", 0.9); None gives the setting back to the scene.
    """

    part: str
    control: str
    value: str | float | int | None


@dataclass(frozen=True, slots=True)
class Mute:
    """Silence everything at once, or let it come back softly. The music goes on unheard."""

    muted: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """Silence at once, what the player holds included, and stay so until it is over; then come back softly."""

    silent: bool


@dataclass(frozen=True, slots=True)
class SetGain:
    """Turn everything up or down at once.

    Attributes:
        decibels: -inf up to `engine.outputs.gain.MOST_LEVEL`.
        seconds: over which.
    """

    decibels: float
    seconds: float = 0.5


@dataclass(frozen=True, slots=True)
class SetTrim:
    """Make everything louder or softer by so much, whatever level is asked for: a correction that stays as levels move.

    Attributes:
        decibels: at most `engine.outputs.gain.MOST_TRIM`.
        seconds: over which.
    """

    decibels: float
    seconds: float = 0.5


@dataclass(frozen=True, slots=True)
class SetLowCut:
    """Take bass away, or let it come back.

    Attributes:
        hertz: below which it goes, at most `engine.outputs.low_cut.MOST_HERTZ`; 0: all of it stays.
        seconds: over which.
    """

    hertz: float
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Stop:
    """Fade out and end.

    Attributes:
        seconds: of the fade.
    """

    seconds: float


BarCommand = GoToSection | Reseed | Solo | MutePart | SetControl
"""What the mind does at once, between two bars."""

MindCommand = ChangeScene | BarCommand
"""What the mind deals with."""

StageCommand = Mute | Alarm | SetGain | SetTrim | SetLowCut | Stop
"""What the stage deals with."""

Command = MindCommand | StageCommand


def words_of(command: Command) -> str:
    """What a command was told, for people."""
    return ", ".join(str(getattr(command, name)) for name in type(command).__dataclass_fields__)
