# pyright: strict
"""On which rung of the ladder an installation is, moment by moment, as it says itself."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from engine.errors import PerpetuumError
from engine.installation.keeper.hands.control import ask

LOOK = 0.1
"""Seconds between two looks."""


class LadderRung(StrEnum):
    """What is heard."""

    MUSIC = "music"
    LAST_BARS = "last bars"  # once more, because the mind is away
    RECORDING = "recording"  # because no sound can be made
    UNHEARD = "unheard"  # because there is no output
    NOT_BEGUN = "not begun"
    GONE = "gone"  # the keeper does not answer


@dataclass
class Stay:
    """How an installation was for a while.

    Attributes:
        seconds: on each rung.
        restored: seconds of the monotonic clock at which it came to the first rung last; None: it is not there.
    """

    seconds: dict[LadderRung, float] = field(default_factory=dict[LadderRung, float])
    restored: float | None = None


class RungWatch:
    """Asks an installation again and again.

    Args:
        state: its state folder.
        clock: gives seconds.
    """

    def __init__(self, state: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._clock = clock
        self._lock = threading.Lock()
        self._stay = Stay()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rungs", daemon=True)

    def __enter__(self) -> RungWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def status(self) -> dict[str, Any]:
        """What it says of itself.

        Raises:
            PerpetuumError: it does not answer.
        """
        try:
            found: object = json.loads(ask(self._state, "status"))
        except (OSError, ValueError) as error:
            raise PerpetuumError(f"the installation does not answer: {error}") from error
        if not isinstance(found, dict):
            raise PerpetuumError("the installation answers nonsense")
        return cast("dict[str, Any]", found)

    def begin(self) -> None:
        """Count anew."""
        with self._lock:
            self._stay = Stay({}, self._stay.restored)

    @property
    def stay(self) -> Stay:
        """Since `begin`."""
        with self._lock:
            return Stay(dict(self._stay.seconds), self._stay.restored)

    def pace(self, looks: int = 20) -> float | None:
        """Frames taken less those that time would have taken, the median of some looks; None: it does not answer."""
        found: list[float] = []
        for _ in range(looks):
            try:
                before = self._clock()
                taken = self.status().get("taken")
                now = (before + self._clock()) / 2
            except PerpetuumError:
                return None
            if isinstance(taken, int):
                found.append(taken - now * 48_000)
            time.sleep(0.03)
        return sorted(found)[len(found) // 2] if found else None

    def _run(self) -> None:
        last = self._clock()
        while not self._over.wait(LOOK):
            try:
                rung = rung_of(self.status())
            except PerpetuumError:
                rung = LadderRung.GONE
            now = self._clock()
            with self._lock:
                self._stay.seconds[rung] = self._stay.seconds.get(rung, 0.0) + now - last
                if rung is not LadderRung.MUSIC:
                    self._stay.restored = None
                elif self._stay.restored is None:
                    self._stay.restored = now
            last = now


def rung_of(status: dict[str, Any]) -> LadderRung:
    """The rung that an installation says it is on."""
    if status.get("substituted"):
        return LadderRung.RECORDING
    sentence = str(status.get("sentence", ""))
    if "nowhere" in sentence:
        return LadderRung.UNHEARD
    if status.get("repeating"):
        return LadderRung.LAST_BARS
    if "made" not in status or "about to begin" in sentence:
        return LadderRung.NOT_BEGUN
    return LadderRung.MUSIC
