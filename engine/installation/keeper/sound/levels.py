# pyright: strict
"""Level and low cut behind the pipe: told to whoever sounds when something else is wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from engine.installation.keeper.turns.direction import Level
from engine.runtime.performance.commands import SetGain, SetLowCut, StageCommand

INAUDIBLE = -40.0
"""dB below the target under which nobody is meant to hear anything: the end of a fade."""

SLIGHT = 0.05
"""dB of a change that is not worth a word."""


class StageLevels:
    """What is wanted of the gain stage.

    Args:
        act: does it, where something sounds.

    Attributes:
        level: that counts apart from fades between scenes.
        low_cut: Hz; 0 for none.
    """

    def __init__(self, act: Callable[[StageCommand], None]) -> None:
        self._act = act
        self.level = Level(0.0, 0.0)
        self.low_cut = 0.0

    @property
    def audible(self) -> bool:
        """Whether the level that is wanted now can be heard."""
        return self.level.decibels > INAUDIBLE

    def begin(self, level: Level, low_cut: float) -> None:
        """Something is about to sound, with this."""
        self.level, self.low_cut = level, low_cut

    def first(self, level: Level) -> Sequence[StageCommand]:
        """What counts before the first sample, with a level to begin with."""
        cut = [SetLowCut(self.low_cut, 0.0)] if self.low_cut else []
        return [*cut, SetGain(level.decibels, 0.0)]

    def take(self, level: Level, low_cut: float) -> None:
        """Want this from now on."""
        if low_cut != self.low_cut:
            self.low_cut = low_cut
            self._act(SetLowCut(low_cut))
        near = math.isfinite(level.decibels) and abs(level.decibels - self.level.decibels) < SLIGHT
        if level.decibels != self.level.decibels and not near:
            self.level = level
            self.set_gain(level.decibels, level.seconds)

    def set_gain(self, decibels: float, seconds: float) -> None:
        """Move the level now, whatever is wanted."""
        self._act(SetGain(decibels, seconds))
