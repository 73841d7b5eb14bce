# pyright: strict
"""How a player is, told to a broker: when something changes, now and then, and at once when there is a broker again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import msgspec

from engine import __version__
from engine.events.snapshot import FallbackLevel, HealthSnapshot
from engine.fleet.messages import VERSION, PlayerState
from engine.health.checks import checks
from engine.health.page import for_caretaker
from engine.installation.choices.steering import SteeringChoice

EVERY = 10.0
"""Seconds after which it is told at the latest."""

AT_MOST = 1.0
"""Seconds between two times, whatever changes."""


def state_of(
    choice: SteeringChoice, title: str, now: HealthSnapshot, monotonic: float, temperature: float | None
) -> PlayerState:
    """How a player is, in the words of the page and of the checks.

    Args:
        choice: how it is steered.
        title: of its installation.
        now: the last snapshot.
        monotonic: seconds of the snapshot's clock, now.
        temperature: of the board in degrees Celsius; None where it does not tell.
    """
    found = checks(now, monotonic)
    wrong = tuple(f"{check.name}: {check.text}" for check in found if not check.ok)
    heard = dict(now.stations).get("taken", 0) > 0
    return PlayerState(
        version=VERSION,
        name=choice.name,
        title=title,
        engine=__version__,
        at=now.at,
        ok=not wrong,
        sentence=for_caretaker(now, monotonic)[0],
        wrong=wrong,
        scene=now.scene,
        section=now.section,
        rung="" if now.level is FallbackLevel.NONE else now.level.name.lower().replace("_", " "),
        expected=now.expected,
        last_sound=round(now.at - now.silent, 1) if heard else None,
        temperature=temperature,
        muted=now.muted,
        quiet=now.quiet,
        alarm=now.alarm,
        volume=now.volume,
        may=tuple(choice.rights),
    )


class StateTelling:
    """Tells it. Thread-safe.

    Args:
        choice: how the player is steered.
        title: of its installation.
        publish: takes a state to the broker, if there is one now.
        temperature: gives degrees Celsius, or None.
        clock: gives seconds; the snapshots' own.
    """

    def __init__(
        self,
        choice: SteeringChoice,
        title: str,
        publish: Callable[[PlayerState], bool],
        temperature: Callable[[], float | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._choice = choice
        self._title = title
        self._publish = publish
        self._temperature = temperature
        self._clock = clock
        self._lock = threading.Lock()
        self._snapshot: HealthSnapshot | None = None
        self._told: PlayerState | None = None
        self._told_at = -EVERY

    def observe(self, snapshot: HealthSnapshot) -> None:
        """Take in how it is, about once a second."""
        with self._lock:
            self._snapshot = snapshot
            self._look(again=False)

    def again(self) -> None:
        """There is a broker, which may know nothing, or what is not true any more."""
        with self._lock:
            self._look(again=True)

    def _look(self, again: bool) -> None:
        if self._snapshot is None:
            return
        now = self._clock()
        since = now - self._told_at
        if since < AT_MOST and not again:
            return
        state = state_of(self._choice, self._title, self._snapshot, now, self._temperature())
        if (again or since >= EVERY or _settled(state) != self._told) and self._publish(state):
            self._told, self._told_at = _settled(state), now


def _settled(state: PlayerState) -> PlayerState:
    """A state without what moves all the time: seconds, in the sentence and behind the colons of what is wrong, too."""
    wrong = tuple(one.partition(":")[0] for one in state.wrong)
    return msgspec.structs.replace(state, at=0.0, last_sound=None, temperature=None, sentence="", wrong=wrong)
