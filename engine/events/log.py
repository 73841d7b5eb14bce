# pyright: strict
"""What goes wrong in a performance, in the log: a subscriber like any other."""

from __future__ import annotations

import logging

from engine.events.vocabulary import NetworksLoaded, NotesLate, PhraseDecided, SoundResumed, SoundStarved
from engine.score.phrase import Origin

log = logging.getLogger(__name__)

LOGGED = (PhraseDecided, NetworksLoaded, NotesLate, SoundStarved, SoundResumed)
"""Events that `log_event` has words for."""


def log_event(event: PhraseDecided | NetworksLoaded | NotesLate | SoundStarved | SoundResumed) -> None:
    """Write an event to the log, if it is worth a warning."""
    match event:
        case PhraseDecided(part=part, first_bar=bar, reason=reason, phrase=phrase):
            if reason and phrase.provenance.origin is Origin.FALLBACK:
                log.warning("bar %d: %s is played by rules: %s", bar + 1, part, reason)
        case NetworksLoaded(problems=problems):
            for kind, problem in problems:
                log.warning("%s cannot be loaded: %s", kind, problem)
        case NotesLate(count=count):
            log.warning("%d notes came too late for their frame", count)
        case SoundStarved():
            log.warning("no sound comes")
        case SoundResumed(seconds=seconds):
            log.warning("there is sound again, after %.1f s without", seconds)
