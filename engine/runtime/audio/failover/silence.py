# pyright: strict
"""Silence although notes sound: an audio process that lives, and whose graph gives nothing any more."""

from __future__ import annotations

from collections.abc import Callable

from engine.score.time import SAMPLE_RATE
from engine.sound.messages import LevelReading

SILENT = 1e-6
"""Largest sample, linear, of what counts as silence: -120 dBFS."""

PATIENCE = SAMPLE_RATE * 2 // 5
"""Frames of silence after which a process has lost its sound: no attack is so slow. The pipe holds 2.7 s, so that
another one makes this stretch again before anybody hears it."""

MOST = 3
"""Silences that the next process made as well: the music of this scene is like that, and nobody looks any more."""


class SilenceGuard:
    """Finds the frame at which the sound of a process was lost. A silence that another process repeats is music.

    Args:
        notes_sound: whether, as far as is known, a note is to be heard from one frame to another.
    """

    def __init__(self, notes_sound: Callable[[int, int], bool]) -> None:
        self._notes_sound = notes_sound
        self._repeated = 0
        self.begin(0)

    def begin(self, frame: int, retried: bool = False) -> None:
        """A process is heard from a frame on.

        Args:
            frame: its first.
            retried: another one was silent there.
        """
        self._retried, self._excused = retried, False
        self._before = self._last = frame
        self._silent_from: int | None = None
        self._safe_from = frame

    def new_scene(self) -> None:
        """Other notes and another graph."""
        self._repeated = 0

    def lost_from(self, reading: LevelReading) -> int | None:
        """The frame from which on sound is missing, if it is.

        Args:
            reading: what the process made since the last one.
        """
        before, self._before, self._last = self._before, self._last, reading.frame
        if reading.peak >= SILENT:
            self._silent_from, self._retried, self._excused = None, False, False
            return None
        if self._silent_from is None:
            # In the reading before it the sound may have been lost already.
            self._silent_from, self._safe_from = self._before, before
        if reading.frame - self._silent_from < PATIENCE or self._excused or self._repeated >= MOST:
            return None
        # Of a note that began in the silence, too: at its beginning chords may have changed.
        if not self._notes_sound(reading.frame - PATIENCE, reading.frame):
            return None
        if self._retried:
            self._retried, self._excused = False, True
            self._repeated += 1
            return None
        return self._safe_from
