"""Drums: bit masks on the grid of sixteenths, and strokes as they were played."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from engine.networks.vae.converters.groove import GrooveConverter
from engine.score.drums import CLASS_OF_PITCH
from engine.training.datasets.filters import Filters
from engine.training.datasets.pieces import STEPS_PER_BAR, DatasetPiece
from engine.training.datasets.score import Score, UnusableError

GHOST_VELOCITY = {1: 40}
"""Snare hits softer than this are ghost notes: a network without velocities would play them as backbeats."""
MIN_VELOCITY = 20
MIN_RUN = 4
"""Bars of the shortest stretch of a song with silences; a loop of its own may be shorter."""
_ROLAND_TOMS = {48: 6, 50: 6, 45: 5, 47: 5, 43: 4, 58: 4}
"""Classes of the rims and heads of the electronic kit that Groove was played on."""


def drum_pieces(score: Score, filters: Filters, dropped: Counter[str]) -> Iterator[DatasetPiece]:
    """Drums as bit masks [T] of the nine classes: stretches without two silent bars in a row.

    What was played on the electronic kit is one piece, and may be looser by a tenth.

    Raises:
        UnusableError: no drums, or not on the grid.
    """
    notes = _drums(score)
    if filters.is_loose(notes["start"] * 4, 0.7 if score.electronic_kit else 0.8):
        raise UnusableError("off the grid")
    events = drum_events(notes, dict(CLASS_OF_PITCH) | (_ROLAND_TOMS if score.electronic_kit else {}))
    if score.electronic_kit:
        if len(events):
            yield DatasetPiece("", "", "", events, qpm=score.qpm)
        return
    sounding = np.any(events.reshape(-1, STEPS_PER_BAR), axis=1)
    for start, end in _runs(sounding, filters, dropped):
        yield DatasetPiece(f"#{start}", "", "", events[start * STEPS_PER_BAR : end * STEPS_PER_BAR], qpm=score.qpm)


def groove_pieces(score: Score, filters: Filters, dropped: Counter[str]) -> Iterator[DatasetPiece]:
    """Drums as they were played: strokes [T, 27], see `GrooveConverter.strokes`; cut as `drum_pieces` does.

    Raises:
        UnusableError: no drums, or not on the grid where that is asked for.
    """
    notes = _drums(score)
    if filters.is_loose(notes["start"] * 4, 0.0):
        raise UnusableError("off the grid")
    steps = -(-int(notes["start"].max() * 4 + 1.5) // STEPS_PER_BAR) * STEPS_PER_BAR
    strokes = GrooveConverter(recorded=score.electronic_kit).strokes(notes, 0.0, steps)
    if score.electronic_kit:
        if strokes.any():
            yield DatasetPiece("", "", "", strokes, qpm=score.qpm)
        return
    sounding = np.any(strokes.reshape(-1, STEPS_PER_BAR * strokes.shape[1]), axis=1)
    for start, end in _runs(sounding, filters, dropped):
        yield DatasetPiece(f"#{start}", "", "", strokes[start * STEPS_PER_BAR : end * STEPS_PER_BAR], qpm=score.qpm)


def drum_events(notes: np.ndarray, classes: Mapping[int, int]) -> np.ndarray:
    """Bit masks [T] int16 of drum classes per sixteenth, up to the end of the last bar with a hit.

    Args:
        notes: array of `NOTE`, in beats.
        classes: drum class of a MIDI pitch.
    """
    hits = []
    for start, _, pitch, velocity in notes.tolist():
        drum = classes.get(pitch)
        if drum is not None and velocity >= GHOST_VELOCITY.get(drum, MIN_VELOCITY):
            hits.append((int(start * 4 + 0.5), drum))
    if not hits:
        return np.zeros(0, np.int16)
    steps = -(-(max(step for step, _ in hits) + 1) // STEPS_PER_BAR) * STEPS_PER_BAR
    events = np.zeros(steps, np.int16)
    for step, drum in hits:
        events[step] |= 1 << drum
    return events


def _drums(score: Score) -> np.ndarray:
    notes = score.notes(is_drum=True)
    if not len(notes):
        raise UnusableError("no drums")
    return notes


def _runs(sounding: np.ndarray, filters: Filters, dropped: Counter[str]) -> Iterator[tuple[int, int]]:
    """First bar and end of the stretches in which no two bars in a row are silent."""
    silent = [*(~sounding).tolist(), True, True]
    found, start = [], 0
    for k in range(len(sounding) + 1):
        if silent[k] and (k == start or silent[k + 1]):
            if k > start:
                found.append((start, k))
            start = k + 1
    shortest = filters.shortest(MIN_RUN if len(found) > 1 else 1)
    for begin, end in found:
        if sounding[begin:end].sum() >= shortest:
            yield begin, end
        else:
            dropped[f"shorter than {shortest} bars"] += 1
