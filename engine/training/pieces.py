"""A corpus as pieces: event sequences with a source and a split, kept in one file."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.errors import PerpetuumError

SPLITS = ("train", "validation", "test")
STEPS_PER_BAR = 16


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of music.

    Attributes:
        name: where it came from, unique in its source; parts of one work differ only after the last "#".
        source: the data set.
        split: one of `SPLITS`.
        events: drums and melodies: [T] int16 on the grid of sixteenths, from a bar line on. Polyphony: [n] of `NOTE` in
            beats; performances: [n] of `NOTE`, whose starts and ends are in seconds. Grooves: [T, 27], see
            `GrooveConverter.strokes`.
        chords: lead sheets: the figure of the chord at each step, [T] of str, empty for none; else None.
        qpm: quarter notes per minute, where it is known.
    """

    name: str
    source: str
    split: str
    events: np.ndarray
    chords: np.ndarray | None = None
    qpm: float = 120.0


def windows(events: np.ndarray, bars: int = 2) -> set[bytes]:
    """Digests of all windows of whole bars, transposition removed; nearly empty windows are left out.

    What is not one number per sixteenth has none.
    """
    if events.dtype.names or events.ndim > 1:
        return set()
    size = bars * STEPS_PER_BAR
    found = set()
    for start in range(0, len(events) - size + 1, STEPS_PER_BAR):
        window = np.asarray(events[start : start + size], np.int16)
        sounding = window[window >= 0] if (window < 0).any() else window[window > 0]
        if len(sounding) < 6:
            continue
        if (window < 0).any():
            window = np.where(window >= 0, window - sounding[0], window - 1000)
        found.add(hashlib.blake2b(window.tobytes(), digest_size=8).digest())
    return found


def families(pieces: Sequence[Piece], share: float = 0.4) -> list[int]:
    """Group parts of one work, and versions of one tune or song: pieces that share many of their two-bar windows.

    Args:
        pieces: the pieces.
        share: part of the smaller piece's windows that the other must hold.

    Returns:
        A group number per piece. Groups are transitive.
    """
    sets = [windows(piece.events) for piece in pieces]
    holders: dict[bytes, list[int]] = defaultdict(list)
    for k, found in enumerate(sets):
        for digest in found:
            holders[digest].append(k)
    common: dict[tuple[int, int], int] = defaultdict(int)
    for group in holders.values():
        if len(group) <= 40:  # a commonplace, not a sign of kinship
            for i, a in enumerate(group):
                for b in group[i + 1 :]:
                    common[a, b] += 1
    parent = list(range(len(sets)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for (a, b), count in common.items():
        if count >= 2 and count >= share * min(len(sets[a]), len(sets[b])):
            parent[root(a)] = root(b)
    first_of: dict[str, int] = {}
    for k, piece in enumerate(pieces):
        parent[root(first_of.setdefault(f"{piece.source}/{piece.name.rpartition('#')[0] or piece.name}", k))] = root(k)
    return [root(k) for k in range(len(sets))]


def split_by_family(pieces: Sequence[Piece], validation: float = 0.06, test: float = 0.06) -> list[Piece]:
    """Drop exact duplicates, then give each family of related pieces to one split, by a hash of a member's name.

    Pieces whose split is already set (an official split) keep it.
    """
    seen, unique = set(), []
    for piece in pieces:
        digest = hashlib.blake2b(piece.events.tobytes()).digest()
        if digest not in seen:
            seen.add(digest)
            unique.append(piece)
    groups = families(unique)
    result = []
    for piece, group in zip(unique, groups, strict=True):
        if piece.split not in SPLITS:
            first = unique[group]
            key = f"{first.source}/{first.name}"
            digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
            x = int.from_bytes(digest, "big") / 2**64
            piece = replace(piece, split="test" if x < test else "validation" if x < test + validation else "train")
        result.append(piece)
    return result


def save_pieces(path: Path, pieces: Iterable[Piece]) -> None:
    """Write pieces to one compressed .npz file."""
    pieces = list(pieces)
    lengths = np.array([len(piece.events) for piece in pieces], np.int64)
    np.savez_compressed(
        path,
        events=np.concatenate([piece.events for piece in pieces]) if pieces else np.zeros(0, np.int16),
        lengths=lengths,
        names=np.array([piece.name for piece in pieces]),
        sources=np.array([piece.source for piece in pieces]),
        splits=np.array([piece.split for piece in pieces]),
        tempos=np.array([piece.qpm for piece in pieces]),
        chords=np.concatenate([np.zeros(0, "U16"), *(piece.chords for piece in pieces if piece.chords is not None)]),
    )


def load_pieces(path: Path) -> list[Piece]:
    """Read what `save_pieces` wrote.

    Raises:
        PerpetuumError: the file is missing or not such a file.
    """
    try:
        with np.load(path) as data:
            ends = np.cumsum(data["lengths"])[:-1]
            parts = np.split(data["events"], ends)
            known = "chords" in data.files and len(data["chords"])
            chords = np.split(data["chords"], ends) if known else [None] * len(parts)
            tempos = data["tempos"].tolist() if "tempos" in data.files else [120.0] * len(parts)
            columns = zip(data["names"], data["sources"], data["splits"], parts, chords, tempos, strict=True)
            return [Piece(str(name), str(source), str(split), *others) for name, source, split, *others in columns]
    except (OSError, ValueError, KeyError) as error:
        raise PerpetuumError(
            f"{path}: cannot read the prepared pieces ({error})",
            "Make the file anew with `python -m engine.training prepare`.",
        ) from error
