# pyright: strict
"""What passes between the keeper and a recorder."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.codec import Codec
from engine.events.hearing import SoundMeasured
from engine.events.snapshot import HealthSnapshot
from engine.form.hearing import Hearing, SoundHearing
from engine.installation.choices.access import Address
from engine.installation.choices.notices import NoticeChoices
from engine.installation.choices.proof import ProofChoices
from engine.installation.installation import Installation
from engine.journal.entries import Noted
from engine.journal.recalled import Recalled
from engine.outputs.opening import OutputChoice
from engine.runtime.performance.commands import Command


@dataclass(frozen=True, slots=True)
class OpenJournal:
    """The first word to a recorder.

    Attributes:
        folder: that holds the journal.
        base: number from which the entries of this run of the keeper count; 0: nobody knows yet.
        keep: seconds for which all is kept.
    """

    folder: str
    base: int
    keep: float


@dataclass(frozen=True, slots=True)
class JournalOpened:
    """Entries are kept from now on; those after `last` are wanted, and those of where the sitting began.

    Attributes:
        base: see `OpenJournal`.
        last: index of the last entry that is kept.
        recalled: where the music stood when the journal was opened; None where nobody knows.
        problems: what was lost, for people.
    """

    base: int
    last: int
    recalled: Recalled | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JournalFailed:
    """Nothing can be kept now; it is tried again.

    Attributes:
        reason: why, for people.
        recalled: where the music stood, as far as could be read.
    """

    reason: str
    recalled: Recalled | None = None


@dataclass(frozen=True, slots=True)
class EntriesKept:
    """All entries up to an index are committed."""

    index: int


@dataclass(frozen=True, slots=True)
class RecorderBeat:
    """A sign of life, once a second."""


@dataclass(frozen=True, slots=True)
class RecorderAsks:
    """Whoever listens in the recorder asks for something.

    Attributes:
        command: as `COMMANDS` writes it.
    """

    command: bytes


@dataclass(frozen=True, slots=True)
class RecorderTells:
    """Whoever listens in the recorder found something that is to be kept.

    Attributes:
        event: as `EVENTS` of the journal writes it.
    """

    event: bytes


@dataclass(frozen=True, slots=True)
class EntriesFollow:
    """A `JournalOpened` was heard: what it lacks follows. What was sent before comes again."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is to be watched, and who is told, as an installation file says.

    Attributes:
        title: of the installation.
        zone: name of its time zone; empty for the machine's.
        folder: of its state.
        health: addresses at which health is served.
        notices: who is told.
        output: where the sound goes.
        proof: what is watched behind it.
        hearing: what the ear takes for a fault of the notes.
        sound_hearing: of the sound.
        target: LUFS of what comes before the gain.
        ceiling: dB of true peak that nothing is to pass: the highest of the day.
    """

    title: str
    zone: str
    folder: str
    health: tuple[Address, ...]
    notices: NoticeChoices
    output: OutputChoice
    proof: ProofChoices
    hearing: Hearing = field(default_factory=Hearing)
    sound_hearing: SoundHearing = field(default_factory=SoundHearing)
    target: float = -20.0
    ceiling: float = -1.0


@dataclass(frozen=True, slots=True)
class SoundSent:
    """What leaves for the output, for whoever compares it with a microphone.

    Attributes:
        frames: of 16 bits and one channel, 8000 a second.
    """

    frames: bytes


def watch_of(installation: Installation) -> Watch:
    """What an installation file says of watching."""
    return Watch(
        installation.title,
        installation.time_zone,
        str(installation.state),
        installation.listening.health,
        installation.notices,
        installation.sound.output,
        installation.proof,
        installation.hearing,
        installation.sound_hearing,
        installation.loudness.loudest,
        max(value for _, value in installation.loudness.ceiling.points),
    )


ToRecorder = OpenJournal | EntriesFollow | Noted | Watch | HealthSnapshot | SoundSent | SoundMeasured
"""All that a recorder is told."""

FromRecorder = JournalOpened | JournalFailed | EntriesKept | RecorderBeat | RecorderAsks | RecorderTells
"""All that it says."""

TO_RECORDER: Codec[ToRecorder] = Codec(ToRecorder)
FROM_RECORDER: Codec[FromRecorder] = Codec(FromRecorder)
COMMANDS: Codec[Command] = Codec(Command)
