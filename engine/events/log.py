# pyright: strict
"""What goes wrong in a performance, in the log: a subscriber like any other."""

from __future__ import annotations

import logging

from engine.events.proof import MixerFound, RoomFound
from engine.events.vocabulary import (
    NetworksLoaded,
    NotesLate,
    NotesLeftOut,
    OutputFailed,
    PhraseDecided,
    ProcessDied,
    SceneRefused,
    SoundResumed,
    SoundStarved,
    TimbreFailed,
)
from engine.score.phrase import Origin

log = logging.getLogger(__name__)

Logged = (
    PhraseDecided
    | NetworksLoaded
    | TimbreFailed
    | SceneRefused
    | ProcessDied
    | NotesLeftOut
    | NotesLate
    | OutputFailed
    | SoundStarved
    | SoundResumed
    | MixerFound
    | RoomFound
)

LOGGED: tuple[type[Logged], ...] = (
    PhraseDecided,
    NetworksLoaded,
    TimbreFailed,
    SceneRefused,
    ProcessDied,
    NotesLeftOut,
    NotesLate,
    OutputFailed,
    SoundStarved,
    SoundResumed,
    MixerFound,
    RoomFound,
)
"""Events that `log_event` has words for."""


def log_event(event: Logged) -> None:
    """Write an event to the log, if it is worth a warning."""
    match event:
        case PhraseDecided(part=part, first_bar=bar, reason=reason, phrase=phrase):
            if reason and phrase.provenance.origin is Origin.FALLBACK:
                log.warning("bar %d: %s is played by rules: %s", bar + 1, part, reason)
        case NetworksLoaded(problems=problems):
            for kind, problem in problems:
                log.warning("%s does not load, rules play in its place: %s", kind, problem)
        case TimbreFailed(part=part, kind=kind, reason=reason):
            log.warning("the sound of %s cannot be made by %s, what stands in for it plays on: %s", part, kind, reason)
        case SceneRefused(title=title, reason=reason):
            log.warning("%s cannot be played, what played plays on: %s", title, reason)
        case ProcessDied(process=process, reason=reason, retry_in=None):
            log.info("%s: %s", process, reason)  # whoever owns it says that it has given up
        case ProcessDied(process=process, reason=reason, retry_in=retry_in):
            log.warning("%s: %s; another is started in %.1f s", process, reason, retry_in)
        case NotesLeftOut(until=until, deaths=deaths):
            log.warning("%d audio processes died here; what sounds up to frame %d is left out", deaths, until)
        case NotesLate(count=count):
            log.warning("%d notes came too late for their frame", count)
        case OutputFailed(reason=reason, dropped=0):
            log.warning("%s; it is opened again", reason)
        case OutputFailed():
            pass  # one that follows: it is told at the end, with how much is missing
        case SoundStarved():
            log.warning("no sound comes")
        case SoundResumed(seconds=seconds):
            log.warning("there is sound again, after %.1f s without", seconds)
        case MixerFound(fault="") | RoomFound(fault=""):
            pass  # that it is well again is seen in the checks
        case MixerFound(fault=fault, restored=restored):
            log.warning("%s%s", fault, "; it was put back" if restored else "; `perpetuum doctor` says what to do")
        case RoomFound(fault=fault):
            log.warning("%s", fault)
