# pyright: strict
"""The slow hand on the gain: what is louder than its target is turned down, over minutes."""

from __future__ import annotations

from engine.events import SoundMeasured
from engine.runtime.performance.commands import SetTrim

STEEPEST = 1.0
"""dB a minute."""

EVERY = 30.0
"""Seconds between two movements."""

FIRST = 60.0
"""Seconds of sound before the first."""

SLIGHT = 0.5
"""dB that nobody hears, and nothing is done about."""

MOST = 12.0
"""dB by which it is turned down at most: what is louder still is no matter of level."""


class Leveling:
    """Holds loudness to a target. Behind the limiter nothing gets louder, so it only ever turns down."""

    def __init__(self) -> None:
        self.trim = 0.0
        self._moved = 0.0
        self._seconds = 0

    def hear(self, figures: SoundMeasured, target: float) -> SetTrim | None:
        """What is to be done after another second.

        Args:
            figures: of the sound as it left the pipe, before any gain.
            target: LUFS that are asked for when nothing is turned down.
        """
        self._seconds += 1
        since = self._seconds - self._moved
        if figures.gated is None or self._seconds < FIRST or since < EVERY:
            return None
        wanted = min(0.0, max(-MOST, target - figures.gated))
        if abs(wanted - self.trim) < SLIGHT:
            return None
        most = STEEPEST * EVERY / 60
        self.trim += min(max(wanted - self.trim, -most), most)
        self._moved = self._seconds
        return SetTrim(round(self.trim, 2), EVERY)
