# pyright: strict
"""From turn to turn: the next scene is asked for, the last one fades out just before it, and nobody waits for ever."""

from __future__ import annotations

import logging
import math
import queue
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from engine.events.vocabulary import BarSealed, Event, SceneTookOver
from engine.installation.installation import Installation
from engine.installation.keeper.turns.direction import Level, OnAir, fade_of, moment_of, overlap_of, transition_into
from engine.runtime.performance.commands import ChangeScene, When
from engine.score.time import SAMPLE_RATE

log = logging.getLogger(__name__)

BACK = 0.3
"""Seconds in which the next scene comes in after the last one has faded out."""


@dataclass
class _Waiting:
    """A scene that is to take over.

    Attributes:
        command: that asked for it.
        impatient_at: seconds of the clock at which the next bar line will do.
        fade: seconds in which the scene before it fades out.
    """

    command: ChangeScene
    impatient_at: float
    fade: float


class Succession:
    """One thread calls all of it but `hear`.

    Args:
        tell: takes commands to the mind.
        set_gain: moves to dB in seconds.
    """

    def __init__(self, tell: Callable[[ChangeScene], None], set_gain: Callable[[float, float], None]) -> None:
        self._tell = tell
        self._set_gain = set_gain
        self._events: queue.SimpleQueue[SceneTookOver | BarSealed] = queue.SimpleQueue()
        self.begin()

    @property
    def waits(self) -> bool:
        """Whether a scene is to take over that has not."""
        return self._waiting is not None

    def begin(self) -> None:
        """A performance begins."""
        self._waiting: _Waiting | None = None
        self._bar: int | None = None
        self._cut: tuple[int, float] | None = None
        self._faded = False

    def change(self, installation: Installation, on: OnAir, file: str, now: float) -> None:
        """Ask for another turn's scene."""
        transition = transition_into(installation, on)
        command = ChangeScene(file, moment_of(transition), on.turn.seed, overlap_of(transition))
        wait = installation.programme.longest_wait
        self._waiting = _Waiting(command, now + wait, fade_of(transition))
        self._tell(command)

    def hear(self, event: Event) -> None:
        """Take what happens; from any thread."""
        if isinstance(event, SceneTookOver | BarSealed):
            self._events.put(event)

    def look(self, heard: int, now: float, level: Level) -> None:
        """Do what is due.

        Args:
            heard: frames that the output has taken.
            now: seconds of the clock.
            level: that counts apart from fades.
        """
        with suppress(queue.Empty):
            while True:
                self._take(self._events.get_nowait())
        waiting = self._waiting
        if waiting is not None and now >= waiting.impatient_at:
            waiting.impatient_at = math.inf
            self._tell(replace(waiting.command, when=When.BAR))
        if self._cut is not None:
            start, fade = self._cut
            left = (start - heard) / SAMPLE_RATE
            if not self._faded and left <= fade:
                self._faded = True
                self._set_gain(-math.inf, max(left, 0.05))
            if left <= 0:
                self._cut = None
                self._set_gain(level.decibels, BACK)

    def _take(self, event: SceneTookOver | BarSealed) -> None:
        match event:
            case SceneTookOver(bar=bar):
                if self._waiting is not None:
                    self._bar = bar
            case BarSealed(bar=bar, start=start):
                if self._bar == bar and self._waiting is not None:
                    fade, self._bar, self._waiting = self._waiting.fade, None, None
                    self._cut, self._faded = ((start, fade) if fade > 0 else None), False
