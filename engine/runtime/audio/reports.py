# pyright: strict
"""What is found out about the processes that make the sound."""

from __future__ import annotations

import logging
from collections.abc import Callable

from engine.events.processes import NotesLeftOut
from engine.events.vocabulary import GraphBegan, SoundTold, ToldLate
from engine.processes.reports import Report, log_report

log = logging.getLogger(__name__)

AudioReport = Report | NotesLeftOut | GraphBegan | SoundTold | ToldLate
AudioReporter = Callable[[AudioReport], None]


def log_audio_report(report: AudioReport) -> None:
    """Write a report to the log."""
    match report:
        case NotesLeftOut(_, until, deaths):
            log.warning("%d audio processes died here; what sounds up to frame %d is left out", deaths, until)
        case GraphBegan() | SoundTold() | ToldLate():
            pass  # for a journal
        case _:
            log_report(report)
