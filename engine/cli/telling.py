"""What happens in a performance, in words for people."""

from __future__ import annotations

import logging

from engine.cli.terminal import Terminal
from engine.events import (
    Event,
    NetworksLoaded,
    NotesLate,
    SceneTookOver,
    SectionBegan,
    SoundResumed,
    SoundStarved,
)

log = logging.getLogger(__name__)

TOLD = (SectionBegan, NetworksLoaded, SceneTookOver, NotesLate, SoundStarved, SoundResumed)
"""Events that `tell` has words for; what fails is said where it is found out."""


def tell(terminal: Terminal, event: Event) -> None:
    """Say what happened: the course of the music on standard output, what is wrong on standard error."""
    match event:
        case SectionBegan(section=section, first_bar=bar, bars=bars, qpms=qpms, key=key):
            terminal.say(f"bar {bar + 1}: {section}, {bars} bars, {qpms[0]:g} qpm, {key}")
        case SceneTookOver(bar=bar):
            terminal.say(f"bar {bar + 1}: the edited scene takes over")
        case NetworksLoaded(seconds=seconds, problems=problems):
            for name, problem in problems:
                terminal.warn(f"{name} does not load, rules play in its place: {problem}")
            if not problems:
                terminal.say(f"networks loaded in {seconds:.1f} s")
        case NotesLate(count=count):
            log.warning("%d notes came too late for their frame", count)
        case SoundStarved():
            log.warning("no sound comes")
        case SoundResumed(seconds=seconds):
            log.warning("there is sound again, after %.1f s without", seconds)
        case _:
            pass
