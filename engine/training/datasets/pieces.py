"""A corpus as pieces: event sequences with a source and a split, kept in one file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zipfile import BadZipFile

import numpy as np

from engine.errors import PerpetuumError
from engine.output_file import OutputFile

SPLITS = ("train", "validation", "test")
STEPS_PER_BAR = 16


@dataclass(frozen=True, slots=True)
class DatasetPiece:
    """One piece of music.

    Attributes:
        name: where it came from, unique in its source; parts of one work differ only after the last "#".
        source: the data set.
        split: one of `SPLITS`.
        events: drums and melodies: [T] int16 on the grid of sixteenths, from a bar line on. Polyphony: [n] of `NOTE` in
            beats; performances: [n] of `NOTE`, whose starts and ends are in seconds. Grooves: [T, 27], see
            `GrooveConverter.strokes`. Chorales: [T, 4] int16, the pitches of the voices on the grid, -1 for silence.
        chords: lead sheets: the figure of the chord at each step, [T] of str, empty for none; else None.
        qpm: quarter notes per minute, where it is known.
    """

    name: str
    source: str
    split: str
    events: np.ndarray
    chords: np.ndarray | None = None
    qpm: float = 120.0

    @property
    def work(self) -> tuple[str, str]:
        """Source and name of the work that it is a part of."""
        return self.source, self.name.rpartition("#")[0] or self.name


def save_pieces(path: Path, pieces: Iterable[DatasetPiece]) -> None:
    """Write pieces to one compressed .npz file, whole or not at all; the same pieces are the same bytes."""
    with OutputFile(path) as output:
        pieces_to(output.file, pieces)


def load_pieces(path: Path) -> list[DatasetPiece]:
    """Read what `save_pieces` wrote.

    Raises:
        PerpetuumError: the file is missing or not such a file.
    """
    try:
        with path.open("rb") as file:
            return pieces_from(file)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise PerpetuumError(
            f"{path}: cannot read the prepared pieces ({error})", "Make it anew with `perpetuum dataset build`."
        ) from error


def pieces_to(file: IO[bytes], pieces: Iterable[DatasetPiece]) -> None:
    """Write pieces as one compressed .npz."""
    pieces = list(pieces)
    np.savez_compressed(
        file,
        events=np.concatenate([piece.events for piece in pieces]) if pieces else np.zeros(0, np.int16),
        lengths=np.array([len(piece.events) for piece in pieces], np.int64),
        names=np.array([piece.name for piece in pieces]),
        sources=np.array([piece.source for piece in pieces]),
        splits=np.array([piece.split for piece in pieces]),
        tempos=np.array([piece.qpm for piece in pieces]),
        chords=np.concatenate([np.zeros(0, "U16"), *(piece.chords for piece in pieces if piece.chords is not None)]),
    )


def pieces_from(file: IO[bytes]) -> list[DatasetPiece]:
    """Read what `pieces_to` wrote.

    Raises:
        OSError, ValueError, KeyError, EOFError, BadZipFile: it is no such file.
    """
    with np.load(file) as data:
        ends = np.cumsum(data["lengths"])[:-1]
        parts = np.split(data["events"], ends) if len(data["lengths"]) else []
        known = "chords" in data.files and len(data["chords"])
        chords = np.split(data["chords"], ends) if known else [None] * len(parts)
        tempos = data["tempos"].tolist() if "tempos" in data.files else [120.0] * len(parts)
        columns = zip(data["names"], data["sources"], data["splits"], parts, chords, tempos, strict=True)
        return [DatasetPiece(str(name), str(source), str(split), *others) for name, source, split, *others in columns]
