"""What was read of each file, kept while a data set is built, so that a build that was stopped goes on."""

from __future__ import annotations

import io
import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from engine.output_file import output_folder
from engine.training.datasets.pieces import Piece, pieces_from, pieces_to


@dataclass(frozen=True)
class Found:
    """What was found in one work.

    Attributes:
        pieces: named by what comes behind the work's name.
        dropped: how many others were there, by the reason why they were not taken.
        reason: why there are no pieces; empty where there are.
    """

    pieces: list[Piece] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    reason: str = ""


class Cache:
    """Findings by key, in one file; what was put is safe when the process dies right after.

    Args:
        path: of the file, whose folder is made.
    """

    def __init__(self, path: Path) -> None:
        output_folder(path.parent)
        try:
            self._open(path)
        except sqlite3.DatabaseError:
            # Only what can be read again is lost.
            path.unlink()
            self._open(path)

    def _open(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.execute("CREATE TABLE IF NOT EXISTS found (key TEXT PRIMARY KEY, pieces BLOB, about TEXT)")

    def get(self, key: str) -> Found | None:
        """What was found under a key, if it is known."""
        row = self._file.execute("SELECT pieces, about FROM found WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        about = json.loads(row[1])
        pieces = pieces_from(io.BytesIO(row[0])) if row[0] else []
        return Found(pieces, Counter(about["dropped"]), about["reason"])

    def put(self, key: str, found: Found) -> None:
        """Keep what was found."""
        packed = None
        if found.pieces:
            file = io.BytesIO()
            pieces_to(file, found.pieces)
            packed = file.getvalue()
        about = json.dumps({"dropped": found.dropped, "reason": found.reason})
        self._file.execute("INSERT OR REPLACE INTO found VALUES (?, ?, ?)", (key, packed, about))

    def close(self) -> None:
        """Write what is not written yet."""
        self._file.close()
