# pyright: strict
"""Whether what a generator, a worker or another machine gave is a phrase that can be played."""

from __future__ import annotations

import numpy as np

from engine.errors import PerpetuumError
from engine.generators.contract import Request
from engine.score.phrase import NOTE, Phrase, check_notes

MOST_NOTES_PER_BEAT = 40
"""More make no sense: nine drums on every sixteenth are 36."""
LONGEST_RING = 64.0
"""Beats that a note may sound on beyond its phrase."""


class UnplayableError(PerpetuumError):
    """What was made cannot be played."""


def validated(phrase: object, request: Request, kind_name: str) -> Phrase:
    """A phrase that can be played, or an error that says why it cannot.

    Raises:
        UnplayableError: not a phrase, of another length, not finite, out of range, or too many notes.
    """

    def refuse(problem: str) -> UnplayableError:
        return UnplayableError(f"part {request.part!r}: {kind_name} made a phrase that {problem}")

    if not isinstance(phrase, Phrase):
        raise refuse(f"is no phrase but {type(phrase).__name__}")
    if not abs(phrase.length - request.beats) < 1e-6:
        raise refuse(f"is {phrase.length:g} beats long instead of {request.beats:g}")
    notes = phrase.notes
    is_array = isinstance(notes, np.ndarray)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not is_array or notes.dtype != NOTE or notes.ndim != 1:
        raise refuse("has notes of another kind than an array of NOTE")
    if len(notes) > MOST_NOTES_PER_BEAT * request.beats:
        raise refuse(f"babbles: {len(notes)} notes in {request.beats:g} beats")
    try:
        check_notes(notes, phrase.length)
    except ValueError as error:
        raise refuse(f"cannot be played: {error}") from error
    if len(notes) and float(notes["end"].max()) > phrase.length + LONGEST_RING:
        raise refuse(f"has a note that sounds on for more than {LONGEST_RING:g} beats after its end")
    return Phrase.of(notes, request.beats, phrase.provenance, phrase.chords)
