# pyright: strict
"""What goes wrong in a performance, in the log: a subscriber like any other."""

from __future__ import annotations

import logging

from engine.events.processes import NotesLate, NotesLeftOut, OutputFailed, ProcessDied, SoundResumed, SoundStarved
from engine.events.proof import MainsFound, MixerFound, RoomFound
from engine.events.vocabulary import NetworksLoaded, PhraseDecided, SceneRefused, TimbreFailed
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
    | MainsFound
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
    MainsFound,
)
"""Events that `log_event` has words for."""

_REMEDIES: dict[type[Logged], str] = {
    NetworksLoaded: "`perpetuum models list` says which weights are here",
    SceneRefused: "`perpetuum check` says what is wrong with the scene",
    OutputFailed: "is the card plugged in? `perpetuum outputs` lists what there is",
    RoomFound: "are amplifier and loudspeakers on, and the cables in?",
    NotesLate: "is the processor busy with something else? `perpetuum doctor` looks at the machine",
}
"""What somebody can do about it."""


def log_event(event: Logged) -> None:
    """Write an event to the log, if it is worth a warning."""
    kind = type(event)
    told = logging.LoggerAdapter(log, {"event": kind.__name__, "remedy": _REMEDIES.get(kind, "")})
    match event:
        case PhraseDecided(part=part, first_bar=bar, reason=reason, phrase=phrase):
            if reason and phrase.provenance.origin is Origin.FALLBACK:
                told.warning("bar %d: %s is played by rules: %s", bar + 1, part, reason)
        case NetworksLoaded(problems=problems):
            for kind, problem in problems:
                told.warning("%s does not load, rules play in its place: %s", kind, problem)
        case TimbreFailed(part=part, kind=kind, reason=reason):
            told.warning(
                "%s gets no new notes by %s, what stands in for it or played before plays on: %s", part, kind, reason
            )
        case SceneRefused(title=title, reason=reason):
            told.warning("%s cannot be played, what played plays on: %s", title, reason)
        case ProcessDied(process=process, reason=reason, retry_in=None):
            told.info("%s: %s", process, reason)  # whoever owns it says that it has given up
        case ProcessDied(process=process, reason=reason, retry_in=retry_in):
            told.warning("%s: %s; another is started in %.1f s", process, reason, retry_in)
        case NotesLeftOut(until=until, deaths=deaths):
            told.warning("%d audio processes died here; what sounds up to frame %d is left out", deaths, until)
        case NotesLate(count=count):
            told.warning("%d notes came too late for their frame", count)
        case OutputFailed(reason=reason, dropped=0):
            told.warning("%s; it is opened again", reason)
        case OutputFailed():
            pass  # one that follows: it is told at the end, with how much is missing
        case SoundStarved():
            told.warning("no sound comes")
        case SoundResumed(seconds=seconds):
            told.warning("there is sound again, after %.1f s without", seconds)
        case MixerFound(fault="") | RoomFound(fault=""):
            pass  # that it is well again is seen in the checks
        case MixerFound(fault=fault, restored=restored):
            told.warning("%s%s", fault, "; it was put back" if restored else "; `perpetuum doctor` says what to do")
        case RoomFound(fault=fault):
            told.warning("%s", fault)
        case MainsFound(fault=""):
            told.warning("the mains are back")
        case MainsFound(fault=fault, seconds=seconds):
            told.warning("%s%s", fault, f"; the machine is shut down in {seconds:g} s" if seconds else "")
