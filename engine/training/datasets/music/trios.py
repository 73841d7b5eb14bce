"""Melody, bass and drums on one grid of sixteenths: pieces whose events are [T, 3]."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from engine.networks.encodings.melody import NO_EVENT, NOTE_OFF
from engine.networks.vae.converters.melody import FIRST_PITCH, LOWEST
from engine.networks.vae.converters.trio import TrioConverter
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT
from engine.training.datasets.filters import Filters
from engine.training.datasets.pieces import STEPS_PER_BAR, DatasetPiece
from engine.training.datasets.score import Score, UnusableError

VOICES = ("melody", "bass", "drums")
MIN_BARS = 4
_NO_PROGRAM = 127
"""General MIDI's gunshot stands for what is neither melody nor bass."""


def trio_pieces(score: Score, filters: Filters, dropped: Counter[str]) -> Iterator[DatasetPiece]:
    """Every melody (programs 1 to 32) with every bass (33 to 40) and drums, where all three play: MelodyEvents of the
    first two and bit masks of the nine classes of drums, [T, 3], as `TrioConverter` cuts them.

    Raises:
        UnusableError: one of the three is missing, or they are not on the grid.
    """
    tracks = tuple(
        Track(part.notes, program=_NO_PROGRAM if part.program is None else part.program, is_drum=part.is_drum)
        for part in score.parts
    )
    if filters.is_loose(np.concatenate([track.notes["start"] for track in tracks]) * STEPS_PER_BEAT, 0.8):
        raise UnusableError("off the grid")
    found, shortest = False, filters.shortest(MIN_BARS)
    for number, (_, classes) in enumerate(TrioConverter().together(Piece(tracks, score.qpm))):
        found = True
        if len(classes) >= shortest * STEPS_PER_BAR:
            yield DatasetPiece(f"#{number}", "", "", trio_events(classes), qpm=score.qpm)
        else:
            dropped[f"shorter than {shortest} bars"] += 1
    if not found:
        raise UnusableError("no melody, bass and drums together")


def trio_events(classes: np.ndarray) -> np.ndarray:
    """Events [T, 3] int16 of the classes [T, 3] of a `TrioConverter`."""
    events = classes.astype(np.int16)
    lines = events[:, :2]
    lines[:] = np.where(lines >= FIRST_PITCH, lines - FIRST_PITCH + LOWEST, np.where(lines == 0, NO_EVENT, NOTE_OFF))
    return events


def is_trio(events: np.ndarray) -> bool:
    """Whether the events of a piece are those of melody, bass and drums."""
    return events.ndim == 2 and events.shape[1] == len(VOICES)
