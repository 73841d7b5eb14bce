# pyright: strict
"""What hands want of an installation: mute, quiet mode, the volume of a day, and the fire alarm, which outlives us."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from enum import StrEnum

from engine.events import HandAsked
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.keeper.hands.volume import StaffVolume
from engine.installation.staff import StaffChoice

log = logging.getLogger(__name__)

ALARM_FILE = "alarm"
"""There while the alarm is on, so that it is so after any start; says who raised it, one a line."""

CONTACT = "contact"
"""Who raises the alarm at a pin. As long as it does, nobody else can release it."""


class Ask(StrEnum):
    """What a hand may ask, as it is said over the control socket."""

    MUTE = "mute"
    UNMUTE = "unmute"
    QUIET = "quiet"
    NORMAL = "normal"
    LOUDER = "louder"
    SOFTER = "softer"
    ALARM = "alarm"
    RELEASE = "release"


class Hands:
    """What hands want now. Thread-safe: a control, a signal and a contact all may ask.

    Args:
        folder: where the alarm is remembered.
        act: called with what changed, at once, in the thread of whoever asked.
        later: runs what may take as long as a disk does.
        tell: told what was asked, and by whom, in that thread.
        staff: by how much staff may move the volume, as the file says now.

    Attributes:
        volume: that staff have chosen.
    """

    def __init__(
        self,
        folder: StateFolder,
        act: Callable[[Ask], None],
        later: Callable[[Callable[[], object]], None],
        tell: Callable[[HandAsked], None] = lambda asked: None,
        staff: Callable[[], StaffChoice] = StaffChoice,
    ) -> None:
        self.volume = StaffVolume(folder, later)
        self._staff = staff
        self._folder = folder
        self._tell = tell
        self._act = act
        self._later = later
        self._lock = threading.RLock()
        self._kept = threading.Event()
        self._kept.set()
        self.muted = False
        self.quiet = False
        kept = folder.read(ALARM_FILE)
        self._raised: set[str] = set() if kept is None else set(kept.decode("utf-8", "replace").split()) or {"somebody"}
        if self.alarm:
            log.warning("the alarm is still on: there is no sound until it is released (perpetuum control release)")

    @property
    def alarm(self) -> bool:
        """Whether the alarm is on."""
        return bool(self._raised)

    def ask(self, ask: Ask, who: str) -> None:
        """Do what a hand asks.

        Args:
            ask: what.
            who: asks, in a word.
        """
        with self._lock:
            self._tell(HandAsked(str(ask), who))
            match ask:
                case Ask.MUTE | Ask.UNMUTE:
                    self.muted = ask is Ask.MUTE
                    self._act(ask)
                case Ask.QUIET | Ask.NORMAL:
                    self.quiet = ask is Ask.QUIET
                    if ask is Ask.NORMAL:
                        self.volume.back()
                    self._act(ask)
                case Ask.LOUDER | Ask.SOFTER:
                    self.volume.move(1 if ask is Ask.LOUDER else -1, self._staff())
                    self._act(ask)
                case Ask.ALARM:
                    self._raised.add(who)
                    self._act(ask)
                    self._keep()
                case Ask.RELEASE:
                    self._release(who)
        log.warning("%s asks: %s", who, ask)

    def contact_is(self, alarm: bool) -> None:
        """The contact is read, before the first sample for the first time."""
        if alarm:
            self.ask(Ask.ALARM, CONTACT)
        elif CONTACT in self._raised:
            self.ask(Ask.RELEASE, CONTACT)

    def _release(self, who: str) -> None:
        others = self._raised - {CONTACT} if who == CONTACT else self._raised & {CONTACT}
        if who != CONTACT and others:
            log.warning("the alarm stays: the contact still says so")
        self._raised = others
        if not others:
            self._act(Ask.RELEASE)
        self._keep()

    def wait_until_kept(self, timeout: float) -> bool:
        """Wait until the alarm, or its end, is written down; False where a disk takes longer, or cannot be written."""
        return self._kept.wait(timeout)

    def _keep(self) -> None:
        raised = sorted(self._raised)
        self._kept = kept = threading.Event()

        def keep(action: Callable[[], bool]) -> None:
            if action():
                kept.set()

        if raised:
            cost = "the alarm is on, and would not outlive a restart"
            data = "\n".join(raised).encode()
            self._later(lambda: keep(lambda: self._folder.write(ALARM_FILE, data, cost)))
        else:
            self._later(lambda: keep(lambda: self._folder.remove(ALARM_FILE)))
