"""What happens in a performance, in words for people."""

from __future__ import annotations

from engine.cli.terminal import Terminal
from engine.events import (
    Event,
    NetworksLoaded,
    SceneTookOver,
    SectionBegan,
    TimbreChanged,
)
from engine.score.dynamics import written_levels

TOLD = (SectionBegan, NetworksLoaded, SceneTookOver, TimbreChanged)
"""Events that `tell` has words for; what goes wrong is in the log (`engine.events.log`)."""


def tell(terminal: Terminal, event: Event) -> None:
    """Say what happens in the course of the music."""
    match event:
        case SectionBegan() as began:
            called = "planned quiet" if began.called == "quiet" else began.called
            words = [f"{began.section}{f' ({called})' if called else ''}", f"{began.bars} bars"]
            words += [f"{began.qpms[0]:g} qpm", began.key]
            words += [written_levels(began.dynamics)] if began.dynamics else []
            terminal.say(f"bar {began.first_bar + 1}: {', '.join(words)}")
        case SceneTookOver(bar=bar):
            terminal.say(f"bar {bar + 1}: the edited scene takes over")
        case TimbreChanged(part=part, kind=kind, bar=bar, seconds=seconds):
            made = f", made in {seconds:.0f} s" if seconds else ""
            terminal.say(f"bar {bar + 1}: {part} is played by notes of {kind}{made}")
        case NetworksLoaded(seconds=seconds, problems=()):
            terminal.say(f"networks loaded in {seconds:.1f} s")
        case _:
            pass
