# pyright: strict
"""What went wrong in a sitting, in words for people."""

from __future__ import annotations

from dataclasses import dataclass

from engine.events.processes import NotesLate, NotesLeftOut, OutputFailed, ProcessDied, SoundResumed, SoundStarved
from engine.events.vocabulary import SceneRefused, SteppedDown
from engine.journal.entries import LastBarsRepeated, RecordsLost


@dataclass(frozen=True, slots=True)
class Accident:
    """Something that went wrong.

    Attributes:
        wall: when, in seconds of UTC.
        text: what, for people.
    """

    wall: float
    text: str


def words_of_accident(value: object) -> str:
    """What went wrong, for people; empty for what did not."""
    match value:
        case SteppedDown(part=part, bar=bar, rung=rung, reason=reason):
            whose = f"{part}, " if part else ""
            return f"{whose}bar {bar + 1}: {rung} did not play: {reason}"
        case ProcessDied(process=process, reason=reason):
            return f"{process} was lost: {reason}"
        case NotesLeftOut(deaths=deaths):
            return f"notes were left out, at which {deaths} audio processes had died"
        case NotesLate(count=count):
            return f"{count} notes came late"
        case SoundStarved():
            return "no sound could be made"
        case SoundResumed(seconds=seconds):
            return f"there was sound again after {seconds:.1f} s"
        case OutputFailed(output=output, reason=reason):
            return f"{output} took no sound: {reason}"
        case SceneRefused(title=title, reason=reason):
            return f"{title} cannot be played: {reason}"
        case LastBarsRepeated():
            return "nobody decided, so the last bars were heard once more"
        case RecordsLost(count=count, reason=reason):
            return f"{count} records are missing: {reason}"
        case _:
            return ""
