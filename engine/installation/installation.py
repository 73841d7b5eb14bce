# pyright: strict
"""An installation as values: what a file of `installations/` says, read and checked.

Wherever seconds are of the day they are counted from local midnight, 0 to 86,400. `engine.installation.reading` makes
it, `engine.installation.hours.timetable` says what it means at a moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import msgspec

from engine.form.curves import DayCurve
from engine.form.hearing import Hearing, SoundHearing
from engine.installation.choices.access import AlarmSources, Listening, PoolChoice
from engine.installation.choices.amplifier import AmplifierChoice
from engine.installation.choices.calibration import Calibration
from engine.installation.choices.notices import NoticeChoices
from engine.installation.choices.proof import ProofChoices
from engine.installation.choices.staff import ButtonPins, StaffChoice
from engine.installation.choices.steering import SteeringChoice
from engine.installation.choices.ups import UpsChoice
from engine.installation.hours.opening import Hours, Opening
from engine.logs.choice import LogChoice
from engine.outputs.opening import OutputChoice
from engine.score.time import DAY

_LISTENING, _ALARM, _NOBODY, _PROOF = Listening(), AlarmSources(), NoticeChoices(), ProofChoices()
_OPENING = Opening()
_STAFF, _BUTTONS, _LOG = StaffChoice(), ButtonPins(), LogChoice()
_TARGET, _CEILING, _AUTO = DayCurve(((0.0, -20.0),)), DayCurve(((0.0, -1.0),)), OutputChoice("auto")


class AtSection(msgspec.Struct, frozen=True, tag=True):
    """The next scene begins where a section of the last one ends.

    Attributes:
        fade: seconds in which the last one fades out.
    """

    fade: float = 4.0


class AfterRest(msgspec.Struct, frozen=True, tag=True):
    """The next scene begins after a rest.

    Attributes:
        fade: seconds in which the last one fades out, from the end of a section on.
        rest: seconds of silence after that.
    """

    fade: float = 4.0
    rest: float = 5.0


class Overlap(msgspec.Struct, frozen=True, tag=True):
    """The next scene begins while the last one still plays.

    Attributes:
        bars: of the last one, from the end of a section on, in which it fades out and the next one fades in.
    """

    bars: int = 8


Transition = AtSection | AfterRest | Overlap
"""Structs of msgspec, because their union travels between processes: a codec tells them apart by their tags."""
_AT_SECTION = AtSection()


@dataclass(frozen=True, slots=True)
class SceneEntry:
    """A scene of the programme.

    Attributes:
        name: as the installation calls it.
        file: of the scene, absolute.
        shortest, longest: seconds that it plays; each turn draws from them.
        weight: how often it is drawn, where the order is drawn.
        next: weights of what follows it; None where the order says so.
        hours: of each day in which it plays instead of the programme; such a scene is in no turn.
        days: of the week on which these hours count (0: Monday).
        seed: of each of its performances; None: another for each turn.
        transition: into it; None: as for all.
        sections: names of its sections, as they were when the file was read.
    """

    name: str
    file: Path
    shortest: float
    longest: float
    weight: float = 1.0
    next: Mapping[str, float] | None = None
    hours: tuple[Hours, ...] = ()
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    seed: int | None = None
    transition: Transition | None = None
    sections: tuple[str, ...] = ()


class Order(StrEnum):
    """How scenes follow one another that do not say what follows them."""

    FILE = "file"
    """As they stand in the file, over and over."""

    RANDOM = "random"
    """Drawn by their weights, none twice in a row."""


@dataclass(frozen=True, slots=True)
class Programme:
    """Scenes, and how they follow one another.

    Attributes:
        scenes: by name, as they stand in the file; at least one is without hours of its own.
        order: of those that do not say what follows them.
        seed: of every draw.
        transition: from one to the next.
        longest_wait: seconds that a section of the last scene may still take; then the next bar line will do.
    """

    scenes: Mapping[str, SceneEntry]
    order: Order = Order.FILE
    seed: int = 0
    transition: Transition = _AT_SECTION
    longest_wait: float = 120.0


@dataclass(frozen=True, slots=True)
class LowCutHours:
    """Where bass ends, by the time of day.

    Attributes:
        points: (seconds since midnight, Hz from then on) in order, at least one; 0 Hz: all bass stays.
    """

    points: tuple[tuple[float, float], ...] = ((0.0, 0.0),)

    def at(self, time_of_day: float) -> float:
        """Hz at a time of day in seconds: before the first point it is the last one's, from the day before."""
        passed = [hertz for time, hertz in self.points if time <= time_of_day % DAY]
        return passed[-1] if passed else self.points[-1][1]


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud it is.

    Attributes:
        target: LUFS, integrated, over the day; straight lines from point to point.
        ceiling: dB of true peak below full scale, over the day.
        steepest: dB per minute by which the target moves at most, whatever asks for more.
        limit: LUFS that neither the target nor a hand passes, over the day; None: there is no such limit.
        low_cut: where bass ends.
        calibration: what a meter in the room shows; None where nobody knows.
    """

    target: DayCurve = _TARGET
    ceiling: DayCurve = _CEILING
    steepest: float = 3.0
    limit: DayCurve | None = None
    low_cut: LowCutHours = LowCutHours()
    calibration: Calibration | None = None

    @property
    def loudest(self) -> float:
        """The loudest target of the day, in LUFS: the zero of the level behind the limiter."""
        return max(value for _, value in self.target.points)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet mode: of the quiet hours, and when somebody asks for it.

    Attributes:
        hours: of each day in which it counts by itself.
        days: of the week on which these hours count (0: Monday).
        level: dB by which the target is lowered, at most 0.
        density: share of the notes that stay, 0..1.
    """

    hours: tuple[Hours, ...] = ()
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    level: float = -12.0
    density: float = 1.0


