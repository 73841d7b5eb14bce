# pyright: strict
"""Watches a mixer: notices that somebody shut it or turned it down, and puts it back where that is wanted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from engine.events.proof import MixerFound
from engine.health.mixer.mixer import OutputMixer
from engine.health.mixer.states import MixerState, Way

log = logging.getLogger(__name__)

TOLERANCE = 2.0
"""Per cent by which a control may differ: what is set is rounded to the steps that a card has."""

COARSE = 10.0
"""Per cent between the steps of the coarsest control."""

SETTLED = 30.0
"""Seconds for which all must be as it should be until that is told: what is shut again at once is one message."""


class MixerWatch:
    """Looks at a mixer whenever it is called, about every ten seconds.

    Args:
        mixer: on the way of the output.
        level: per cent at which it is held, from the first look on; None: it is never touched, and any level above 0
            is as it should be.
        restore: whether it is put back when somebody changes it later.
        clock: gives seconds.
    """

    def __init__(
        self, mixer: OutputMixer, level: float | None, restore: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._mixer = mixer
        self._level = level
        self._restore = restore and level is not None
        self._clock = clock
        self._reached: dict[tuple[Way, str], float] = {}  # what a control gave when it was set, by its place
        self._fault = ""
        self._well_since: float | None = None

    def look(self) -> MixerFound | None:
        """What is to be told now; None for nothing new."""
        states = self._mixer.states()
        for state in states:
            if self._level is not None and state.way is not Way.STREAM and _key(state) not in self._reached:
                states = self._begin(state, self._level)
        wrong = self._wrong(states)
        if wrong and self._restore:
            return self._put_back(states, wrong)
        return self._tell(wrong, False)

    def _begin(self, state: MixerState, level: float) -> list[MixerState]:
        """Set a control that is seen for the first time; how all are after that."""
        if abs(state.percent - level) > TOLERANCE or state.muted:
            log.warning("the mixer %s was %s; it is held at %.0f %%", state.name, state.how, level)
            self._mixer.set(state, level)
        states = self._mixer.states()
        after = next((one for one in states if _key(one) == _key(state)), state)
        self._reached[_key(state)] = after.percent if abs(after.percent - level) <= COARSE else level
        return states

    def _put_back(self, states: list[MixerState], wrong: str) -> MixerFound | None:
        for state in states:
            if self._is_wrong(state):
                self._mixer.set(state, self._wanted(state) or 100.0)
        left = self._wrong(self._mixer.states())
        if left:
            return self._tell(f"{left}, and it cannot be put back", False)
        return self._tell(wrong, True)

    def _tell(self, fault: str, restored: bool) -> MixerFound | None:
        now = self._clock()
        if fault:
            self._well_since = now if restored else None
            said, self._fault = self._fault, fault
            return MixerFound(fault, restored) if restored or fault != said else None
        if self._well_since is None:
            self._well_since = now
        if self._fault and now - self._well_since >= SETTLED:
            self._fault = ""
            return MixerFound("", False)
        return None

    def _wrong(self, states: list[MixerState]) -> str:
        """What is not as it should be, in words."""
        found: list[str] = []
        for state in states:
            if self._is_wrong(state):
                wanted = self._wanted(state)
                rather = "" if wanted is None or state.muted else f" in place of {wanted:.0f} %"
                found.append(f"the mixer {state.name} is {state.how}{rather}")
        return ", ".join(found)

    def _is_wrong(self, state: MixerState) -> bool:
        wanted = self._wanted(state)
        return state.shut or (wanted is not None and abs(state.percent - wanted) > TOLERANCE)

    def _wanted(self, state: MixerState) -> float | None:
        if self._level is None:
            return None
        return 100.0 if state.way is Way.STREAM else self._reached.get(_key(state), self._level)


def _key(state: MixerState) -> tuple[Way, str]:
    return state.way, state.place
