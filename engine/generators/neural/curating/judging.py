"""Whether what a network made can be played, and how doubtful it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.generators.contract import Request
from engine.score.drums import CLASSES, PITCHES
from engine.score.time import STEPS_PER_BEAT

Judge = Callable[[np.ndarray, Request], tuple[str, float]]
"""What is wrong with some notes (empty if they can be played), and how doubtful they are (0 if not at all)."""

_STILL = 1.75
"""Bars without a new note after which music stands still: a network that has held one for long would hold it on."""

_CRASH = PITCHES[CLASSES.index("crash")]
_FILL_PITCHES = [PITCHES[CLASSES.index(name)] for name in ("low_tom", "mid_tom", "high_tom", "crash")]


def judged_drums(notes: np.ndarray, request: Request) -> tuple[str, float]:
    """Drums sound, leave room, and keep a groove."""
    steps = request.beats * STEPS_PER_BEAT
    if not len(notes):
        return "silence", 0.0
    if len(notes) > 3.2 * steps:
        return f"noise ({len(notes)} strokes in {steps:g} steps)", 0.0
    # A fill is a bar long; when toms and crashes take over a phrase, the network has lost the groove in its own echo.
    fills = float(np.isin(notes["pitch"], _FILL_PITCHES).mean())
    # A crash marks a beginning; one a bar marks nothing.
    crashes = float((notes["pitch"] == _CRASH).sum()) / request.bars
    return "", (fills if fills > 0.3 else 0.0) + (crashes if crashes > 0.5 and request.bars > 1 else 0.0)


def judged_drums_of_a_way(notes: np.ndarray, request: Request) -> tuple[str, float]:
    """Drums as a place on a way through a latent space has them: as `judged_drums`, and in three bars of four. There is
    always another place; and what stops after a bar would come back with its theme."""
    problem, doubt = judged_drums(notes, request)
    struck = len(set((notes["start"] // request.meter.beats_per_bar).astype(int).tolist()))
    if not problem and 4 * struck < 3 * request.bars:
        problem = f"strokes in {struck} of {request.bars} bars"
    return problem, doubt


def judged_melody(notes: np.ndarray, request: Request) -> tuple[str, float]:
    """A melody sings, moves and breathes."""
    if not len(notes):
        return ("" if _may_rest(request) else "silence"), 0.0
    if len(notes) > 3.3 * request.beats:
        return f"babble ({len(notes)} notes in {request.beats:g} beats)", 0.0
    longest = _longest_run(notes["pitch"])
    if longest >= 30 or (len(notes) >= 12 and longest > 0.8 * len(notes)):
        return f"one note {longest} times", 0.0
    # Sixteenths without end are no song; nor is a phrase that knows one pitch.
    density = len(notes) / request.beats
    sameness = float(np.bincount(notes["pitch"].astype(int)).max()) / len(notes)
    doubt = max(0.0, density - 2.2) + (max(0.0, sameness - 0.6) if len(notes) >= 6 else 0.0)
    return "", doubt + max(0.0, _longest_wait(notes, request) - _STILL)


def judged_bass(notes: np.ndarray, request: Request) -> tuple[str, float]:
    """A bass sounds and moves in time; it may stay on one pitch as long as a chord does."""
    if not len(notes):
        return ("" if _may_rest(request) else "silence"), 0.0
    if len(notes) > 4.1 * request.beats:
        return f"babble ({len(notes)} notes in {request.beats:g} beats)", 0.0
    doubt = max(0.0, len(notes) / request.beats - 3.0)
    return "", doubt + max(0.0, _longest_wait(notes, request) - _STILL)


def judged_voices(notes: np.ndarray, request: Request) -> tuple[str, float]:
    """Several voices sound most of the time, move, and are neither a cluster nor a hammer."""
    if not len(notes):
        return ("" if _may_rest(request) else "silence"), 0.0
    if len(notes) > 16 * request.beats:
        return f"babble ({len(notes)} notes in {request.beats:g} beats)", 0.0
    longest = _longest_run(notes["pitch"])
    if longest >= 40 or (len(notes) >= 16 and longest > 0.8 * len(notes)):
        return f"one note {longest} times", 0.0
    bar = request.meter.beats_per_bar
    silent = sum(
        not np.any((notes["start"] < start + bar) & (notes["end"] > start)) for start in np.arange(request.bars) * bar
    )
    doubt = max(0.0, len(notes) / request.beats - 8.0) + max(0.0, silent / request.bars - 0.3)
    return "", doubt + max(0.0, _longest_wait(notes, request) - _STILL)


def _may_rest(request: Request) -> bool:
    """Whether a phrase may be silent: one silent bar is a rest; more, in one phrase or one phrase after another, is a
    hole."""
    past = request.history
    if request.bars > 1 or past is None:
        return False
    return bool(np.any(past.notes["end"] > past.length - request.meter.beats_per_bar))


def _longest_wait(notes: np.ndarray, request: Request) -> float:
    """The longest time without a new note, in bars."""
    moments = np.concatenate([[0.0], np.sort(notes["start"]), [request.beats]])
    return float(np.diff(moments).max()) / request.meter.beats_per_bar


def _longest_run(pitches: np.ndarray) -> int:
    changes = np.flatnonzero(np.diff(pitches)) + 1
    return int(np.diff(np.concatenate([[0], changes, [len(pitches)]])).max())
