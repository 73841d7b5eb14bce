# pyright: strict
"""The volume that staff have chosen: it outlives a restart, and the next opening begins without it."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import msgspec

from engine.installation.choices.staff import StaffChoice
from engine.installation.hours.timetable import Timetable
from engine.installation.keeper.folder.folder import StateFolder

log = logging.getLogger(__name__)

VOLUME_FILE = "volume"
"""There while staff have chosen a volume: dB, and until when."""

FURTHEST = 40.0
"""dB that a file may say; another has been spoilt."""


class _Kept(msgspec.Struct):
    """As it lies on the disk."""

    decibels: Annotated[float, msgspec.Meta(ge=-FURTHEST, le=FURTHEST)]
    until: float | None = None


def next_session(timetable: Timetable, moment: datetime) -> datetime | None:
    """When the programme next begins anew, in UTC: at an opening, or at midnight where it never closes."""
    session = timetable.session(moment)
    if session is not None and timetable.session(session.end) is not None:
        return session.end
    return timetable.next_opening(moment)


class StaffVolume:
    """dB by which staff have turned it up or down. Thread-safe.

    Args:
        folder: where it is remembered.
        later: runs what may take as long as a disk does.
    """

    def __init__(self, folder: StateFolder, later: Callable[[Callable[[], object]], None]) -> None:
        self._folder = folder
        self._later = later
        self._lock = threading.RLock()
        self._decibels, self._until = _read(folder.read(VOLUME_FILE))

    @property
    def decibels(self) -> float:
        """What counts now; 0 for as the file says."""
        return self._decibels

    def move(self, steps: int, choice: StaffChoice) -> float:
        """Turn it up or down by some steps, as far as one may; gives what counts then, in dB."""
        with self._lock:
            wanted = self._decibels + steps * choice.step
            self.put(max(-choice.softer, min(choice.louder, wanted)))
            return self._decibels

    def put(self, decibels: float) -> None:
        """Set it."""
        with self._lock:
            self._decibels, self._until = decibels, None
            self._keep()

    def look(self, moment: datetime, timetable: Timetable) -> None:
        """See whether it is over; a moment at which the clock is not known is none for this."""
        with self._lock:
            if not self._decibels:
                return
            if self._until is None:
                following = next_session(timetable, moment)
                self._until = following.timestamp() if following is not None else math.inf
                self._keep()
            elif moment.timestamp() >= self._until:
                log.warning("the volume is again as the file says: staff had moved it by %+g dB", self._decibels)
                self._decibels, self._until = 0.0, None
                self._keep()

    def _keep(self) -> None:
        if not self._decibels:
            self._later(lambda: self._folder.remove(VOLUME_FILE))
            return
        until = self._until if self._until is not None and math.isfinite(self._until) else None
        data = msgspec.json.encode(_Kept(self._decibels, until))
        self._later(lambda: self._folder.write(VOLUME_FILE, data, "a restart would bring back the usual volume"))


def _read(data: bytes | None) -> tuple[float, float | None]:
    """dB, and seconds since 1970 at which it is over; (0, None) where there is nothing that can be read."""
    try:
        kept = msgspec.json.decode(data or b"", type=_Kept)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 0.0, None
    return kept.decibels, kept.until
