# pyright: strict
"""What a fault is: how it is provoked and taken back, and what may be heard of it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from engine.installation.chaos.rig import Rig
from engine.installation.chaos.rungs import LadderRung

MOST_SILENCE = 0.1
"""Seconds of silence beyond the control's."""

RESTORED_WITHIN = 5.0
"""Seconds from the end of the cause to the rung of before."""


class Fault(ABC):
    """One thing that goes wrong.

    Attributes:
        name: for the table.
        silence: seconds of silence beyond the control's that it may cost.
        lasts: seconds between `provoke` and `undo`.
        after: seconds that are listened to from `undo` on.
        rungs: that may be heard, besides the music.
        restored: seconds from `undo` in which the music is back.
        keeps_time: whether frames are taken all the while; no, where what takes them is stopped or gone.
    """

    name = "fault"
    silence = MOST_SILENCE
    lasts = 0.0
    after = 8.0
    rungs: frozenset[LadderRung] = frozenset()
    restored = RESTORED_WITHIN
    keeps_time = True

    def why_not(self, rig: Rig) -> str:
        """Why it cannot be provoked here; empty if it can."""
        return ""

    @abstractmethod
    def provoke(self, rig: Rig) -> None:
        """Let it happen.

        Raises:
            PerpetuumError: it cannot be provoked now.
        """

    def undo(self, rig: Rig) -> None:  # noqa: B027 - most faults end by themselves
        """Take the cause away."""


class NoFault(Fault):
    """Nothing."""

    name = "none (control)"

    def provoke(self, rig: Rig) -> None:
        """Do nothing."""
