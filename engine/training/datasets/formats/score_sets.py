"""Scores of known data sets: JSON lines (tpq, bars, parts of voices or one line of notes), and the JSB chorales."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np

from engine.training.datasets.score import Score, ScorePart, UnusableError, checked, note_array

VELOCITY = 100
"""Of all notes, for scores tell none."""


def read_score_line(data: bytes) -> Score:
    """Read one line of a score set.

    Its ticks are `tpq` to the quarter note; "ts" are [tick, numerator, denominator], "keys" [tick, sharps, mode],
    "chords" [tick, figure], "bars" ticks; notes are [start, duration, pitch], in "notes" or in the voices of "parts",
    whose "program" counts from 1 and whose "lyric" says that they are sung.

    Raises:
        UnusableError: it is no such line, or empty.
    """
    try:
        score = json.loads(data)
        beat = score["tpq"]
        if "notes" in score:
            parts = [ScorePart((_voice(score["notes"], beat),))]
        else:
            parts = [
                ScorePart(
                    tuple(_voice(voice["n"], beat) for voice in part["voices"] if voice["n"]),
                    _program(part.get("program")),
                    is_sung=bool(part.get("lyric")),
                )
                for part in score["parts"]
            ]
        return checked(
            Score(
                tuple(part for part in parts if any(len(voice) for voice in part.voices)),
                meters=tuple((tick / beat, top, bottom) for tick, top, bottom in score["ts"]),
                bars=tuple(tick / beat for tick in score["bars"]),
                tempos=tuple((tick / beat, float(qpm)) for tick, qpm in score.get("tempos", ()) if qpm > 0),
                chords=tuple((tick / beat, figure) for tick, figure in score.get("chords", ())),
                keys=tuple((key[0] / beat, int(key[1])) for key in score.get("keys", ())),
            )
        )
    except (ValueError, KeyError, TypeError, IndexError, ZeroDivisionError) as error:
        raise UnusableError("not a line of a score set") from error


def read_chorale(data: bytes) -> Score:
    """Read one chorale: a JSON list of steps of a sixteenth, each the pitches of four voices, -1 for silence.

    Equal pitches in a row are one note.

    Raises:
        UnusableError: it is no such list, or empty.
    """
    try:
        voices = np.array(json.loads(data), int).T
        parts = [ScorePart((note_array(_held(voice)),), is_sung=True) for voice in voices if (voice >= 0).any()]
    except (ValueError, TypeError) as error:
        raise UnusableError("not a chorale") from error
    return checked(Score(tuple(parts)))


def _voice(notes: list[list[Any]], beat: float) -> np.ndarray:
    return note_array([(on / beat, (on + length) / beat, pitch, VELOCITY) for on, length, pitch in notes])


def _held(voice: np.ndarray) -> list[tuple[float, float, int, int]]:
    edges = [0, *(np.flatnonzero(np.diff(voice)) + 1).tolist(), len(voice)]
    return [(a / 4, b / 4, int(voice[a]), VELOCITY) for a, b in pairwise(edges) if voice[a] >= 0]


def _program(counted: Any) -> int | None:
    """General MIDI program from 0 of one that is counted from 1, or of 0 for none; some sets write it as a text."""
    number = int(counted or 0)
    return number - 1 if 1 <= number <= 128 else None
