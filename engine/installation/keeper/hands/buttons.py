# pyright: strict
"""Buttons for staff and a light at GPIO pins, by gpiozero where that is installed."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from contextlib import ExitStack
from enum import Enum
from typing import Any

from engine.events.snapshot import HealthSnapshot
from engine.installation.choices.staff import ButtonPins
from engine.installation.keeper.hands.hands import Ask, Hands

log = logging.getLogger(__name__)

BOUNCE = 0.05
"""Seconds within which a contact may close several times at one press."""

SILENT = 10.0
"""Seconds without audible sound, where it is expected, after which the light says so."""

WHO = "button"


class LightSign(Enum):
    """What the light says: seconds on and off."""

    WELL = (1.0, 0.0)
    ASKED_FOR = (0.2, 2.0)
    WRONG = (0.2, 0.2)


class Buttons:
    """Staff's buttons and light.

    Args:
        pins: where they are.
        hands: that the buttons move.
    """

    def __init__(self, pins: ButtonPins, hands: Hands) -> None:
        self._stack = ExitStack()
        self._hands = hands
        self._light: Any = None
        self._sign: LightSign | None = None
        presses: tuple[tuple[int | None, Callable[[], Ask]], ...] = (
            (pins.louder, lambda: Ask.LOUDER),
            (pins.softer, lambda: Ask.SOFTER),
            (pins.mute, lambda: Ask.UNMUTE if hands.muted else Ask.MUTE),
            (pins.quiet, lambda: Ask.NORMAL if hands.quiet else Ask.QUIET),
        )
        for pin, asked in presses:
            if pin is not None:
                self._add(pin, asked)
        if pins.light is not None:
            self._light = self._opened("LED", pins.light)

    def show(self, now: HealthSnapshot) -> None:
        """Let the light say how it is."""
        sign = sign_of(now)
        if self._light is None or sign is self._sign:
            return
        self._sign = sign
        on, off = sign.value
        try:
            if off:
                self._light.blink(on, off)
            else:
                self._light.on()
        except Exception as error:  # whatever the back-ends of gpiozero raise: it is a light
            log.error(
                "the light at `buttons` fails and stays as it is (%s); the music plays on", str(error) or repr(error)
            )
            self._light = None

    def close(self) -> None:
        """Take no press any more; the light goes out."""
        self._stack.close()
        self._light = None

    def _add(self, pin: int, asked: Callable[[], Ask]) -> None:
        button = self._opened("Button", pin, bounce_time=BOUNCE)
        if button is not None:
            button.when_pressed = lambda: self._hands.ask(asked(), WHO)

    def _opened(self, kind: str, pin: int, **settings: float) -> Any:
        try:
            device: Any = getattr(importlib.import_module("gpiozero"), kind)(pin, **settings)
        except Exception as error:  # not installed, no such pin, no rights: whatever its many back-ends raise
            log.error(
                "GPIO%d of `buttons` cannot be used (%s): pip install gpiozero lgpio, and let this user use "
                "/dev/gpiochip0; the music plays all the same",
                pin,
                str(error) or repr(error),
            )
            return None
        self._stack.callback(device.close)
        return device


def sign_of(now: HealthSnapshot) -> LightSign:
    """What a light says of how it is."""
    silent = now.expected and (now.silent > SILENT or bool(now.mixer or now.room))
    if now.late or now.lost or now.mains or silent:
        return LightSign.WRONG
    return LightSign.ASKED_FOR if now.muted or now.alarm else LightSign.WELL
