# pyright: strict
"""The events of a performance: one closed vocabulary of frozen values that any codec can carry.

Bars are counted from 0 over the whole performance, frames from its start, times of notes in beats. Words for people are
made where they are shown, never here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.events.hearing import Heard, RepetitionMeasured, SoundMeasured
from engine.events.processes import (
    NotesLate,
    NotesLeftOut,
    OutputFailed,
    ProcessDied,
    ProcessStarted,
    SoundResumed,
    SoundStarved,
)
from engine.events.proof import MainsFound, MixerFound, RoomFound
from engine.events.sounding import GainMoved, GraphBegan, HandAsked, SoundTold, ToldLate
from engine.score.harmony.keys import Key
from engine.score.phrase import Phrase


@dataclass(frozen=True, slots=True)
class SectionBegan:
    """The first bar of a pass of a section has been decided.

    Attributes:
        pass_index: passes before it.
        section: its name.
        first_bar: of the pass.
        qpms: tempo of each of its bars, in quarter notes a minute.
        key: as a scene file writes it.
        dynamics: levels of playing at its bar lines (mf is 0, p -2, ff 2); empty for mf.
        called: what the form has called it for ("opening", "closing", "refrain", "tutti", "quiet"); mostly nothing.
    """

    pass_index: int
    section: str
    first_bar: int
    qpms: tuple[float, ...]
    key: str
    dynamics: tuple[float, ...] = ()
    called: str = ""

    @property
    def bars(self) -> int:
        """How many it has."""
        return len(self.qpms)

    @property
    def end_bar(self) -> int:
        """First bar after it."""
        return self.first_bar + len(self.qpms)


@dataclass(frozen=True, slots=True)
class QuietBegan:
    """The first bar of a planned quiet has been decided: softness is meant until it ends, and no fault.

    Attributes:
        section: that plays.
        first_bar, end_bar: its first bar, and the first after it.
        begin, end: frames of the same.
    """

    section: str
    first_bar: int
    end_bar: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class PhraseDecided:
    """It is known what a part plays over some bars.

    Attributes:
        part: its name.
        pass_index: of the pass that it lies in.
        first_bar, bars: where it stands.
        seed: that it was asked for with.
        rung: name of the rung of the ladder that made it: "networks", "rules", or the floor's.
        reason: why a lower rung made it; empty if none had to.
        seconds: what making it took.
        raw: what the generator made.
        phrase: after the transforms.
        key: that they are in.
    """

    part: str
    pass_index: int
    first_bar: int
    bars: int
    seed: int
    rung: str
    reason: str
    seconds: float
    raw: Phrase
    phrase: Phrase
    key: Key


@dataclass(frozen=True, slots=True)
class PartBar:
    """What one part plays in one bar.

    Attributes:
        part: its name.
        phrase: notes that start in the bar, in beats from the bar line.
        heard: False for a part that only others listen to.
        network: the part needs a network.
    """

    part: str
    phrase: Phrase
    heard: bool
    network: bool


@dataclass(frozen=True, slots=True)
class BarSealed:
    """A bar has been decided for good, and its notes are on their way to the sound.

    Attributes:
        bar: its number.
        start, end: its first frame, and the first after it.
        qpm: its tempo.
        pass_index, section: where it lies.
        parts: those that are active in it, in the order of playing.
    """

    bar: int
    start: int
    end: int
    qpm: float
    pass_index: int
    section: str
    parts: tuple[PartBar, ...]


class StepCause(StrEnum):
    """Why a rung of the ladder was passed over, as few words as metrics can count."""

    LATE = "late"
    """It did not answer in time."""

    FAILED = "failed"
    """It raised, or what it runs in was lost."""

    UNPLAYABLE = "unplayable"
    """What it gave is no phrase that can be played."""

    SPARED = "breaker_open"
    """It failed several times in a row and is left alone for a while."""

    UNREADY = "not_ready"
    """It has not loaded what it needs."""


@dataclass(frozen=True, slots=True)
class SteppedDown:
    """A maker of phrases failed, was late or is left alone for a while, so that a lower rung of the ladder played.

    Attributes:
        part: for whom.
        bar: the first that the lower rung plays.
        rung: what failed.
        reason: why.
        cause: the same in a word.
    """

    part: str
    bar: int
    rung: str
    reason: str
    cause: StepCause = StepCause.FAILED


@dataclass(frozen=True, slots=True)
class SteppedUp:
    """A rung that had failed makes phrases again.

    Attributes:
        part: for whom it made the first one.
        bar: the first bar of that.
        rung: what works again.
    """

    part: str
    bar: int
    rung: str


@dataclass(frozen=True, slots=True)
class NetworksLoaded:
    """The networks of a scene have been loaded, or have failed to.

    Attributes:
        seconds: what it took.
        problems: pairs of a network's kind and why it did not load.
    """

    seconds: float
    problems: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class WeightsFound:
    """It is known which weights a network of a part plays with.

    Attributes:
        part: its name.
        generator: kind of the generator, or of the transform that has a network.
        digest: SHA-256 of the weights file, hexadecimal.
    """

    part: str
    generator: str
    digest: str


@dataclass(frozen=True, slots=True)
class TimbreFailed:
    """The bank of notes of a part cannot be made, so its stand-in plays, or what played before plays on.

    Attributes:
        part: its name.
        kind: of its timbre.
        reason: why.
    """

    part: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class TimbreChanged:
    """A part is played by another bank of notes from a bar on.

    Attributes:
        part: its name.
        kind: of its timbre.
        digest: of the bank.
        bar: the first whose notes are the new bank's.
        seconds: what making it took; 0 where it was there.
    """

    part: str
    kind: str
    digest: str
    bar: int
    seconds: float


@dataclass(frozen=True, slots=True)
class BankPlayed:
    """A bank of notes that the sound was told of for the first time: what it is made of, so that it can be made again.

    Attributes:
        part: its name.
        kind: of its timbre.
        digest: of the bank.
        order: what whoever makes it is told (`TO_BANK_MAKER`); the folder is empty.
    """

    part: str
    kind: str
    digest: str
    order: bytes


@dataclass(frozen=True, slots=True)
class SceneTookOver:
    """Another scene, or an edited one, plays from a bar on.

    Attributes:
        bar: the first that it decides.
        title: of the scene.
    """

    bar: int
    title: str


@dataclass(frozen=True, slots=True)
class SceneRefused:
    """A scene cannot be played, so what played plays on.

    Attributes:
        title: of the scene.
        reason: why.
    """

    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Commanded:
    """A hand changed the course of the performance.

    Attributes:
        command: name of the command.
        argument: what it was told, for people; may be empty.
        bar: the first that it concerns; the sound's commands act at once and name the bar that is sealed next.
    """

    command: str
    argument: str
    bar: int


Event = (
    SectionBegan
    | QuietBegan
    | PhraseDecided
    | BarSealed
    | SteppedDown
    | SteppedUp
    | NetworksLoaded
    | WeightsFound
    | TimbreFailed
    | TimbreChanged
    | BankPlayed
    | SceneTookOver
    | SceneRefused
    | ProcessStarted
    | ProcessDied
    | NotesLeftOut
    | NotesLate
    | GraphBegan
    | SoundTold
    | ToldLate
    | GainMoved
    | HandAsked
    | SoundStarved
    | SoundResumed
    | OutputFailed
    | Commanded
    | Heard
    | SoundMeasured
    | MainsFound
    | MixerFound
    | RoomFound
    | RepetitionMeasured
)
