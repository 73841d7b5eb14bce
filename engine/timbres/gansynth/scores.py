# pyright: strict
"""The notes of a MIDI file as a GANSynth can play them."""

from __future__ import annotations

import numpy as np

from engine.errors import PerpetuumError
from engine.score.piece import Piece
from engine.timbres.gansynth.clip import TimedNotes
from engine.timbres.gansynth.pitches import PITCHES
from engine.timbres.gansynth.spectra.mel import Doubles

MAX_SECONDS = 3600.0
"""A clip of an hour takes half a gigabyte while it is mixed."""


def timed_notes(piece: Piece, fold: bool = False) -> TimedNotes:
    """The notes of a piece, drums apart, in seconds, by their start.

    Args:
        piece: as it was read.
        fold: pitches that the network does not know are moved by octaves; without it they are left out. What is done
            is said in the remarks.

    Raises:
        PerpetuumError: nothing is left to be played, or it is longer than an hour.
    """
    notes, drums = piece.notes(is_drum=False), piece.notes(is_drum=True)
    remarks = [f"{_counted(len(drums), 'drum note')} left out: GANSynth has pitches alone"] if len(drums) else []
    pitches = notes["pitch"].astype(np.int64)
    outside = (pitches < PITCHES.start) | (pitches >= PITCHES.stop)
    if outside.any():
        names = f"{PITCHES.start} to {PITCHES.stop - 1}, C1 to C6"
        if fold:
            below, above = pitches < PITCHES.start, pitches >= PITCHES.stop
            pitches[below] = PITCHES.start + (pitches[below] - PITCHES.start) % 12
            pitches[above] = PITCHES.stop - 12 + (pitches[above] - PITCHES.stop) % 12
            remarks.append(f"{_counted(int(outside.sum()), 'note')} outside {names}, moved by octaves")
        else:
            remarks.append(
                f"{_counted(int(outside.sum()), 'note')} left out, outside {names}; --fold moves them by octaves"
            )
            notes, pitches = notes[~outside], pitches[~outside]
    if not len(notes):
        why = f" ({'; '.join(remarks)})" if remarks else ""
        raise PerpetuumError(f"there is no note to be played{why}", "give a MIDI file with notes from C1 to C6")
    starts, ends = _seconds(piece, notes["start"]), _seconds(piece, notes["end"])
    if ends.max() > MAX_SECONDS:
        raise PerpetuumError(
            f"the music is {ends.max() / 60:.0f} minutes long, and a clip may have {MAX_SECONDS / 60:.0f}", "cut it"
        )
    return TimedNotes(pitches, notes["velocity"].astype(np.float64), starts, ends, tuple(remarks))


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s are' if count > 1 else ' is'}"


def _seconds(piece: Piece, beats: Doubles) -> Doubles:
    """When beats of a piece sound, by its tempi."""
    tempos = piece.tempos or ((0.0, piece.qpm),)
    changes = np.array([beat for beat, _ in tempos])
    lengths = np.array([60.0 / qpm for _, qpm in tempos])
    moments = np.concatenate([[0.0], np.cumsum(np.diff(changes) * lengths[:-1])])
    places = np.searchsorted(changes, beats, side="right") - 1
    return moments[places] + (beats - changes[places]) * lengths[places]
