# pyright: strict
"""Whether the music goes on where the last keeper's stood, as pure decisions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from engine.installation.hours.programme import Turn
from engine.installation.hours.timetable import Intent, Source
from engine.installation.installation import Installation, Programme, SceneEntry, Sound
from engine.installation.keeper.mind.messages import Play
from engine.installation.keeper.turns.direction import OnAir, has_scene
from engine.journal.entries import TurnBegan
from engine.journal.recalled import Recalled

SAFE_SCENE = Path(__file__).with_name("safe.yaml")
"""What plays where nothing else can be started: rules alone, two instruments."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """What was on when the last keeper ended.

    Attributes:
        on: its turn.
        recalled: where its music stood, if it goes on there; None: the next turn begins.
    """

    on: OnAir
    recalled: Recalled | None

    def play(self, file: str, seed: int, lead: int) -> Play:
        """What a mind is told, so that it goes on there if it plays the same scene file."""
        found = self.recalled
        if found is None or found.scene != file:
            return Play(file, seed, lead)
        return Play(file, found.seed, lead, found.state.encode(), found.frame)


def resumption(
    recalled: Recalled | None, installation: Installation, intent: Intent, wall: float, known: bool, now: float
) -> Resumption | None:
    """What goes on; None where the timetable alone decides.

    Args:
        recalled: where the music stood.
        installation: as it is now.
        intent: of the timetable now.
        wall: seconds of UTC now.
        known: whether the clock on the wall knows the time.
        now: seconds of the monotonic clock.
    """
    if recalled is None or recalled.turn is None or intent.session is None:
        return None
    turn = recalled.turn
    if known and turn.session != intent.session.name:
        return None
    try:
        source = Source(turn.source)
    except ValueError:
        return None
    if not has_scene(installation, source, turn_of(turn)):
        return None  # it was taken out of the file, or was that of safe mode: what stood before may be what failed
    on = OnAir(source, turn_of(turn), now - recalled.played)
    # A clock that is behind what was written, or knows nothing, says nothing about how long nobody played.
    if known and wall - recalled.wall > installation.journal.resume:
        return Resumption(replace(on, since=-float("inf")), None)
    return Resumption(on, recalled)


def turn_of(began: TurnBegan) -> Turn:
    """The turn of a programme that was told to the journal."""
    return Turn(began.session, began.index, began.scene, began.seconds, began.seed)


def told_of(on: OnAir, file: str) -> TurnBegan:
    """What the journal is told of a turn."""
    turn = on.turn
    return TurnBegan(on.source.value, turn.session, turn.number, turn.scene, file, turn.seconds, turn.seed)


def made_safe(installation: Installation) -> Installation:
    """An installation that plays what can hardly fail, in its hours, where the sound goes by itself."""
    programme = Programme({"safe": SceneEntry("safe", SAFE_SCENE, 1800.0, 1800.0)})
    return replace(installation, programme=programme, outside=None, sound=Sound(), fallback_bank=0.0)
