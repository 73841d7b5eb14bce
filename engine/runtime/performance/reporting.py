# pyright: strict
"""What supervision reports, as events and in the log."""

from __future__ import annotations

from collections.abc import Callable

from engine.events.vocabulary import Event, NotesLeftOut, ProcessDied, ProcessStarted
from engine.processes.reports import ChildLost, ChildStarted
from engine.runtime.audio.reports import AudioReport, log_audio_report


def reporter(publish: Callable[[Event], None]) -> Callable[[AudioReport], None]:
    """Takes the reports of audio processes and workers.

    Args:
        publish: told the events that they are; never raises.
    """

    def report(found: AudioReport) -> None:
        log_audio_report(found)
        match found:
            case ChildStarted(process=process):
                publish(ProcessStarted(process))
            case ChildLost(process=process, reason=reason, retry_in=retry_in):
                publish(ProcessDied(process, reason, retry_in))
            case NotesLeftOut():
                publish(found)
            case _:
                pass  # what follows from losses; the log has it

    return report
