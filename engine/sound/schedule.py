"""What is to come: notes and ramps, in an order that does not depend on how they arrived."""

from __future__ import annotations

import heapq

import numpy as np

from engine.sound.messages import NOTE_EVENT, Ramp


class Schedule:
    """Notes and ramps ahead, by frame.

    Two notes of one frame are ordered by part, pitch, velocity and end, so that the same notes make the same sound
    however they were sent.

    Args:
        parts: names of the parts, in the order of the setup.
    """

    def __init__(self, parts: tuple[str, ...]) -> None:
        self._index = {name: k for k, name in enumerate(parts)}
        self._notes: list[tuple[int, int, int, int, int]] = []
        self._ramps: list[tuple[int, int, str, float, int]] = []

    def add_notes(self, part: str, notes: np.ndarray) -> bool:
        """Add an array [n] of NOTE_EVENT; False if there is no such part.

        Raises:
            ValueError: not an array of NOTE_EVENT.
        """
        if not isinstance(notes, np.ndarray) or notes.dtype != NOTE_EVENT:
            raise ValueError("notes must be an array of NOTE_EVENT")
        index = self._index.get(part)
        if index is None:
            return False
        for on, off, pitch, velocity in notes.ravel().tolist():
            if velocity > 0:
                note = (on, index, min(max(pitch, 0), 127), min(velocity, 127), max(off, on))
                heapq.heappush(self._notes, note)
        return True

    def add_ramp(self, ramp: Ramp) -> bool:
        """Add a ramp; False if there is no such part."""
        index = self._index.get(ramp.part)
        if index is None:
            return False
        heapq.heappush(self._ramps, (ramp.start, index, ramp.control.value, ramp.value, max(ramp.end, ramp.start)))
        return True

    def notes_before(self, frame: int) -> list[tuple[int, int, int, int, int]]:
        """Take out every note that begins before a frame: (on, part index, pitch, velocity, off), in order."""
        taken = []
        while self._notes and self._notes[0][0] < frame:
            taken.append(heapq.heappop(self._notes))
        return taken

    def ramps_before(self, frame: int) -> list[tuple[int, int, str, float, int]]:
        """Take out every ramp that starts before a frame: (start, part index, control, value, end), in order."""
        taken = []
        while self._ramps and self._ramps[0][0] < frame:
            taken.append(heapq.heappop(self._ramps))
        return taken

    def forget_from(self, frame: int) -> None:
        """Drop every note that begins, and every ramp that starts, at a frame or later."""
        self._notes = [note for note in self._notes if note[0] < frame]
        self._ramps = [ramp for ramp in self._ramps if ramp[0] < frame]
        heapq.heapify(self._notes)
        heapq.heapify(self._ramps)
