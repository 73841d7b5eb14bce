"""Which pieces are the same music, or parts and versions of one work; and splits that keep them together."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.training.datasets.music.chorales import is_chorale
from engine.training.datasets.music.ensembles import BEGUN, LINE, is_ensemble
from engine.training.datasets.music.trios import is_trio
from engine.training.datasets.pieces import SPLITS, STEPS_PER_BAR, DatasetPiece

COMMONPLACE = 40
"""What more pieces than this share is no sign of kinship."""
GRID_KIN, NOTE_KIN = (2, 0.4), (20, 0.1)
"""How many fingerprints two related pieces share at least, and what part of the smaller one's.

Of notes: in 348 performances of two sets, 24 pairs of one composition shared 0.12 to 0.99, all others less than 0.08.
"""
SAME = 0.9
"""Share of the fingerprints of the longer of two pieces; those of one performance in two files have more."""


def fingerprints(piece: DatasetPiece) -> set[bytes]:
    """Digests of short stretches of a piece, transposition removed.

    On a grid: windows of two bars from each bar on, but for nearly empty ones; of grooves, their hits; of chorales,
    the highest voice; of trios, melody and bass, for versions of a song have other drums; of lines beside others, the
    line, and the pitch classes that the others begin. Of notes: see `note_fingerprints`.
    """
    events = piece.events
    if events.dtype.names:
        return note_fingerprints(events)
    if is_trio(events):
        return _grid_fingerprints(events[:, 0]) | _grid_fingerprints(events[:, 1])
    if is_ensemble(events):
        return _grid_fingerprints(events[:, LINE]) | _chroma_fingerprints(events[:, BEGUN])
    if is_chorale(events):
        events = _begun(events[:, 0])
    elif events.ndim > 1:
        hits = events[:, : events.shape[1] // 3] > 0
        events = hits @ (1 << np.arange(hits.shape[1]))
    return _grid_fingerprints(events)


def _grid_fingerprints(events: np.ndarray) -> set[bytes]:
    """See `fingerprints`: of events [T]."""
    size, found = 2 * STEPS_PER_BAR, set[bytes]()
    for start in range(0, len(events) - size + 1, STEPS_PER_BAR):
        window = np.asarray(events[start : start + size], np.int16)
        sounding = window[window >= 0] if (window < 0).any() else window[window > 0]
        if len(sounding) < 6:
            continue
        if (window < 0).any():
            window = np.where(window >= 0, window - sounding[0], window - 1000)
        found.add(_digest(window.tobytes()))
    return found


def _chroma_fingerprints(masks: np.ndarray) -> set[bytes]:
    """See `fingerprints`: of bit masks [T] of pitch classes, transposed to where they come first in order."""
    size, found = 2 * STEPS_PER_BAR, set[bytes]()
    for start in range(0, len(masks) - size + 1, STEPS_PER_BAR):
        window = np.maximum(masks[start : start + size].astype(np.int16), 0)
        if np.count_nonzero(window) >= 6 and len(np.unique(window)) >= 4:
            keys = [((window << shift | window >> (12 - shift)) & 0xFFF).tobytes() for shift in range(12)]
            found.add(_digest(b"others" + min(keys)))
    return found


def note_fingerprints(notes: np.ndarray, size: int = 8) -> set[bytes]:
    """How the highest notes of so many onsets in a row move, in semitones; neither tempo nor key matters.

    Args:
        notes: array of `NOTE`; what begins within 0.04 (beats or seconds) begins together.
        size: onsets.
    """
    together = np.diff(notes["start"]) <= 0.04
    tops = np.maximum.reduceat(notes["pitch"], np.flatnonzero(np.concatenate([[True], ~together])))
    if len(tops) < size:
        return set()
    moves = sliding_window_view(np.diff(tops).astype(np.int8), size - 1)
    kinds = (np.diff(np.sort(moves, axis=1), axis=1) != 0).sum(axis=1) + 1
    return {move.tobytes() for move in moves[kinds >= 4]}  # a trill or a scale is nobody's own


def families(pieces: Sequence[DatasetPiece]) -> list[int]:
    """Group parts of one work, versions of one tune or song, and performances of one composition: pieces that share
    many of their fingerprints.

    Args:
        pieces: the pieces; those whose names differ only behind the last "#" are parts of one work.

    Returns:
        A group number per piece. Groups are transitive.
    """
    sets = [fingerprints(piece) for piece in pieces]
    parent = list(range(len(sets)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for (a, b), count in _common(sets).items():
        fewest, share = NOTE_KIN if pieces[a].events.dtype.names else GRID_KIN
        if count >= fewest and count >= share * min(len(sets[a]), len(sets[b])):
            parent[root(a)] = root(b)
    first_of: dict[tuple[str, str], int] = {}
    for k, piece in enumerate(pieces):
        parent[root(first_of.setdefault(piece.work, k))] = root(k)
    return [root(k) for k in range(len(sets))]


def duplicates(pieces: Sequence[DatasetPiece]) -> set[int]:
    """Places of pieces that are the same music as one before them, in whatever key.

    On a grid that is every event. Notes off a grid are rounded by files: nearly all their fingerprints are the same.
    """
    first_of: dict[bytes, int] = {}
    found = {k for k, piece in enumerate(pieces) if first_of.setdefault(_keyless(piece.events), k) != k}
    notes = [k for k, piece in enumerate(pieces) if piece.events.dtype.names and k not in found]
    sets = [fingerprints(pieces[k]) for k in notes]
    for (a, b), count in _common(sets).items():
        if count >= 20 and count >= SAME * max(len(sets[a]), len(sets[b])):
            found.add(notes[b])
    return found


def split_by_family(
    pieces: Sequence[DatasetPiece], validation: float = 0.06, test: float = 0.06, seed: int = 0
) -> list[DatasetPiece]:
    """Give each family of related pieces to one split, by a hash of the name of a member.

    Pieces whose split is already set (an official split) keep it, and their relatives follow them. Where there are
    families enough, each split has one.

    Args:
        pieces: without duplicates.
        validation, test: shares of the families.
        seed: another one gives other splits.
    """
    groups = families(pieces)
    official: dict[int, str] = {}
    for piece, group in zip(pieces, groups, strict=True):
        if piece.split in SPLITS:
            official[group] = max(official.get(group, ""), piece.split, key=("", *SPLITS).index)
    chances = {group: _chance(pieces[group], seed) for group in groups if group not in official}
    shares = {"test": test, "validation": validation}
    drawn = {
        group: "test" if x < test else "validation" if x < test + validation else "train"
        for group, x in chances.items()
    }
    wanted = [name for name in ("validation", "test") if shares[name] > 0 and name not in official.values()]
    if not {"train", *wanted} <= {*official.values(), *drawn.values()}:
        # Of few pieces, chance may hold out none, or all: then it is those that it came nearest to holding out.
        order = sorted(drawn, key=lambda group: chances[group])
        kept = len(order) if "train" in official.values() else len(order) - 1
        drawn = dict.fromkeys(order, "train") | dict(zip(order[:kept], wanted, strict=False))
    splits = drawn | official
    return [
        piece if piece.split in SPLITS else replace(piece, split=splits[group])
        for piece, group in zip(pieces, groups, strict=True)
    ]


def _chance(piece: DatasetPiece, seed: int) -> float:
    """0..1, by a hash of the piece's name."""
    key = f"{piece.source}/{piece.name}" + (f"/{seed}" if seed else "")
    return int.from_bytes(_digest(key.encode()), "big") / 2**64


