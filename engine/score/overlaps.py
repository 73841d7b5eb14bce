# pyright: strict
"""Notes of one pitch that begin while another still sounds: an instrument, and a MIDI file, knows only one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(slots=True)
class Sounding:
    """A note on its way into a file. Times are in ticks.

    Attributes:
        start, end, velocity: as in a file.
        track: index of its track.
        is_old: it stood in the file before, and is changed only where nothing else helps.
        gone: there is no place for it.
    """

    start: int
    end: int
    velocity: int
    track: int
    is_old: bool
    gone: bool = False


def apart(notes: Iterable[Sounding], wait: float) -> None:
    """Change notes of one pitch and channel so that none begins while another sounds, where one of the two is new.

    What sounds first ends where the next begins. A new note waits for the end of an old one if that is near; of notes
    that begin together the longest stays, as loud as the loudest.

    Args:
        notes: in any order; each lasts a tick at least, and afterwards, too.
        wait: ticks that a new note may wait.
    """
    before: list[Sounding] = []
    for note in sorted(notes, key=lambda note: (note.start, not note.is_old, -note.end)):
        before = [one for one in before if one.end >= note.start and not one.gone]
        for one in before:
            if not (note.is_old and one.is_old) and not note.gone:
                _part(one, note, wait)
        if not note.gone:
            before.append(note)


def _part(one: Sounding, note: Sounding, wait: float) -> None:
    """Let a note not begin while one sounds that began with it or before, or has waited to begin."""
    # At one tick another track's beginning may come first in the file.
    gap = int(one.track != note.track)
    late = one.end + gap - note.start
    if late <= 0 or one.gone:
        return
    if one.is_old and late <= wait:
        note.start += late
        note.end = max(note.end, note.start + 1)
    elif one.start >= note.start:
        (one if note.is_old else note).gone = True
        if not one.is_old and not note.is_old:
            one.end, one.velocity = max(one.end, note.end), max(one.velocity, note.velocity)
    elif one.start + 1 + gap <= note.start:
        one.end = note.start - gap
    else:
        # There is no room to end it before.
        (one if note.is_old else note).gone = True


def ended_at_restrikes(notes: np.ndarray, owners: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Notes of which each ends where its pitch is struck again.

    Args:
        notes: array [n] of `NOTE`, sorted by (start, pitch).
        owners: [n] whose each is; none without.

    Returns:
        A new array in the same order, of notes of a pitch that begin together the last one alone; and their owners.
    """
    cut = notes.copy()
    last: dict[int, int] = {}
    kept = np.ones(len(cut), bool)
    for index, (start, pitch) in enumerate(zip(cut["start"].tolist(), cut["pitch"].tolist(), strict=True)):
        before = last.get(pitch)
        if before is not None and cut["end"][before] > start:
            cut["end"][before] = start
            kept[before] = cut["start"][before] < start
        last[pitch] = index
    return cut[kept], kept if owners is None else owners[kept]


def by_pitch(notes: Iterable[tuple[object, Sounding]]) -> list[list[Sounding]]:
    """Notes in groups of one key each: a pitch of a channel."""
    found: dict[object, list[Sounding]] = defaultdict(list)
    for key, note in notes:
        found[key].append(note)
    return list(found.values())
