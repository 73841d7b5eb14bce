# pyright: strict
"""Which notes of a piece a network hears: the track, the voice, the grid, the bars."""

from __future__ import annotations

import re
from enum import StrEnum

import numpy as np

from engine.errors import PerpetuumError
from engine.score.midi.texts import in_short, same_text
from engine.score.phrase import NOTE, moved
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT

_LEAD = re.compile(r"melod|lead|vo[ck]al|voice|solo|sing|theme|\btune\b", re.IGNORECASE)
_TOLD = 20
"""Tracks that a message names."""
_TOGETHER = 1.0 / 16
"""Notes that begin within so many beats of each other are one chord: people do not play chords to the tick."""


class NothingHeard(PerpetuumError):  # noqa: N818
    """A piece has nothing of the kind that is looked for."""


class MelodyVoice(StrEnum):
    """What is left of chords where a network knows one note at a time."""

    SKYLINE = "skyline"  # the top notes: what is mostly heard as the tune (Uitdenbogerd & Zobel 1998)
    LOWEST = "lowest"


def reduce(notes: np.ndarray, voice: MelodyVoice) -> tuple[np.ndarray, int]:
    """One note at a time.

    Of notes that begin together the outer one stays; a note that begins under an outer one which sounds on through
    most of it is accompaniment, and goes; one that still sounds when the next begins ends there.

    Args:
        notes: array [n] of `NOTE`.
        voice: the upper or the lower edge.

    Returns:
        Array [m] of `NOTE` sorted by start, none overlapping; and how many chords were reduced.
    """
    sign = 1 if voice is MelodyVoice.SKYLINE else -1
    ordered = notes[np.lexsort((-sign * notes["pitch"].astype(int), notes["start"]))]
    kept: list[np.void] = []
    chords: set[float] = set()
    for note in ordered:
        before = kept[-1] if kept else None
        if before is None:
            kept.append(note.copy())
            continue
        outer = sign * (int(note["pitch"]) - int(before["pitch"]))
        if note["start"] - before["start"] < _TOGETHER:
            # A key struck twice within a moment is no chord.
            if outer:
                chords.add(float(before["start"]))
            if outer > 0:
                start = before["start"]
                kept[-1] = note.copy()
                kept[-1]["start"] = start
            continue
        if outer < 0 and before["end"] - note["start"] > 0.5 * (note["end"] - note["start"]):
            chords.add(float(before["start"]))
            continue
        before["end"] = min(before["end"], note["start"])
        kept.append(note.copy())
    line = np.zeros(len(kept), NOTE)
    for place, note in enumerate(kept):
        line[place] = note
    return line, len(chords)


def melody_track(piece: Piece, name: str | None = None) -> Track:
    """The track with the tune: the named one; else one that is called so; else of the busy ones the highest.

    A track of nothing but chords counts as an octave lower than its top notes are: high strings are no tune.

    Raises:
        NothingHeard: there are only drums.
        PerpetuumError: there is no such track.
    """
    if name is not None:
        return named_track(piece, name)
    tracks = [track for track in piece.tracks if not track.is_drum and len(track.notes)]
    if not tracks:
        raise NothingHeard(
            "there are no notes but drums" if piece.notes(is_drum=True).size else "there are no notes",
            "give a file with a melody on a channel other than 10",
        )
    called = [track for track in tracks if _LEAD.search(track.name)]
    most = max(_onsets(track) for track in tracks)
    busy = [track for track in called or tracks if 4 * _onsets(track) >= most]
    return max(busy or called, key=_height)


def drum_track(piece: Piece, name: str | None = None) -> Track:
    """The drum track with the most strokes, or the named track (also one that is on no drum channel).

    Raises:
        NothingHeard: there are no drums.
        PerpetuumError: there is no such track.
    """
    if name is not None:
        return named_track(piece, name)
    tracks = [track for track in piece.tracks if track.is_drum and len(track.notes)]
    if not tracks:
        raise NothingHeard(
            "there are no drums", "drums are on channel 10; or name the track that holds them: --track NAME"
        )
    return max(tracks, key=lambda track: len(track.notes))


def named_track(piece: Piece, name: str) -> Track:
    """The track of a name, or of a number counted from 1.

    Raises:
        PerpetuumError: there is none.
    """
    for track in piece.tracks:
        if track.name and same_text(track.name, name):
            return track
    if name.strip().isdecimal() and 1 <= int(name) <= len(piece.tracks):
        return piece.tracks[int(name) - 1]
    known = ", ".join(f"{place} {_called(track)}" for place, track in enumerate(piece.tracks[:_TOLD], 1))
    if len(piece.tracks) > _TOLD:
        known += f" and {len(piece.tracks) - _TOLD} more"
    raise PerpetuumError(
        f"there is no track {in_short(name)!r}", f"there are: {known}" if known else "there are no notes at all"
    )


def from_0(notes: np.ndarray) -> np.ndarray:
    """The notes, those that would begin before 0 later by so much: an early first stroke."""
    return moved(notes, np.maximum(-notes["start"], 0.0))


def _height(track: Track) -> float:
    """How high a track stands among those that could be the tune, in semitones."""
    line, chords = reduce(track.notes, MelodyVoice.SKYLINE)
    return float(np.median(line["pitch"])) - 12.0 * chords / len(line)


def _onsets(track: Track) -> int:
    return len(np.unique(np.round(track.notes["start"] * STEPS_PER_BEAT)))


def _called(track: Track) -> str:
    kind = "drums" if track.is_drum else "notes"
    return f"{in_short(track.name) or 'without a name'} ({len(track.notes)} {kind})"
