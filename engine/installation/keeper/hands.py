# pyright: strict
"""What hands want of an installation: mute, quiet mode, and the fire alarm, which outlives us."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from enum import StrEnum

from engine.installation.keeper.folder import StateFolder

log = logging.getLogger(__name__)

ALARM_FILE = "alarm"
"""There while the alarm is on, so that it is so after any start."""


class Ask(StrEnum):
    """What a hand may ask, as it is said over the control socket."""

    MUTE = "mute"
    UNMUTE = "unmute"
    QUIET = "quiet"
    NORMAL = "normal"
    ALARM = "alarm"
    RELEASE = "release"


class Hands:
    """What hands want now. Thread-safe: a control, a signal, a contact and the clock all may ask.

    Args:
        folder: where the alarm is remembered.
        act: called with what changed, at once, in the thread of whoever asked.
    """

    def __init__(self, folder: StateFolder, act: Callable[[Ask], None]) -> None:
        self._folder = folder
        self._act = act
        self._lock = threading.RLock()
        self.muted = False
        self.quiet = False
        self.alarm = folder.read(ALARM_FILE) is not None
        if self.alarm:
            log.warning("the alarm is still on: there is no sound until it is released (perpetuum control release)")

    def ask(self, ask: Ask, reason: str) -> None:
        """Do what a hand asks.

        Args:
            ask: what.
            reason: who asks, for the log.
        """
        with self._lock:
            match ask:
                case Ask.MUTE | Ask.UNMUTE:
                    self.muted = ask is Ask.MUTE
                    self._act(ask)
                case Ask.QUIET | Ask.NORMAL:
                    self.quiet = ask is Ask.QUIET
                    self._act(ask)
                case Ask.ALARM:
                    self.alarm = True
                    self._act(ask)  # silence first: a disk may be slow
                    self._folder.write(ALARM_FILE, f"{reason}\n".encode())
                case Ask.RELEASE:
                    if self.alarm and self._folder.remove(ALARM_FILE):
                        self.alarm = False
                        self._act(ask)
            log.warning("%s: %s", reason, ask)
