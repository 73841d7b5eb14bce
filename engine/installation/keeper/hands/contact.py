# pyright: strict
"""A contact of the fire alarm at a GPIO pin, by gpiozero where that is installed."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Any

from engine.installation.choices.access import AlarmContact

log = logging.getLogger(__name__)


def watch_contact(contact: AlarmContact, told: Callable[[bool], None]) -> Callable[[], None]:
    """Have the contact told: now, before anything sounds, and whenever it changes.

    Args:
        contact: at which pin.
        told: called with whether it says alarm, in a thread of gpiozero's.

    Returns:
        ends it.
    """
    try:
        gpiozero: Any = importlib.import_module("gpiozero")
        device: Any = gpiozero.DigitalInputDevice(contact.pin, pull_up=True)
    except Exception as error:  # not installed, no such pin, no rights: whatever its many back-ends raise
        log.error(
            "the alarm contact at GPIO%d cannot be read (%s): pip install gpiozero lgpio, and let this user read "
            "/dev/gpiochip0; until then it silences nothing",
            contact.pin,
            str(error) or repr(error),
        )
        return lambda: None

    def tell() -> None:
        told(bool(device.is_active) is contact.closed_means_alarm)

    device.when_activated = device.when_deactivated = tell
    tell()
    return device.close
