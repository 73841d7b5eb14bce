# pyright: strict
"""Between the pitches of four voices on a grid and notes in beats."""

from __future__ import annotations

import numpy as np

from engine.networks.chorale.encoding import SILENT, VOICES
from engine.score.phrase import NOTE, in_order
from engine.score.time import STEPS_PER_BEAT

VELOCITY = 80


def to_notes(piece: np.ndarray, velocities: np.ndarray | None = None) -> np.ndarray:
    """All notes of a piece, sorted by (start, pitch).

    Args:
        piece: [T, voices] pitches, below 0 for silence; equal ones in a row are one note.
        velocities: [T, voices] 1..127, of which a note has the first; `VELOCITY` without.

    Returns:
        Array of `NOTE` in beats. A pitch that two voices sing at once is there twice.
    """
    return in_order(np.concatenate([voice_notes(piece, voice, velocities) for voice in range(piece.shape[1])]))


def voice_notes(piece: np.ndarray, voice: int, velocities: np.ndarray | None = None) -> np.ndarray:
    """The notes of one voice; else as `to_notes`."""
    line = piece[:, voice]
    starts = np.flatnonzero(np.diff(line, prepend=SILENT - 1))
    ends = np.append(starts[1:], len(line))
    sounding = line[starts] >= 0
    notes = np.zeros(int(sounding.sum()), NOTE)
    notes["start"], notes["end"] = starts[sounding] / STEPS_PER_BEAT, ends[sounding] / STEPS_PER_BEAT
    notes["pitch"] = line[starts[sounding]]
    notes["velocity"] = VELOCITY if velocities is None else velocities[starts[sounding], voice]
    return notes


def line_of(notes: np.ndarray, steps: int) -> np.ndarray:
    """A melody on the grid: [steps] int64, of notes at once the highest, `SILENT` where none sounds.

    Args:
        notes: array of `NOTE` in beats, of which what is off the grid moves to the nearest sixteenth.
        steps: sixteenths.
    """
    line = np.full(steps, SILENT, np.int64)
    edges = np.rint(np.stack([notes["start"], notes["end"]]) * STEPS_PER_BEAT).astype(int)
    order = np.lexsort((notes["pitch"], edges[0])) if len(notes) else np.zeros(0, int)
    for place in order.tolist():
        start, end = int(edges[0, place]), int(edges[1, place])
        line[max(0, start) : max(end, start + 1)] = int(notes["pitch"][place])
    return line


def voices_of(notes: np.ndarray, steps: int) -> np.ndarray:
    """Four voices [steps, 4] out of what sounds, told apart by height: the highest note, the lowest, and between them
    the two next to the outer ones; fewer notes are sung by the outer voices first, and nobody is silent while others
    sing: who has no note of his own doubles his neighbour below.

    Args:
        notes: array of `NOTE` in beats.
        steps: sixteenths.
    """
    piece = np.full((steps, VOICES), SILENT, np.int64)
    edges = np.rint(np.stack([notes["start"], notes["end"]]) * STEPS_PER_BEAT).astype(int)
    for step in range(steps):
        on = np.flatnonzero((edges[0] <= step) & (np.maximum(edges[1], edges[0] + 1) > step))
        pitches = sorted(notes["pitch"][on].tolist(), reverse=True)
        if not pitches:
            continue
        inner = pitches[1:-1] or [pitches[-1]]
        piece[step] = pitches[0], inner[0], inner[-1], pitches[-1]
    return piece
