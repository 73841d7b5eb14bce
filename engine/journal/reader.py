# pyright: strict
"""Reads a journal, also while an installation writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from engine.codec import CodecError
from engine.errors import PerpetuumError
from engine.events.vocabulary import PhraseDecided
from engine.journal.entries import ENTRIES, EVENTS, HAPPENINGS, SittingBegan, SittingEnded
from engine.journal.records import (
    BODIES,
    Content,
    Happening,
    HeardPlace,
    JournalBar,
    JournalPhrase,
    JournalState,
    Mark,
    Sitting,
)
from engine.journal.schema import BREAKS, COLUMNS, checksum, open_for_reading, unpack
from engine.journal.states import unfolded
from engine.score.time import SAMPLE_RATE

R = TypeVar("R")

Row = tuple[Any, ...]

EARLY = 120
"""Seconds before it is heard at which a bar is sealed or a phrase decided, at most."""

_NEVER = 1 << 62
_EVER = 1e18
_OF_SITTING = "number >= ? AND number < ? AND sitting = ?"
_WITHIN = "number >= ? AND number < ?"
_LATEST_FIRST = "ORDER BY number DESC"


class Journal:
    """A journal, open for reading. Not thread-safe.

    Args:
        path: of its file.
        database: that is open already, for whoever writes it.

    Attributes:
        unreadable: rows that were left out because they cannot be read.

    Raises:
        PerpetuumError: there is none, or another version wrote it, or it is broken; its methods raise it likewise.
    """

    def __init__(self, path: Path, database: sqlite3.Connection | None = None) -> None:
        self.path = path
        self.unreadable = 0
        self._ours = database is None
        self._database = open_for_reading(path) if database is None else database

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.close()

    def close(self) -> None:
        """Read nothing more."""
        if self._ours:
            self._database.close()

    # Sittings, and when they were heard

    def sittings(self, since: float | None = None, until: float | None = None) -> list[Sitting]:
        """Runs of the sound that lie within some moments, in order.

        Args:
            since, until: seconds of UTC; None for all.
        """
        return [
            sitting
            for sitting in self._all(self._sitting, self._rows("sittings", "1"))
            if self._lies_within(sitting, since, until)
        ]

    def _lies_within(self, sitting: Sitting, since: float | None, until: float | None) -> bool:
        if (since is None or sitting.ended >= since) and (until is None or sitting.began <= until):
            return True
        # The clock may have been put back while it lasted.
        walls = (-_EVER if since is None else since), (_EVER if until is None else until)
        found = self._rows("marks", f"{_OF_SITTING} AND wall BETWEEN ? AND ?", *self._numbers(sitting.number), *walls)
        return next(found, None) is not None

    def sitting(self, number: int) -> Sitting | None:
        """One of them; None where there is none."""
        return next(self._all(self._sitting, self._rows("sittings", "number = ?", number)), None)

    def marks(self, since: float, until: float) -> Iterator[Mark]:
        """What was heard when, in the order of telling; clocks on walls leap."""
        yield from self._all(_mark, self._rows("marks", "wall BETWEEN ? AND ?", since, until))

    def last_mark(self) -> Mark | None:
        """What was heard last, as far as is known."""
        return next(self._all(_mark, self._rows("marks", "1", order=_LATEST_FIRST)), None)

    def place_at(self, wall: float, within: float = 30.0) -> HeardPlace | None:
        """What was heard at a moment; None where nothing was.

        Args:
            wall: seconds of UTC.
            within: seconds from the last mark to the moment, at most.
        """
        # Where a clock was put back, what it showed last is meant.
        mark = max(self.marks(wall - within, wall), key=lambda one: one.number, default=None)
        if mark is None:
            return None
        sitting = self.sitting(mark.sitting)
        frame = mark.frame + round((wall - mark.wall) * SAMPLE_RATE)
        if sitting is not None and sitting.end_frame <= frame:
            return HeardPlace(mark.sitting, mark.frame) if sitting.ended >= wall else None
        return HeardPlace(mark.sitting, frame)

    def wall_at(self, place: HeardPlace) -> float | None:
        """When a frame was heard; None where it was not, or nobody knows."""
        found = self._rows(
            "marks", f"{_OF_SITTING} AND frame <= ?", *self._numbers(place.sitting), place.frame, order=_LATEST_FIRST
        )
        mark = next(self._all(_mark, found), None)
        return None if mark is None else mark.wall + (place.frame - mark.frame) / SAMPLE_RATE

    # What was played

    def bars(self, sitting: int, since: int, until: int) -> Iterator[JournalBar]:
        """Bars of a sitting that sound between two frames (the second excluded), in order."""
        span = self._span(sitting, since, until)
        yield from self._all(_bar, self._rows("bars", f'{_WITHIN} AND "end" > ? AND start < ?', *span, since, until))

    def phrases(self, sitting: int, since: int, until: int) -> Iterator[JournalPhrase]:
        """Phrases that were decided while a sitting made the frames between two (the second excluded), in order."""
        span = self._span(sitting, since, until)
        yield from self._all(
            _phrase, self._rows("phrases", f"{_WITHIN} AND made >= ? AND made < ?", *span, since, until)
        )

    def phrase(self, number: int) -> JournalPhrase | None:
        """A phrase by its number; None where it cannot be found."""
        return next(self._all(_phrase, self._rows("phrases", "number = ?", number)), None)

    def happenings(
        self,
        since: float | None = None,
        until: float | None = None,
        kinds: Sequence[str] = (),
        sitting: int | None = None,
        after: int = 0,
    ) -> Iterator[Happening]:
        """What happened between two moments, in order; what graphs were told is not among it (see `told`).

        Args:
            since, until: seconds of UTC; None for all.
            kinds: names of the classes of their values; none for all.
            sitting: only of that one; None for all.
            after: only what was told after what has this number.
        """
        where: list[str] = ["number > ?"]
        values: list[object] = [after]
        for condition, value in (("wall >= ?", since), ("wall <= ?", until)):
            if value is not None:
                where.append(condition)
                values.append(value)
        if sitting is not None:
            where.append(_OF_SITTING)
            values += self._numbers(sitting)
        if kinds:
            where.append(f"kind IN ({', '.join('?' for _ in kinds)})")
            values += kinds
        yield from self._all(_happening, self._rows("happenings", " AND ".join(where), *values))

    def told(self, sitting: int, after: int, until: float) -> Iterator[Happening]:
        """What graphs were told while they were heard: `SoundTold` and `ToldLate`, in order.

        Args:
            sitting: in which.
            after: only what was told after what has this number.
            until: seconds of UTC.
        """
        where = f"{_OF_SITTING} AND number > ? AND wall <= ?"
        yield from self._all(_happening, self._rows("told", where, *self._numbers(sitting), after, until))

    def states(
        self, sitting: int, until_bar: int | None = None, after: int = 0, earliest: bool = False
    ) -> Iterator[JournalState]:
        """States of a sitting, the latest first.

        Args:
            sitting: which.
            until_bar: only those from which this bar can be reached: of that bar, or of one before it.
            after: only those that were told after what has this number.
            earliest: the earliest first.
        """
        bar = _NEVER if until_bar is None else until_bar
        where = f"{_OF_SITTING} AND bar <= ? AND number > ?"
        order = "ORDER BY number" if earliest else _LATEST_FIRST
        rows = self._rows("states", where, *self._numbers(sitting), bar, after, order=order)
        yield from self._all(self._state, rows)

    def beginnings(self, sitting: int) -> Iterator[JournalState]:
        """States of a sitting at which a pass of a section begins, in order; of phrases they hold numbers alone."""
        where = f"{_OF_SITTING} AND begins = 1"
        yield from self._all(_folded_state, self._rows("states", where, *self._numbers(sitting)))

    def content(self, digest: str) -> Content | None:
        """A file as it was; None where it is not known."""
        for found, path, size, data in self._select(
            "SELECT digest, path, size, data FROM contents WHERE digest = ?", digest
        ):
            try:
                return Content(str(found), str(path), int(size), None if data is None else unpack(data))
            except (TypeError, ValueError):
                self.unreadable += 1
        return None

    # Rows

    def _numbers(self, sitting: int) -> tuple[int, int, int]:
        """What `_OF_SITTING` asks for: its rows lie between its number and that of the next."""
        following = self._select("SELECT min(number) FROM sittings WHERE number > ?", sitting)
        return sitting, next(following)[0] or _NEVER, sitting

    def _span(self, sitting: int, since: int, until: int) -> tuple[int, int]:
        """What `_WITHIN` asks for: rows about some frames of a sitting were told when not far before was heard."""
        edge = f"SELECT number FROM marks WHERE {_OF_SITTING} AND frame {{}} ? ORDER BY number {{}} LIMIT 1"
        numbers = self._numbers(sitting)
        first = next(self._select(edge.format("<=", "DESC"), *numbers, since - EARLY * SAMPLE_RATE), None)
        last = next(self._select(edge.format(">=", "ASC"), *numbers, until + EARLY * SAMPLE_RATE), None)
        return first[0] if first is not None else sitting, last[0] if last is not None else numbers[1]

    def _rows(self, table: str, where: str, *values: object, order: str = "ORDER BY number") -> Iterator[Row]:
        yield from self._select(f"SELECT {COLUMNS[table]} FROM {table} WHERE {where} {order}", *values)

    def _select(self, statement: str, *values: object) -> Iterator[Row]:
        try:
            # Not `yield from`, which would close a cursor whose database may be closed by then.
            for row in self._database.execute(statement, values):  # noqa: UP028
                yield row
        except BREAKS as error:
            raise PerpetuumError(f"the journal {self.path} cannot be read: {error}") from error

    def _all(self, read: Callable[[Row], R], rows: Iterator[Row]) -> Iterator[R]:
        for row in rows:
            try:
                if checksum(*row[:-1]) != row[-1]:
                    raise ValueError("its checksum is wrong")
                found = read(row)
            except (CodecError, ValueError, TypeError, KeyError):
                self.unreadable += 1
            else:
                yield found

    def _sitting(self, row: Row) -> Sitting:
        number, wall, installation, body, _ = row
        told = ENTRIES.decode(unpack(body))
        if not isinstance(told, SittingBegan):
            raise ValueError("no beginning of a sitting")
        numbers = self._numbers(number)
        first = next(self._all(_mark, self._rows("marks", _OF_SITTING, *numbers)), None)
        last = next(self._all(_mark, self._rows("marks", _OF_SITTING, *numbers, order=_LATEST_FIRST)), None)
        ended, ending = wall if last is None else max(wall, last.wall), ""
        for one in self.happenings(kinds=[SittingEnded.__name__], sitting=number):
            if isinstance(one.value, SittingEnded):
                ended, ending = max(ended, one.wall), one.value.why
        return Sitting(
            number=number,
            began=wall,
            ended=ended,
            ending=ending,
            first_frame=told.frame if first is None else first.frame,
            end_frame=told.frame if last is None else last.frame,
            told=told,
            installation=installation,
        )

    def _state(self, row: Row) -> JournalState:
        number, sitting, wall, bar, begins, scene, seed, content, body, _ = row
        text = unfolded(unpack(body), self.phrase)
        return JournalState(number, sitting, wall, bar, bool(begins), scene, int(seed), text, content)


def _folded_state(row: Row) -> JournalState:
    number, sitting, wall, bar, begins, scene, seed, content, body, _ = row
    return JournalState(number, sitting, wall, bar, bool(begins), scene, int(seed), unpack(body).decode(), content)


def _mark(row: Row) -> Mark:
    return Mark(*row[:-1])


def _bar(row: Row) -> JournalBar:
    number, sitting, wall, bar, start, end, body, _ = row
    return JournalBar(number, sitting, wall, bar, start, end, BODIES.decode(unpack(body)))


def _phrase(row: Row) -> JournalPhrase:
    number, sitting, wall, made, weights, body, _ = row
    decided = EVENTS.decode(unpack(body))
    if not isinstance(decided, PhraseDecided):
        raise ValueError("no phrase")
    return JournalPhrase(number, sitting, wall, made, decided, weights)


def _happening(row: Row) -> Happening:
    number, sitting, wall, made, _, body, _ = row
    return Happening(number, sitting, wall, made, HAPPENINGS.decode(unpack(body)))
