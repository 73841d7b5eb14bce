# pyright: strict
"""Writes a journal: entries in, rows out, each batch committed as a whole."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, assert_never

from engine.codec import CodecError
from engine.events.sounding import SoundTold, ToldLate
from engine.events.vocabulary import BarSealed, PhraseDecided, WeightsFound
from engine.journal.contents import FileContents
from engine.journal.entries import (
    ENTRIES,
    EVENTS,
    HAPPENINGS,
    TO_STAGE,
    Decision,
    Happened,
    HappeningValue,
    HeardUntil,
    Noted,
    RecordsLost,
    SittingBegan,
)
from engine.journal.reader import Journal
from engine.journal.records import BODIES, BarBody, BarPart
from engine.journal.schema import COLUMNS, LOG, checksum, open_for_writing, pack
from engine.journal.states import Key, decision_of, folded
from engine.runtime.performance.messages import ToStage
from engine.sound.messages import Notes, Ramps, Release, Setup

ROWS = 1024
"""Rows of a table that one entry may give, at most: each entry has so many numbers."""

KNOWN = 512
"""Phrases that a state may name by number."""

STATES_KEPT = 600.0
"""Seconds for which every state is kept; of older ones those where a pass begins."""

LOOK_AGAIN = 3600.0
"""Seconds between two looks at all marks of a journal of which nothing seems to be too old."""

PRUNED = 512
"""Rows of a table that are deleted at a time."""

_SENSELESS = (CodecError, KeyError, TypeError, json.JSONDecodeError)

_INSERT = {
    table: f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({', '.join('?' for _ in columns.split(', '))})"
    for table, columns in COLUMNS.items()
}


class JournalWriter:
    """A journal, open for writing; there is one at a time. Not thread-safe.

    Args:
        path: of its file.
        base: number from which the entries of this run of the keeper count, as another writer of the same run gave it;
            None: this is the first.

    Attributes:
        base: that number.
        last: index of the last entry that was kept; one that comes again is left alone.

    Raises:
        OtherVersionError: another version wrote the file.
        Exception: of `BREAKS`: it is broken, or cannot be written (`may_pass`). Its methods raise it likewise, and then
            have changed nothing.
    """

    def __init__(self, path: Path, base: int | None = None) -> None:
        self._database = open_for_writing(path)
        self._log = Path(f"{path}-wal")
        self.journal = Journal(path, self._database)
        """The same, for reading."""
        try:
            largest = max(
                self._database.execute(f"SELECT coalesce(max(number), 0) FROM {table}").fetchone()[0]
                for table in COLUMNS
            )
            self._sitting = self._database.execute("SELECT coalesce(max(number), 0) FROM sittings").fetchone()[0]
        except BaseException:
            self._database.close()
            raise
        self.base = base if base is not None else (largest // ROWS + 1) * ROWS
        self.last = (largest - self.base) // ROWS if largest >= self.base else 0
        self._contents = FileContents()
        self._phrases: dict[Key, tuple[int, Any]] | None = None
        self._weights: dict[tuple[str, str], str] = {}
        self._scene: tuple[str, str, str] = "", "", ""
        self._next = 0
        self._look_again_at = 0.0

    def take(self, batch: Sequence[Noted]) -> None:
        """Keep some entries, all or none of them."""
        self._database.execute("BEGIN IMMEDIATE")
        before = self._sitting, self.last
        try:
            for noted in batch:
                if noted.index > self.last:
                    self._next = self.base + noted.index * ROWS
                    try:
                        self._take(noted)
                    except _SENSELESS as error:
                        self._insert_lost(noted, f"an entry made no sense: {error!r}")
                    self.last = noted.index
            self._database.execute("COMMIT")
        except BaseException:
            self._sitting, self.last = before
            self._phrases = None
            with suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            raise

    def sync(self) -> None:
        """Bring all onto the disk; takes as long as the disk does.

        The log alone is forced there, once: it holds all that a start after a power cut wants. Only a long one is
        moved into the file, for which SQLite forces each of the two, and every page in between is written anew.

        Raises:
            OSError: the disk does not take it.
        """
        try:
            # SQLite's locks are on the file and its shared memory: to close another descriptor of the log frees none.
            descriptor = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            self.checkpoint()
            return
        try:
            if os.fstat(descriptor).st_size < LOG:
                os.fdatasync(descriptor)
                return
        finally:
            os.close(descriptor)
        self.checkpoint()

    def checkpoint(self) -> None:
        """Move what the log holds into the file, on the disk."""
        self._database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def prune(self, now: float, keep: float) -> int:
        """Delete some of what is too old; how many rows that were, 0 when nothing is left to delete.

        Args:
            now: seconds of UTC.
            keep: seconds for which it is kept.
        """
        states = self._numbers_before(now - STATES_KEPT, "ORDER BY number DESC LIMIT 1")
        all_of_it = self._too_old(now, keep)
        count = 0
        self._database.execute("BEGIN IMMEDIATE")
        try:
            if states:
                count += self._delete("states", "begins = 0 AND number < ?", states[-1])
            if all_of_it:
                edge = all_of_it[-1] + 1
                for table in COLUMNS:
                    if table != "sittings":
                        count += self._delete(table, "number < ?", edge)
                # A sitting stays for as long as anything of it does.
                last = self._database.execute("SELECT max(number) FROM sittings WHERE number < ?", (edge,)).fetchone()
                count += self._delete("sittings", "number < ?", last[0] or 0)
                self._database.execute("DELETE FROM contents WHERE number < ?", (last[0] or 0,))
            self._database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            raise
        return count

    def close(self) -> None:
        """Write nothing more."""
        with suppress(sqlite3.Error):
            self._database.close()

    def _too_old(self, now: float, keep: float) -> list[int]:
        """Numbers of the oldest marks, if they are to go. Where a clock has leapt, all marks are looked at, seldom."""
        oldest = self._database.execute("SELECT wall FROM marks ORDER BY number LIMIT 1").fetchone()
        if oldest is None or (oldest[0] >= now - keep and now < self._look_again_at):
            return []
        found = self._numbers_before(now - keep, f"ORDER BY number LIMIT {PRUNED}")
        self._look_again_at = now if found else now + LOOK_AGAIN
        return found

    def _numbers_before(self, wall: float, order: str) -> list[int]:
        """Numbers of marks that are older than a moment."""
        rows = self._database.execute(f"SELECT number FROM marks WHERE wall < ? {order}", (wall,))
        return [number for (number,) in rows]

    def _delete(self, table: str, where: str, value: int) -> int:
        of_these = f"SELECT number FROM {table} WHERE {where} ORDER BY number LIMIT {PRUNED}"
        return self._database.execute(f"DELETE FROM {table} WHERE number IN ({of_these})", (value,)).rowcount

    # Entries

    def _take(self, noted: Noted) -> None:
        entry = ENTRIES.decode(noted.entry)
        match entry:
            case SittingBegan():
                self._sitting = self._next
                self._phrases = None
                installation = self._keep_file(entry.installation)
                self._insert("sittings", noted.wall, installation, pack(noted.entry), sitting=False)
            case HeardUntil(frame=frame, played=played):
                self._insert("marks", frame, noted.wall, played)
            case Happened(value=value):
                self._happened(noted, HAPPENINGS.decode(value), value)
            case Decision():
                self._decided(noted, entry)
            case _:
                assert_never(entry)

    def _decided(self, noted: Noted, decision: Decision) -> None:
        events = [EVENTS.decode(data) for data in decision.events]
        sealed = {event.end: event for event in events if isinstance(event, BarSealed)}
        of_bar: list[bytes] = []
        for data in decision.messages:
            message = TO_STAGE.decode(data)
            match message:
                case Notes() | Ramps():
                    of_bar.append(data)
                case Release(frame=end):
                    if (bar := sealed.get(end)) is not None:
                        self._bar(noted, bar, of_bar)
                        of_bar = []
                case _:
                    self._told(noted, message)
        for data in of_bar:  # of no bar: what rings on where another sitting stood
            self._told(noted, TO_STAGE.decode(data))
        for event, data in zip(events, decision.events, strict=True):
            if isinstance(event, PhraseDecided):
                self._phrase(noted, event, data)
            elif not isinstance(event, BarSealed):
                self._happened(noted, event, HAPPENINGS.encode(event))
        if decision.state:
            self._state(noted, decision)

    def _bar(self, noted: Noted, bar: BarSealed, messages: Sequence[bytes]) -> None:
        parts = tuple(
            BarPart(one.part, one.heard, one.network, made.generator, str(made.origin))
            for one in bar.parts
            for made in [one.phrase.provenance]
        )
        body = BODIES.encode(BarBody(bar.qpm, bar.pass_index, bar.section, parts, tuple(messages)))
        self._insert("bars", noted.wall, bar.bar, bar.start, bar.end, pack(body))

    def _phrase(self, noted: Noted, event: PhraseDecided, data: bytes) -> None:
        weights = self._weights.get((event.part, event.raw.provenance.generator), "")
        number = self._insert("phrases", noted.wall, noted.made, weights, pack(data))
        known = self._known_phrases()
        known[event.part, event.first_bar, event.bars] = number, decision_of(event)
        while len(known) > KNOWN:
            del known[next(iter(known))]

    def _told(self, noted: Noted, message: ToStage) -> None:
        if isinstance(message, Setup):
            for part in message.parts:
                self._keep_file(part.instrument)
        self._happened(noted, message, HAPPENINGS.encode(message))

    def _happened(self, noted: Noted, value: HappeningValue, data: bytes) -> None:
        if isinstance(value, WeightsFound):
            self._weights[value.part, value.generator] = value.digest
        table = "told" if isinstance(value, SoundTold | ToldLate) else "happenings"
        self._insert(table, noted.wall, noted.made, type(value).__name__, pack(data))

    def _state(self, noted: Noted, decision: Decision) -> None:
        state = json.loads(decision.state)
        conductor = state["conductor"]
        position = conductor["position"]
        begins = position["bar"] == position["running"]["first_bar"]
        if self._scene[:2] != (decision.scene, conductor["scene"]):
            # The file is read when a scene begins to play; what is saved in it later counts when that plays.
            self._scene = decision.scene, conductor["scene"], self._keep_file(decision.scene)
        body = pack(folded(decision.state, self._known_phrases()))
        seed = str(decision.seed)
        self._insert("states", noted.wall, position["bar"], int(begins), decision.scene, seed, self._scene[2], body)

    # Rows

    def _insert(self, table: str, *columns: object, sitting: bool = True) -> int:
        number, self._next = self._next, self._next + 1
        row = (number, *((self._sitting,) if sitting else ()), *columns)
        self._database.execute(_INSERT[table], (*row, checksum(*row)))
        return number

    def _insert_lost(self, noted: Noted, reason: str) -> None:
        lost = RecordsLost(1, 0.0, reason)
        self._happened(noted, lost, HAPPENINGS.encode(lost))

    def _keep_file(self, path: str) -> str:
        """Keep a file as it is; its digest, or nothing where it cannot be read."""
        found = self._contents.read(Path(path))
        if found is None:
            return ""
        known = self._database.execute("SELECT 1 FROM contents WHERE digest = ?", (found.digest,)).fetchone()
        if known:
            self._database.execute("UPDATE contents SET number = ? WHERE digest = ?", (self._next, found.digest))
        else:
            data = pack(found.data) if found.data is not None else None
            self._database.execute(
                "INSERT INTO contents VALUES (?, ?, ?, ?, ?)", (found.digest, self._next, path, found.size, data)
            )
        return found.digest

    def _known_phrases(self) -> dict[Key, tuple[int, Any]]:
        if self._phrases is None:
            rows = self._database.execute("SELECT number FROM phrases ORDER BY number DESC LIMIT ?", (KNOWN // 4,))
            found = [self.journal.phrase(number) for (number,) in reversed(rows.fetchall())]
            self._phrases = {
                (one.decided.part, one.decided.first_bar, one.decided.bars): (one.number, decision_of(one.decided))
                for one in found
                if one is not None
            }
        return self._phrases
