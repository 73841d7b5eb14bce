"""Melodies on the grid of sixteenths, alone or over chords."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import floor

import numpy as np

from engine.training.datasets.filters import Filters
from engine.training.datasets.pieces import STEPS_PER_BAR, DatasetPiece
from engine.training.datasets.score import Score, ScorePart, UnusableError

MAX_REST_STEPS = 24
"""A melody that rests longer than this ends; what follows is another piece."""
BASSES = range(32, 40)
"""General MIDI programs that play no melody."""
_KIND_WORDS = {"(minor-major)": "m(maj7)", "(augmented-ninth)": "+9", "(minor-13th)": "m13"}
"""Kinds of chords that scores spell out, as figures."""


def melody_pieces(score: Score, filters: Filters, dropped: Counter[str]) -> Iterator[DatasetPiece]:
    """Melodies as MelodyEvents [T]: vocal lines where some are sung, else what plays one note at a time.

    Raises:
        UnusableError: its bars cannot be trusted, or nothing lies on the grid.
    """
    return _pieces(score, filters, dropped, lead_sheets=False)


def lead_sheet_pieces(score: Score, filters: Filters, dropped: Counter[str]) -> Iterator[DatasetPiece]:
    """As `melody_pieces`, with the chord at each step; only melodies over chords.

    Raises:
        UnusableError: as `melody_pieces`, or there are no chords.
    """
    if not score.chords:
        raise UnusableError("no chord symbols")
    return _pieces(score, filters, dropped, lead_sheets=True)


def _pieces(score: Score, filters: Filters, dropped: Counter[str], lead_sheets: bool) -> Iterator[DatasetPiece]:
    written = not score.is_played
    if written and len(score.signatures) != 1:
        raise UnusableError("several meters" if score.signatures else "no meter")
    meter = 8 if score.signatures == {(2, 4)} else STEPS_PER_BAR
    bars = [4 * bar for bar in score.bars]
    if any(b - a > meter + 1e-6 for a, b in pairwise(bars)):
        raise UnusableError("bars longer than their signature")
    shortest, fewest = filters.shortest(4 if written else 1), 12 if written else 8
    for k, line in enumerate(_lines(score)):
        steps = np.stack([line["start"] * 4, line["end"] * 4, line["pitch"].astype(float)], axis=1)
        if written and len(steps) < 16:
            dropped["fewer than 16 notes"] += 1
            continue
        if filters.is_loose(steps[:, 0], 0.95):
            dropped["off the grid"] += 1
            continue
        runs = list(_bar_runs(bars, meter)) if written else [(0.0, np.inf, 0.0)]
        for j, (begin, end, origin) in enumerate(runs):
            inside = steps[(steps[:, 0] >= begin) & (steps[:, 0] < end)]
            for i, (first, events) in enumerate(melody_events(inside.tolist(), origin)):
                chords = chord_steps(score.chords, origin + first, len(events))
                if lead_sheets and not chords.astype(bool).any():
                    dropped["no chord symbols"] += 1
                elif len(events) < shortest * STEPS_PER_BAR:
                    dropped[f"shorter than {shortest} bars"] += 1
                elif (events >= 0).sum() < fewest:
                    dropped[f"fewer than {fewest} notes"] += 1
                else:
                    yield DatasetPiece(f"#{k}.{j}.{i}", "", "", events, chords if lead_sheets else None, score.qpm)


def _lines(score: Score) -> list[np.ndarray]:
    """Notes of the vocal lines; else of the parts, but basses, that play one note at a time; else of all parts."""
    parts = [part for part in score.parts if not part.is_drum]
    sung = [part for part in parts if part.is_sung]
    if sung:
        return [max(part.voices, key=len) for part in sung]
    if len(parts) == 1:
        return [parts[0].notes]
    alone = [part.notes for part in parts if part.program not in BASSES and _is_monophonic(part)]
    notes = replace(score, parts=tuple(parts)).notes(is_drum=False)
    return alone or ([notes] if len(notes) else [])


def _is_monophonic(part: ScorePart) -> bool:
    """Whether nearly all of its notes begin when the one before has ended, or nearly has."""
    notes = part.notes
    overlaps = notes["start"][1:] < notes["end"][:-1] - 0.125
    return float(overlaps.mean()) < 0.05 if len(overlaps) else False


def melody_events(notes: Sequence[Sequence[float]], origin: float) -> list[tuple[int, np.ndarray]]:
    """Monophonic melodies as MelodyEvents (-2 no event, -1 note off, pitch), each from a bar line to a bar's end.

    Of notes that start together the highest stays; a note ends where the next begins. A rest of more than
    `MAX_REST_STEPS` begins another melody.

    Args:
        notes: (start, end, pitch) in 16ths.
        origin: where a bar line lies, in 16ths.

    Returns:
        For each melody its first step, counted from `origin`, and its events.
    """
    line: list[tuple[int, int, int]] = []
    for start, end, pitch in sorted((n[0], n[1], int(n[2])) for n in notes):
        on, off = floor(start - origin + 0.5), floor(end - origin + 0.5)
        off = max(off, on + 1)
        if line and on <= line[-1][0]:
            if pitch > line[-1][2]:
                line[-1] = (line[-1][0], off, pitch)
            continue
        if line and line[-1][1] > on:
            line[-1] = (line[-1][0], on, line[-1][2])
        line.append((on, off, pitch))
    phrases: list[list[tuple[int, int, int]]] = []
    for note in line:
        if not phrases or note[0] - phrases[-1][-1][1] > MAX_REST_STEPS:
            phrases.append([])
        phrases[-1].append(note)
    return [_melody(phrase) for phrase in phrases]


def _melody(line: list[tuple[int, int, int]]) -> tuple[int, np.ndarray]:
    first = line[0][0] // STEPS_PER_BAR * STEPS_PER_BAR
    steps = -(-(line[-1][1] - first) // STEPS_PER_BAR) * STEPS_PER_BAR
    events = np.full(steps + 1, -2, np.int16)
    for on, off, pitch in line:
        events[off - first] = -1
        events[on - first] = pitch
    return first, events[:steps]


def _bar_runs(bars: list[float], meter: int) -> Iterator[tuple[float, float, float]]:
    """(begin, end, origin) in 16ths of stretches whose bar lines stay on one grid; a pickup belongs to what follows."""
    if len(bars) < 3:
        return
    begin, origin = bars[0], None
    for here, after in pairwise(bars):
        if origin is None:
            if after - here == meter:
                origin = here
        elif (here - origin) % meter and (after - origin) % meter:
            # One line off the grid may split a bar (a repeat before a pickup); a grid that stays broken ends the run.
            yield begin, here, origin
            begin, origin = here, None
    if origin is not None:
        yield begin, bars[-1] + meter, origin


def chord_steps(chords: Sequence[tuple[float, str]], first: float, steps: int) -> np.ndarray:
    """The chord that holds at each step, as a figure [steps]; empty before the first.

    Args:
        chords: (beat, figure). One that is only a bass note leaves the chord as it is.
        first: where the steps begin, in sixteenths.
        steps: how many.
    """
    figures = np.full(steps, "", "U16")
    for beat, figure in chords:
        if figure and (figure[0].isupper() or figure == "N.C."):
            figures[max(0, floor(beat * 4 - first + 0.5)) :] = plain_figure(figure)
    return figures


def plain_figure(figure: str) -> str:
    """A figure in a lead sheet's spelling, of one in ABC's or music21's, which write flats as "-" ("B-7", "D/f+").

    Behind B, E, A, D and G a "-" is a flat; behind C and F, where nobody writes flats, it is a jazz musician's minor.
    """
    root, slash, bass = figure.partition("/")
    root = re.sub(r"^([ABDEG])-", r"\1b", root)
    for words, short in _KIND_WORDS.items():
        root = root.replace(words, short)
    if slash and bass[:1].islower():
        bass = bass.capitalize().replace("+", "#").replace("-", "b")
    return root + slash + bass
