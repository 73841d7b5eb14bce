# pyright: strict
"""Some bars of a MIDI file as a pattern or primer of a part."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.assets import is_file
from engine.errors import PerpetuumError
from engine.score import drums
from engine.score.midi.texts import same_text
from engine.score.notation import LONGEST, NotationError
from engine.score.phrase import in_order
from engine.score.piece import Piece
from engine.score.time import STEPS_PER_BEAT, Meter


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is taken of a MIDI file.

    Attributes:
        notes: array [n] of `NOTE`, in beats from the first bar that is taken.
        length: whole bars, in beats.
        shortened: the file has more notes than a pattern may have beats.
    """

    notes: np.ndarray
    length: float
    shortened: bool


def read_excerpt(
    path: Path,
    meter: Meter,
    is_drum: bool,
    track: str | int | None = None,
    bars: tuple[int, int] | None = None,
) -> Excerpt:
    """Take the drums or all other notes of a MIDI file, of all tracks or one, of all bars or some.

    Without `bars` it begins at the bar of the first note. It ends with a bar; less than half a sixteenth that a note
    sounds over the bar line counts as rounding.

    Args:
        path: of the file.
        meter: by which bars are counted, whatever the file says.
        is_drum: take drums (of the nine classes).
        track: name of a track, or its number among those with such notes, counted from 1; None for all.
        bars: first and last bar, counted from 1; None for all.

    Raises:
        NotationError: no such file, track or bars, or there are no notes; its `key` is "midi", "track" or "bars".
    """
    piece = _piece(path)
    notes = _chosen(piece, is_drum, track)
    if is_drum:
        notes = notes[np.isin(notes["pitch"], list(drums.CLASS_OF_PITCH))]
    if not len(notes):
        expected = "drums on channel 10" if is_drum else "notes on a channel other than 10"
        raise NotationError(f"`{path.name}` has no notes for this part", 0, 1 << 30, expected, key="midi")
    bar = meter.beats_per_bar
    first = math.floor(float(notes["start"][0]) / bar + 1e-9) if bars is None else bars[0] - 1
    notes = notes.copy()
    notes["start"] -= first * bar
    notes["end"] -= first * bar
    if bars is not None:
        length = (bars[1] - first) * bar
        notes = notes[(notes["start"] > -1e-9) & (notes["start"] < length - 1e-9)]
        if not len(notes):
            raise NotationError("there are no notes in these bars", 0, 1 << 30, "bars with notes", key="bars")
    else:
        length = max(1, math.ceil((float(notes["end"].max()) - 0.5 / STEPS_PER_BEAT) / bar)) * bar
        length = max(length, (math.floor(float(notes["start"].max()) / bar + 1e-9) + 1) * bar)
    notes["start"] = np.maximum(notes["start"], 0.0)
    whole = math.floor(LONGEST / bar) * bar
    if length > whole:
        return Excerpt(notes[notes["start"] < whole - 1e-9], whole, True)
    return Excerpt(notes, length, False)


def _piece(path: Path) -> Piece:
    if not is_file(path):
        raise NotationError(
            f"no MIDI file `{path.name}`", 0, 1 << 30, "a file; paths begin where the scene lies", key="midi"
        )
    # mido costs 30 ms to import; scenes without MIDI files need not wait for it.
    from engine.score.midi import reading as midi

    try:
        return midi.read_piece(path)
    except PerpetuumError as error:
        message = f"`{path.name}`{error.message.removeprefix(str(path))}"
        raise NotationError(message, 0, 1 << 30, "a Standard MIDI File (.mid)", key="midi") from error


def _chosen(piece: Piece, is_drum: bool, track: str | int | None) -> np.ndarray:
    tracks = [one for one in piece.tracks if one.is_drum == is_drum]
    if track is None:
        return piece.notes(is_drum)
    if isinstance(track, int):
        found = tracks[track - 1 : track] if track > 0 else []
    else:
        found = [one for one in tracks if same_text(one.name, track)]
    if not found:
        names = tuple(dict.fromkeys(one.name for one in tracks if one.name))
        known = ", ".join(f"`{name}`" for name in names[:12])
        numbers = f"a number from 1 to {len(tracks)}" if tracks else "a file with such tracks"
        expected = f"{known} or {numbers}" if known else numbers
        raise NotationError(f"there is no track `{track}`", 0, 1 << 30, expected, str(track), names, key="track")
    return in_order(np.concatenate([one.notes for one in found]))
