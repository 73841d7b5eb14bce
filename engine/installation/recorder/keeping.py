# pyright: strict
"""Keeps entries in the journal of a state folder, whatever becomes of its file and of the disk."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from engine.errors import PerpetuumError
from engine.journal.entries import Noted
from engine.journal.reader import Journal
from engine.journal.recall import recall
from engine.journal.recalled import Recalled
from engine.journal.schema import BREAKS, NAME, OtherVersionError, may_pass
from engine.journal.writer import JournalWriter

ASIDE = 3
"""Broken journals that are kept for whoever wants to look into them."""

SYNC_EVERY = 60.0
"""Seconds between two times at which all is brought onto the disk."""

_SIDES = ("", "-wal", "-shm")


class Keeping:
    """The journal of a state folder.

    Args:
        folder: that holds it.
        base: as of a `JournalWriter`; 0 where nobody knows.
        keep: seconds for which all is kept.
        clock: gives seconds.
        wall: gives seconds of UTC.

    Attributes:
        recalled: where the music stood; None where nobody knows.
        problems: what was lost, for people.

    Raises:
        sqlite3.Error, OSError: nothing can be written there now.
    """

    def __init__(
        self,
        folder: Path,
        base: int,
        keep: float,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.path = folder / NAME
        self.recalled: Recalled | None = None
        self.problems: list[str] = []
        self._keep = keep
        self._clock = clock
        self._wall = wall
        self._sync_at = clock() + SYNC_EVERY
        self._written = False
        self.writer = self._opened(base or None)

    def take(self, batch: Sequence[Noted]) -> bool:
        """Keep entries; False where the journal was broken and another one has been begun, which wants all again.

        Raises:
            sqlite3.Error: the disk is full, or the like; nothing of them is kept.
        """
        try:
            self.writer.take(batch)
        except BREAKS as error:
            if may_pass(error):
                raise
            self._begin_anew(f"it is broken: {error}", self.writer.base)
            return False
        self._written = True
        return True

    def look(self) -> bool:
        """Bring all onto the disk and delete what is too old, if it is time; as `take`.

        Raises:
            sqlite3.Error, OSError: the disk does not take it; it is tried again.
        """
        if self._clock() < self._sync_at or not self._written:
            return True
        self._sync_at, self._written = self._clock() + SYNC_EVERY, False
        try:
            self.writer.prune(self._wall(), self._keep)
            self.writer.sync()
        except BREAKS as error:
            if may_pass(error):
                raise
            self._begin_anew(f"it is broken: {error}", self.writer.base)
            return False
        return True

    def close(self) -> None:
        """Bring all onto the disk."""
        with suppress(sqlite3.Error):
            self.writer.checkpoint()
        self.writer.close()

    def _opened(self, base: int | None) -> JournalWriter:
        odd = [one for side in _SIDES for one in [Path(f"{self.path}{side}")] if one.exists() and not one.is_file()]
        if odd:
            return self._anew(f"{odd[0]} is no file", base)
        try:
            writer = JournalWriter(self.path, base)
        except OtherVersionError as error:
            return self._anew(error.message, base)
        except BREAKS as error:
            if may_pass(error):
                raise
            return self._anew(f"the journal {self.path} is broken: {error}", base)
        try:
            self.recalled = recall(writer.journal)
        except (PerpetuumError, LookupError, TypeError, ValueError) as error:
            writer.close()
            return self._anew(f"the journal {self.path} is broken: {error}", base)
        if writer.journal.unreadable:
            self.problems.append(f"{writer.journal.unreadable} records of {self.path} cannot be read any more")
        return writer

    def _begin_anew(self, why: str, base: int) -> None:
        self.writer.close()
        self.problems.clear()
        self.writer = self._anew(f"the journal {self.path} was begun anew: {why}", base)

    def _anew(self, why: str, base: int | None) -> JournalWriter:
        kept = set_aside(self.path, self._wall())
        self.problems.append(f"{why}; where the music stood is lost with it, and the file is kept as {kept.name}")
        return JournalWriter(self.path, base)


def set_aside(path: Path, wall: float) -> Path:
    """Put a journal out of the way, and delete the oldest of many such; its new path.

    Raises:
        OSError: it cannot be moved.
    """
    kept = path.with_name(f"{path.stem}.broken-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(wall))}{path.suffix}")
    number = 1
    while kept.exists():
        number += 1
        kept = kept.with_name(f"{kept.stem.partition('_')[0]}_{number}{path.suffix}")
    for side in _SIDES:
        with suppress(FileNotFoundError):  # moved by name: a link goes, and what it leads to stays
            Path(f"{path}{side}").rename(f"{kept}{side}")
    old = sorted(path.parent.glob(f"{path.stem}.broken-*{path.suffix}"), key=lambda one: one.name)[:-ASIDE]
    for one in old:
        for side in _SIDES:
            with suppress(OSError):  # a folder of somebody's, perhaps
                Path(f"{one}{side}").unlink(missing_ok=True)
    return kept


def recall_only(folder: Path) -> Recalled | None:
    """Where the music stood, as far as can be read where nothing can be written."""
    with suppress(PerpetuumError, *BREAKS, OSError), Journal(folder / NAME) as journal:
        return recall(journal)
    return None
