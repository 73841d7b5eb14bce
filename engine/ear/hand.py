# pyright: strict
"""The ear at a performance: it listens to its events, and does what it finds right through commands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from engine.ear.ear import Ear, EarSettings, Told, no_other
from engine.ear.faults import EarFault
from engine.events import BarSealed, Event, Heard, PhraseDecided, QuietBegan, SceneTookOver, SoundMeasured
from engine.form.scene import Scene
from engine.runtime.performance.commands import Command

log = logging.getLogger(__name__)

HEARD = (PhraseDecided, BarSealed, SceneTookOver, QuietBegan, SoundMeasured)
"""Events that a hand wants."""

Listened = PhraseDecided | BarSealed | SceneTookOver | QuietBegan | SoundMeasured

_NO_SETTINGS = EarSettings()


class Performed(Protocol):
    """What the ear needs of a performance."""

    @property
    def scene(self) -> Scene:
        """What plays now."""
        ...

    def submit(self, command: Command) -> None:
        """Do what is asked."""
        ...


class Hand:
    """A subscriber that has an ear, and does what that finds right.

    Args:
        performed: what it listens to.
        seed: of the performance.
        publish: told what was heard, to be kept; never raises.
        other: as of an `Ear`.
        settings: likewise.
        expected: whether sound is meant to be heard now.
        show: told figures that nobody needs to keep; never raises.
    """

    def __init__(
        self,
        performed: Performed,
        seed: int,
        publish: Callable[[Event], None],
        other: Callable[[], str | None] = no_other,
        settings: EarSettings = _NO_SETTINGS,
        expected: Callable[[], bool] = lambda: True,
        show: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self.ear = Ear(performed.scene, seed, other, settings)
        self._performed = performed
        self._publish = publish
        self._expected = expected
        self._show = show

    def __call__(self, event: Listened) -> None:
        """Take in what happened."""
        match event:
            case SceneTookOver():
                self.ear.take_scene(self._performed.scene)
            case SoundMeasured():
                self._do(self.ear.hear_sound(event, self._expected()))
            case _:
                self._do(self.ear.hear(event))
                if (repetition := self.ear.repetition()) is not None:
                    self._show(repetition)

    def _do(self, told: Sequence[Told]) -> None:
        for one in told:
            log_heard(one.heard)
            # The reason is known before what is done for it.
            self._publish(one.heard)
            for command in one.commands:
                self._performed.submit(command)


def log_heard(heard: Heard) -> None:
    """Say in the log what was heard."""
    where = f"bar {heard.bar + 1}: {heard.part or 'all'}"
    if heard.fault == EarFault.LOUDNESS:
        log.info("%s: %.1f LUFS of %.1f: %s", where, heard.figure, heard.limit, heard.answer)
    elif heard.over:
        log.info("%s: %s is over", where, heard.fault)
    elif heard.answer:
        log.warning("%s: %s, %.3g of %.3g: %s", where, heard.fault, heard.figure, heard.limit, heard.answer)
    else:
        log.warning("%s: %s, %.3g of %.3g", where, heard.fault, heard.figure, heard.limit)
