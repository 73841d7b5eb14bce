# pyright: strict
"""What supervision reports, as events; what no event tells, in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from engine.events.vocabulary import (
    Event,
    GraphBegan,
    NetworksLoaded,
    NotesLeftOut,
    ProcessDied,
    ProcessStarted,
    SoundTold,
    ToldLate,
)
from engine.processes.reports import BudgetRaised, ChildLost, ChildStarted, IntensityExceeded, log_report
from engine.runtime.audio.reports import AudioReport
from engine.runtime.workers.workers import Workers, WorkerState


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
            case IntensityExceeded() | BudgetRaised():
                log_report(found)  # what follows from losses
            case _:
                assert_never(found)

    return report


class LoadedNetworks:
    """Tells once that the networks of a scene have been loaded, and again after a worker was lost.

    Args:
        workers: that load them.
        publish: told; never raises.
    """

    def __init__(self, workers: Workers, publish: Callable[[Event], None]) -> None:
        self._workers = workers
        self._publish = publish
        self._told = False

    def look(self) -> None:
        """Tell it if it is so now."""
        statuses = self._workers.statuses
        if not self._told and statuses and self._workers.ready:
            self._told = True
            slowest = max(statuses, key=lambda status: status.seconds_to_load)
            if slowest.to_load:
                self._publish(NetworksLoaded(slowest.seconds_to_load, tuple(slowest.problems.items())))
        elif any(status.state is WorkerState.DEAD for status in statuses):
            self._told = False
