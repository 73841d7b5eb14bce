# pyright: strict
"""The SQLite file of a journal: its tables, how it is opened, and how a row's body is written.

Each body carries a checksum, because SQLite finds broken pages and not broken bytes in them.
"""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path

from engine.errors import PerpetuumError

NAME = "journal.sqlite3"
"""Name of the file in a state folder."""

VERSION = 2
"""Of the tables and of what lies in them; `PRAGMA user_version`."""

APPLICATION = 0x50704A6C
"""`PRAGMA application_id`: "PpJl"."""

PAGE = 1024
"""Bytes of a page. Each commit writes whole pages, and what belongs to a bar is about as much."""

COLUMNS = {
    "sittings": "number, wall, installation, body, sum",
    "marks": "number, sitting, frame, wall, played, sum",
    "bars": 'number, sitting, wall, bar, start, "end", body, sum',
    "phrases": "number, sitting, wall, made, weights, body, sum",
    "happenings": "number, sitting, wall, made, kind, body, sum",
    "told": "number, sitting, wall, made, kind, body, sum",
    "states": "number, sitting, wall, bar, begins, scene, seed, content, body, sum",
}
"""Columns of the tables whose rows have a number, drawn from one count; `sum` is the checksum of the others.

What graphs are told comes once a second and has a table of its own: a start looks for what happened, and reads little.
"""

_TYPES = {"wall": "REAL", "played": "REAL", "body": "BLOB"} | dict.fromkeys(
    ("installation", "weights", "kind", "scene", "seed", "content"), "TEXT"
)


def _table(name: str) -> str:
    columns = [f"{column} {_TYPES.get(column, 'INTEGER')}" for column in COLUMNS[name].split(", ")]
    return f"CREATE TABLE {name} ({', '.join(columns)}, PRIMARY KEY (number))".replace(
        "number INTEGER", "number INTEGER NOT NULL"
    )


_TABLES = (
    *map(_table, COLUMNS),
    "CREATE TABLE contents (digest TEXT PRIMARY KEY, number INTEGER, path TEXT, size INTEGER, data BLOB) WITHOUT ROWID",
)

_COMPRESSED, _PLAIN = b"z", b"-"
_WORTHWHILE = 128
"""Bytes from which on a body is compressed."""

_LARGEST_BODY = 64 << 20

LOG = 4_000_000
"""Bytes of the write-ahead log from which on its pages are moved into the file."""


BREAKS = (sqlite3.Error, UnicodeDecodeError, OverflowError)
"""What reading a broken file raises; not every name and message in it is text."""

_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)


def may_pass(error: Exception) -> bool:
    """Whether the disk or another process is to blame, and not what lies in the file."""
    if isinstance(error, sqlite3.Error):
        # What Python itself says has no code.
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING
    return isinstance(error, OSError)


class OtherVersionError(PerpetuumError):
    """A journal that another version wrote, or a file that is none."""


def pack(body: bytes) -> bytes:
    """A body as it is stored."""
    if len(body) >= _WORTHWHILE:
        small = zlib.compress(body, 6)
        if len(small) < len(body):
            return _COMPRESSED + small
    return _PLAIN + body


def unpack(stored: bytes) -> bytes:
    """A body that was stored.

    Raises:
        ValueError: it is none.
    """
    if stored[:1] == _PLAIN:
        return stored[1:]
    if stored[:1] != _COMPRESSED:
        raise ValueError("no body")
    stream = zlib.decompressobj()
    try:
        body = stream.decompress(stored[1:], _LARGEST_BODY)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not stream.eof:
        raise ValueError("a body that is cut, or too large")
    return body


def checksum(*columns: object) -> int:
    """Of all columns of a row, in order, but for itself."""
    total = 0
    for column in columns:
        data = column if isinstance(column, bytes) else repr(column).encode("utf-8", "surrogatepass")
        total = zlib.crc32(data + b"\0", total)
    return total


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open a journal, or make one.

    Nothing is forced onto the disk by a commit; its owner asks for that (`JournalWriter.sync`).

    Raises:
        OtherVersionError: another version wrote it, or something else did.
        sqlite3.Error: it cannot be opened, or is broken.
    """
    database = sqlite3.connect(path, timeout=2.0, isolation_level=None)
    try:
        _guard(database)
        new = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
        if not new:
            _check_version(database, path)
        database.execute(f"PRAGMA page_size = {PAGE}")
        if database.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise sqlite3.OperationalError("this file system cannot share memory between processes")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute("PRAGMA journal_size_limit = 0")  # begun anew, a log is short: its size says what it holds
        database.execute("PRAGMA cache_size = -2000")
        if new:
            database.execute("BEGIN IMMEDIATE")
            database.execute(f"PRAGMA application_id = {APPLICATION}")
            database.execute(f"PRAGMA user_version = {VERSION}")
            for statement in _TABLES:
                database.execute(statement)
            database.execute("COMMIT")
    except BaseException:
        database.close()
        raise
    return database


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a journal that another process may be writing.

    Raises:
        PerpetuumError: there is none, or it cannot be read.
    """
    if not path.is_file():
        raise PerpetuumError(f"there is no journal {path}", "an installation that runs writes one in its state folder")
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0, isolation_level=None)
    except sqlite3.Error as error:
        raise PerpetuumError(f"the journal {path} cannot be opened: {error}") from error
    try:
        _guard(database)
        _check_version(database, path)
    except BREAKS as error:
        database.close()
        raise PerpetuumError(f"the journal {path} cannot be read: {error}") from error
    except BaseException:
        database.close()
        raise
    return database


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _guard(database: sqlite3.Connection) -> None:
    """What lies in a broken or hostile file is never believed."""
    database.text_factory = _text
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")
    database.execute("PRAGMA mmap_size = 0")


def _check_version(database: sqlite3.Connection, path: Path) -> None:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    application = database.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION:
        raise OtherVersionError(f"{path} is no journal of Perpetuum")
    if version != VERSION:
        raise OtherVersionError(
            f"the journal {path} is of version {version}, and this engine writes version {VERSION}",
            "read it with the version of Perpetuum that wrote it",
        )
