# pyright: strict
"""What is found out about the processes that make the sound."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from engine.processes.reports import Report, log_report

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NotesLeftOut:
    """Audio processes died at one place of the music, so what was to sound there is left out.

    Attributes:
        frame: where the last of them died.
        until: notes that begin before this frame are left out.
        deaths: how many died there.
    """

    frame: int
    until: int
    deaths: int


AudioReport = Report | NotesLeftOut
AudioReporter = Callable[[AudioReport], None]


def log_audio_report(report: AudioReport) -> None:
    """Write a report to the log."""
    match report:
        case NotesLeftOut(_, until, deaths):
            log.warning("%d audio processes died here; what sounds up to frame %d is left out", deaths, until)
        case _:
            log_report(report)
