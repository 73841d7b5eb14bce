# pyright: strict
"""What supervision reports, as events; what no event tells, in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from engine.events.processes import NotesLeftOut, ProcessDied, ProcessStarted
from engine.events.vocabulary import Event, GraphBegan, SoundTold, ToldLate
from engine.processes.reports import (
    BudgetRaised,
    ChildLost,
    ChildRenewed,
    ChildStarted,
    IntensityExceeded,
    log_report,
)
from engine.runtime.audio.reports import AudioReport


def reporter(publish: Callable[[Event], None]) -> Callable[[AudioReport], None]:
    """Takes the reports of audio processes and workers.

    Args:
        publish: told the events that they are; never raises.
    """

    def report(found: AudioReport) -> None:
        match found:
            case ChildStarted(process=process):
                publish(ProcessStarted(process))
            case ChildLost(process=process, reason=reason, retry_in=retry_in):
                publish(ProcessDied(process, reason, retry_in))
            case NotesLeftOut() | GraphBegan() | SoundTold() | ToldLate():
                publish(found)
            case IntensityExceeded() | BudgetRaised() | ChildRenewed():
                log_report(found)  # what follows from losses, or is none
            case _:
                assert_never(found)

    return report
