# pyright: strict
"""What hands want of an installation: mute, quiet mode, the volume of a day, and the fire alarm, which outlives us."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from enum import StrEnum

from engine.errors import PerpetuumError
from engine.events import HandAsked
from engine.installation.choices.staff import StaffChoice
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.keeper.hands.volume import StaffVolume
from engine.runtime.performance.commands import Alarm, Mute, StageCommand

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
    VOLUME = "volume"
    SECTION = "section"
    SCENE = "scene"
    RELOAD = "reload"


WITH_A_VALUE = {Ask.VOLUME: "-6 dB", Ask.SECTION: "chorus", Ask.SCENE: "still_water"}
"""What has to be said besides, by examples; of a reload the reason may be."""


def read_line(line: str) -> tuple[Ask, str]:
    """What a line asks, and the value behind it.

    Raises:
        PerpetuumError: there is no such thing to ask.
    """
    word, _, value = line.strip().partition(" ")
    value = value.strip()
    try:
        ask = Ask(word)
    except ValueError:
        known = ", ".join(["status", *Ask])
        raise PerpetuumError(f"{word[:40]!r} is nothing that can be asked", f"one of {known}") from None
    if ask in WITH_A_VALUE and not value:
        raise PerpetuumError(f"{ask} says nothing without a value", f"like `{ask} {WITH_A_VALUE[ask]}`")
    if value and ask not in WITH_A_VALUE and ask is not Ask.RELOAD:
        raise PerpetuumError(f"{ask} takes no value", f"{ask} alone")
    return ask, value


def read_volume(text: str, staff: StaffChoice) -> float:
    """dB of a volume, "-6 dB" or "-6".

    Raises:
        PerpetuumError: it is none, or more than staff may choose.
    """
    number = text.removesuffix("dB").strip()
    try:
        decibels = float(number)
    except ValueError:
        raise PerpetuumError(f"{text[:40]!r} is no volume", "a number of dB, like -6, and 0 for the usual") from None
    if not -staff.softer <= decibels <= staff.louder:
        raise PerpetuumError(
            f"the volume {text[:40]} is out of range", f"{-staff.softer:g} to {staff.louder:+g} dB (`staff`)"
        )
    return decibels + 0.0  # no -0


def allow_all(ask: Ask, value: str) -> None:
    """Where nothing is refused."""


class Hands:
    """What hands want now. Thread-safe: a control, a signal and a contact all may ask.

    Args:
        folder: where the alarm is remembered.
        act: called with what changed, at once, in the thread of whoever asked.
        later: runs what may take as long as a disk does.
        tell: told what was asked, and by whom, in that thread.
        check: raises a `PerpetuumError` where what is asked cannot be done now; before anything is told or done.
        staff: by how much staff may move the volume, as the file says now.

    Attributes:
        muted, quiet: whether hands want that.
        volume: that staff have chosen.
    """

    def __init__(
        self,
        folder: StateFolder,
        act: Callable[[Ask, str], None],
        later: Callable[[Callable[[], object]], None],
        tell: Callable[[HandAsked], None] = lambda asked: None,
        check: Callable[[Ask, str], None] = allow_all,
        staff: Callable[[], StaffChoice] = StaffChoice,
    ) -> None:
        self.volume = StaffVolume(folder, later)
        self._staff = staff
        self._folder = folder
        self._tell = tell
        self._check = check
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

    def wanted(self) -> list[StageCommand]:
        """What counts before the first sample."""
        return [*([Mute(True)] if self.muted else []), *([Alarm(True)] if self.alarm else [])]

    @property
    def alarm(self) -> bool:
        """Whether the alarm is on."""
        return bool(self._raised)

    def ask(self, ask: Ask, who: str, value: str = "") -> None:
        """Do what a hand asks.

        Args:
            ask: what.
            who: asks, in a word.
            value: see `read_line`.

        Raises:
            PerpetuumError: it cannot be done now; nothing is.
        """
        volume = read_volume(value, self._staff()) if ask is Ask.VOLUME else 0.0
        with self._lock:
            self._check(ask, value)
            asked = f"{ask} {value}".strip()
            self._tell(HandAsked(asked, who))
            match ask:
                case Ask.MUTE | Ask.UNMUTE:
                    self.muted = ask is Ask.MUTE
                    self._act(ask, value)
                case Ask.QUIET | Ask.NORMAL:
                    self.quiet = ask is Ask.QUIET
                    self._act(ask, value)
                case Ask.LOUDER | Ask.SOFTER:
                    self.volume.move(1 if ask is Ask.LOUDER else -1, self._staff())
                    self._act(ask, value)
                case Ask.VOLUME:
                    self.volume.put(volume)
                    self._act(ask, value)
                case Ask.ALARM:
                    self._raised.add(who)
                    self._act(ask, value)
                    self._keep()
                case Ask.RELEASE:
                    self._release(who)
                case Ask.SECTION | Ask.SCENE | Ask.RELOAD:
                    self._act(ask, value)
        log.warning("%s asks: %s", who, asked)

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
            self._act(Ask.RELEASE, "")
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
