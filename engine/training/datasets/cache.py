"""What was read of each file, kept while a data set is built, so that a build that was stopped goes on."""

from __future__ import annotations

import io
import json
import sqlite3
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from engine.output_file import output_folder
from engine.training.datasets.pieces import DatasetPiece, pieces_from, pieces_to
from engine.training.datasets.score import LeftOut


@dataclass(frozen=True)
class Found:
    """What was found in one work.

    Attributes:
        pieces: named by what comes behind the work's name.
        dropped: how many others were there, by the reason why they were not taken.
        reason: why there are no pieces; empty where there are.
        place: "line:column" of the reason, if that is known.
        left_out: what was in it and is not in its pieces.
    """

    pieces: list[DatasetPiece] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    reason: str = ""
    place: str = ""
    left_out: tuple[LeftOut, ...] = ()


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
        left_out = tuple(LeftOut(**each) for each in about["left_out"])
        return Found(pieces, Counter(about["dropped"]), about["reason"], about["place"], left_out)

    def put(self, key: str, found: Found) -> None:
        """Keep what was found."""
        packed = None
        if found.pieces:
            file = io.BytesIO()
            pieces_to(file, found.pieces)
            packed = file.getvalue()
        left_out = [asdict(each) for each in found.left_out]
        about = json.dumps(
            {"dropped": found.dropped, "reason": found.reason, "place": found.place, "left_out": left_out}
        )
        self._file.execute("INSERT OR REPLACE INTO found VALUES (?, ?, ?)", (key, packed, about))

    def close(self) -> None:
        """Write what is not written yet."""
        self._file.close()
