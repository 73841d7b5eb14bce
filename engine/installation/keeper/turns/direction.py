# pyright: strict
"""What the keeper does at a moment, as pure decisions about turns and levels. Nothing waits, plays or sees a clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from engine.errors import PerpetuumError
from engine.installation.hours.programme import Turn, asked_turn, first_turn, fixed_turn, next_turn, rotation
from engine.installation.hours.timetable import Intent, Phase, Source
from engine.installation.installation import AfterRest, AtSection, Installation, Overlap, Transition
from engine.outputs.gain import MOST_LEVEL
from engine.runtime.performance.commands import When

BACK = 2.0
"""Seconds in which the sound comes to another level, where no hours say how slowly."""

AWHILE = 3600.0
"""Seconds of a turn outside the programme; another like it follows."""


@dataclass(frozen=True, slots=True)
class OnAir:
    """The turn that plays.

    Attributes:
        source: where it came from.
        turn: which.
        since: seconds of the monotonic clock at which it began: the wall clock may leap.
    """

    source: Source
    turn: Turn
    since: float


BEGINS = timedelta(minutes=1)
"""In which a session counts as beginning; a clock that shows a later moment of another session has leapt."""


def turn_wanted(
    installation: Installation, intent: Intent, moment: datetime, on: OnAir | None, now: float
) -> OnAir | None:
    """What is to play: what plays already, the next turn, or nothing. A wall clock that leaps ends no turn.

    Args:
        installation: of which.
        intent: of the timetable, at a moment.
        moment: that.
        on: what plays; None for nothing.
        now: seconds of the monotonic clock.
    """
    programme, source = installation.programme, intent.source
    session = intent.session.name if intent.session is not None else intent.phase.value
    over = on is not None and now - on.since >= on.turn.seconds
    if source is Source.NOTHING:
        return None
    if on is not None and on.source is source and not over:
        begins = intent.session is not None and moment - intent.session.start < BEGINS
        same = on.turn.session == session or not begins
        if source is Source.PROGRAMME and same and on.turn.scene in programme.scenes:
            return on
        if source is not Source.PROGRAMME and on.turn.scene == intent.scene:
            return on
    if source is Source.FIXED:
        return OnAir(source, fixed_turn(programme, intent.scene, session, AWHILE), now)
    if source is Source.OUTSIDE:
        return OnAir(source, Turn(session, 0, intent.scene, AWHILE, programme.seed), now)
    if on is not None and on.source is source and on.turn.session == session:
        return OnAir(source, next_turn(programme, on.turn), now)
    return OnAir(source, first_turn(programme, session), now)


def has_scene(installation: Installation, source: Source, turn: Turn) -> bool:
    """Whether an installation, which may have been edited since, has the scene of a turn."""
    return turn.scene in installation.programme.scenes or (
        source is Source.OUTSIDE and installation.outside is not None
    )


def file_of(installation: Installation, on: OnAir) -> Path:
    """The scene file of a turn."""
    outside = installation.outside
    if on.source is Source.OUTSIDE and outside is not None:
        return outside.file
    return installation.programme.scenes[on.turn.scene].file


def transition_into(installation: Installation, on: OnAir) -> Transition:
    """How a turn follows the one before it."""
    entry = installation.programme.scenes.get(on.turn.scene)
    own = entry.transition if entry is not None else None
    return own if own is not None else installation.programme.transition


def moment_of(transition: Transition) -> When:
    """Where the next scene takes over."""
    return When.REST if isinstance(transition, AfterRest) else When.SECTION


def overlap_of(transition: Transition) -> int:
    """Bars of the last scene that sound while the next one begins."""
    return transition.bars if isinstance(transition, Overlap) else 0


def fade_of(transition: Transition) -> float:
    """Seconds in which the last scene fades out before it."""
    match transition:
        case AtSection(fade=fade) | AfterRest(fade=fade):
            return fade
        case Overlap():
            return 0.0


@dataclass(frozen=True, slots=True)
class Level:
    """How loud it is to be, behind the limiter.

    Attributes:
        decibels: at most `MOST_LEVEL`; -inf for silence.
        seconds: in which the sound comes there.
    """

    decibels: float
    seconds: float


def turn_asked(installation: Installation, on: OnAir | None, scene: str, now: float) -> OnAir:
    """The turn of a scene that a hand asks for; it takes the place of the next one in the programme.

    Args:
        installation: of which.
        on: what plays; None for nothing.
        scene: its name.
        now: seconds of the monotonic clock.

    Raises:
        PerpetuumError: the scene takes no turns, or the programme does not play now.
    """
    names = rotation(installation.programme)
    if scene not in names:
        raise PerpetuumError(f"no scene {scene[:60]!r} takes turns here", f"one of {', '.join(names)}")
    if on is None or on.source is not Source.PROGRAMME:
        raise PerpetuumError("nothing of the programme plays now", "ask again in its hours")
    return OnAir(on.source, asked_turn(installation.programme, on.turn, scene), now)


def check_section(installation: Installation, on: OnAir | None, section: str) -> None:
    """See whether what plays has a section.

    Raises:
        PerpetuumError: it has not, or nothing of the programme plays.
    """
    entry = installation.programme.scenes.get(on.turn.scene) if on is not None else None
    if on is None or entry is None:
        raise PerpetuumError("nothing of the programme plays now", "ask again in its hours")
    if section not in entry.sections:
        known = ", ".join(entry.sections)
        raise PerpetuumError(f"{on.turn.scene} has no section {section[:60]!r}", f"one of {known}")


def level_wanted(
    installation: Installation, intent: Intent, quiet: bool, closes_in: float | None, volume: float = 0.0
) -> Level:
    """The level of a moment. Its zero is the loudest target of the day; above it only staff lift it.

    Args:
        installation: of which.
        intent: of the timetable, whose loudness moves slowly by itself.
        quiet: a hand has asked for quiet mode.
        closes_in: seconds until it closes; None where nobody knows.
        volume: dB by which staff have turned it up or down; nobody passes the limit.
    """
    if intent.phase is Phase.FADING_OUT:
        return Level(-math.inf, max(closes_in or 0.0, BACK))
    loudest = installation.loudness.loudest
    decibels = min(intent.loudness + volume, intent.most, loudest + MOST_LEVEL) - loudest
    if quiet:
        lowered = installation.quiet.level
        decibels = min(decibels, decibels + lowered if not intent.quiet else decibels)
    return Level(decibels, installation.fades.fade_in if intent.phase is Phase.FADING_IN else BACK)


def density_wanted(installation: Installation, intent: Intent, quiet: bool) -> float:
    """Share of the notes that are to stay, 0 to 1; it counts in bars that are sealed from then on.

    Args:
        installation: of which.
        intent: of the timetable.
        quiet: a hand has asked for quiet mode.
    """
    return installation.quiet.density if quiet or intent.quiet else 1.0