@dataclass(frozen=True, slots=True)
class Fades:
    """At the edges of the opening hours.

    Attributes:
        fade_in: seconds from the opening on.
        fade_out: seconds that end at the closing.
    """

    fade_in: float = 10.0
    fade_out: float = 30.0


@dataclass(frozen=True, slots=True)
class Outside:
    """What sounds while it is closed.

    Attributes:
        name: as `SceneEntry.name`.
        file: of the scene, absolute.
        level: dB relative to the target.
    """

    name: str
    file: Path
    level: float = -12.0


@dataclass(frozen=True, slots=True)
class PlannedRestart:
    """All processes begin anew, so that what grows over months begins anew, too.

    Attributes:
        at: seconds of the day.
        days: of the week (0: Monday).
    """

    at: float
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)


class UnknownTime(StrEnum):
    """What counts while the machine does not know what time it is."""

    OPEN = "open"
    """It plays as on an open day."""

    CLOSED = "closed"
    """It is as outside the hours."""


@dataclass(frozen=True, slots=True)
class FollowerChoice:
    """An output that follows the first one.

    Attributes:
        choice: which.
        keep: hours of recordings that a folder keeps; None: all.
    """

    choice: OutputChoice
    keep: float | None = None


@dataclass(frozen=True, slots=True)
class Sound:
    """Where the sound goes.

    Attributes:
        output: that keeps time.
        followers: any number.
        mono: both channels are one.
    """

    output: OutputChoice = _AUTO
    followers: tuple[FollowerChoice, ...] = ()
    mono: bool = False


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """What is remembered of what was played, and for how long.

    Attributes:
        keep: seconds for which the journal keeps what happened.
        resume: seconds of absence after which the music does not go on at the very bar; the next turn begins.
    """

    keep: float = 30 * 86400.0
    resume: float = 1800.0


@dataclass(frozen=True, slots=True)
class Installation:
    """A whole installation.

    Attributes:
        path: of its file.
        title: for people.
        programme: scenes, and how they follow one another.
        opening: hours and days.
        time_zone: name of a zone of the tz database; empty: the machine's own.
        unknown_time: what counts while the time is unknown.
        fades: at the edges of the hours.
        outside: what sounds while it is closed; None: nothing.
        quiet: quiet mode and quiet hours.
        loudness: over the day.
        staff: by how much staff may move the volume.
        buttons: that they have, and a light.
        hearing: what the ear takes for a fault of the notes, where a scene says nothing else.
        sound_hearing: what it takes for one of the sound.
        sound: outputs.
        restart: planned; None: none.
        state: folder of what it remembers, absolute; need not be there yet.
        listening: addresses.
        alarm: fire alarm.
        journal: what is remembered of what was played.
        notices: who is told when something breaks.
        steering: how it is steered from afar; None: it is not.
        log: how it is written.
        amplifier: how its power is switched; None: it is not.
        ups: how a power cut is heard of; None: it is not.
        proof: what is watched behind the output.
        pool: other machines that make phrases; None: none.
        fallback_bank: seconds of raw sound that it renders at its first healthy start; 0: none.
    """

    path: Path
    title: str
    programme: Programme
    state: Path
    opening: Opening = _OPENING
    time_zone: str = ""
    unknown_time: UnknownTime = UnknownTime.OPEN
    fades: Fades = Fades()
    outside: Outside | None = None
    quiet: Quiet = Quiet()
    loudness: Loudness = Loudness()
    staff: StaffChoice = _STAFF
    buttons: ButtonPins = _BUTTONS
    hearing: Hearing = field(default_factory=Hearing)
    sound_hearing: SoundHearing = field(default_factory=SoundHearing)
    sound: Sound = Sound()
    restart: PlannedRestart | None = None
    journal: JournalSettings = JournalSettings()
    listening: Listening = _LISTENING
    alarm: AlarmSources = _ALARM
    notices: NoticeChoices = _NOBODY
    steering: SteeringChoice | None = None
    log: LogChoice = _LOG
    amplifier: AmplifierChoice | None = None
    ups: UpsChoice | None = None
    proof: ProofChoices = _PROOF
    pool: PoolChoice | None = None
    fallback_bank: float = 60.0
