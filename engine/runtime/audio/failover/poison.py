# pyright: strict
"""One audio process after the other dies at the same place of the music: something that sounds there kills them."""

from __future__ import annotations

from engine.runtime.audio.reports import NotesLeftOut
from engine.score.time import SAMPLE_RATE

NEAR = SAMPLE_RATE // 2
"""Frames; deaths that are nearer to each other are taken to have the same cause, among the notes that sound there."""

DEATHS = 3
"""Deaths at one place after which what is to sound there is left out."""


class PoisonGuard:
    """Counts deaths at one place of the music. What kills whoever reads it is called a poison message in queues."""

    def __init__(self) -> None:
        self._first = -NEAR
        self._deaths = 0

    def died(self, frame: int) -> NotesLeftOut | None:
        """A process died at a frame: what is to be left out, if anything is."""
        near = frame < self._first + NEAR
        self._deaths = self._deaths + 1 if near else 1
        if not near:
            self._first = frame
        if self._deaths < DEATHS:
            return None
        return NotesLeftOut(frame, frame + NEAR * (self._deaths - DEATHS + 1), self._deaths)