def _common(sets: Sequence[set[bytes]]) -> Mapping[tuple[int, int], int]:
    """How many fingerprints two pieces share, by their places; pairs in a fixed order."""
    holders: dict[bytes, list[int]] = defaultdict(list)
    for k, found in enumerate(sets):
        for digest in found:
            holders[digest].append(k)
    common: dict[tuple[int, int], int] = defaultdict(int)
    for group in holders.values():
        if len(group) <= COMMONPLACE:
            for i, a in enumerate(group):
                for b in group[i + 1 :]:
                    common[a, b] += 1
    return dict(sorted(common.items()))


def _keyless(events: np.ndarray) -> bytes:
    """Digest of all events, where melodies and voices begin at one pitch."""
    if events.dtype.names:
        places = np.round(np.stack([events["start"], events["end"]]) * 96) - np.floor(events["start"].min()) * 96
        return _digest(places.tobytes() + (events["pitch"] - events["pitch"][0]).tobytes())
    if is_ensemble(events):
        # Other parts do not tell: the same bass over the same drums is the same to learn from.
        events = events[:, LINE]
    if is_chorale(events):
        events = np.where(events >= 0, events - events.max(), events)
    if is_trio(events):
        lines = events[:, :2]
        lines = np.where(lines >= 0, lines - lines.max(), lines - 1000)
        events = np.concatenate([lines, events[:, 2:]], axis=1)
    if events.ndim == 1 and (events < 0).any() and (events >= 0).any():
        events = np.where(events >= 0, events - events[events >= 0][0], events - 1000)
    return _digest(np.ascontiguousarray(events).tobytes())


def _begun(voice: np.ndarray) -> np.ndarray:
    """A voice as a melody: -2 where its note goes on, so that what is long is no commonplace."""
    return np.where(np.diff(voice, prepend=-1) == 0, -2, voice).astype(np.int16)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=8).digest()
