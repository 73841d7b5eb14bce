# pyright: strict
"""The rungs below the mind's: which of them is lost now, told as steps down and up."""

from __future__ import annotations

from collections.abc import Mapping

from engine.events.vocabulary import Event, SteppedDown, SteppedUp

AUDIO = "audio"
"""Lost: the bank sounds."""

OUTPUT = "output"
"""Lost: musical time goes on unheard."""


class Rungs:
    """Tells each step once."""

    def __init__(self) -> None:
        self._lost: Mapping[str, str] = {}

    def steps(self, lost: Mapping[str, str], bar: int) -> list[Event]:
        """What is to be told.

        Args:
            lost: rungs that do not work now, and why.
            bar: that is sealed next.
        """
        down = [SteppedDown("", bar, rung, reason) for rung, reason in lost.items() if rung not in self._lost]
        up = [SteppedUp("", bar, rung) for rung in self._lost if rung not in lost]
        self._lost = dict(lost)
        return [*down, *up]
