"""Lines beside what they can hear: basses with drums and what else plays, melodies with chords.

Pieces whose events are [T, 5] on the grid of sixteenths, with the chord at each step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from engine.networks.encodings.melody import NO_EVENT, NOTE_OFF
from engine.networks.ensemble.encoding import BASS, MELODY
from engine.networks.vae.converters import melody
from engine.networks.vae.converters.drums import DrumsConverter
from engine.score.drums import CLASSES
from engine.score.harmony.chords import QUALITIES, Chord
from engine.score.phrase import NOTE
from engine.score.time import STEPS_PER_BEAT
from engine.training.datasets.filters import Filters
from engine.training.datasets.music.melodies import BASSES, lead_sheet_pieces
from engine.training.datasets.pieces import STEPS_PER_BAR, DatasetPiece
from engine.training.datasets.score import Score, ScorePart, UnusableError

LINE, PART, DRUMS, SOUNDING, BEGUN = range(5)
"""Columns of events: MelodyEvents; `BASS` or `MELODY`; bit masks of the nine classes of drums, of the pitch classes
that the other parts sound, and of those that they begin; -1 where there is nothing to hear of that kind."""
MIN_BARS = 4
_EFFECTS = 112
"""General MIDI programs from here on are no instruments."""
_DOUBLED = 0.6
"""Share of a track's notes that begin with the bass, on its pitch class, from which it only doubles it."""
_REST = 2
"""Bars that bass or drums may be silent."""
_LONGEST = 1024
_HALF = 2.0
"""Beats of a half bar, which has a chord of its own."""
_SHAPES = [
    (root, name, [(root + step) % 12 for step in steps]) for root in range(12) for name, steps in QUALITIES.items()
]


def is_ensemble(events: np.ndarray) -> bool:
    """Whether the events of a piece are those of a line beside others."""
    return events.ndim == 2 and events.shape[1] == BEGUN + 1


def ensemble_pieces(score: Score, filters: Filters, dropped: Counter[str]) -> Iterator[DatasetPiece]:
    """Every bass (programs 33 to 40) in 4/4 where it and drums play; and every melody over chord symbols.

    A bass hears the drums, and the notes of all pitched parts but basses and what doubles it; its chords are what those
    sound, one each half bar. A melody hears its chords.

    Raises:
        UnusableError: there is neither, or nothing lies on the grid.
    """
    found, reasons = False, list[UnusableError]()
    for take in (_melodies, _basses):
        try:
            for piece in take(score, filters, dropped):
                found = True
                yield piece
        except UnusableError as reason:
            reasons.append(reason)
    if not found and reasons:
        raise reasons[0 if score.chords else -1]


def _melodies(score: Score, filters: Filters, dropped: Counter[str]) -> Iterator[DatasetPiece]:
    for piece in lead_sheet_pieces(score, filters, dropped):
        yield replace(piece, name=f"{piece.name}.melody", events=beside_chords(piece.events))


def beside_chords(line: np.ndarray) -> np.ndarray:
    """Events [T, 5] of a melody [T] that hears nothing but its chords."""
    events = np.full((len(line), BEGUN + 1), -1, np.int16)
    events[:, LINE], events[:, PART] = line, MELODY
    return events


def _is_bass(part: ScorePart) -> bool:
    return not part.is_drum and part.program in BASSES


def _basses(score: Score, filters: Filters, dropped: Counter[str]) -> Iterator[DatasetPiece]:
    if not any(_is_bass(part) for part in score.parts):
        raise UnusableError("no bass, and no melody over chord symbols")
    if not any(part.is_drum for part in score.parts):
        raise UnusableError("a bass without drums")
    if score.signatures - {(4, 4)}:
        raise UnusableError("a bass in another meter than 4/4")
    starts = np.concatenate([part.notes["start"] for part in score.parts])
    if filters.is_loose(starts * STEPS_PER_BEAT, 0.8):
        raise UnusableError("off the grid")
    drums = [part.notes for part in score.parts if part.is_drum]
    bars = min(-(-max(_end(part.notes) for part in score.parts) // STEPS_PER_BAR), _LONGEST)
    steps, shortest = bars * STEPS_PER_BAR, filters.shortest(MIN_BARS)
    struck = DrumsConverter(bars)
    masks = [struck.roll(notes, 0, steps)[:, : len(CLASSES)] > 0 for notes in drums]
    mask = np.any(masks, axis=0) @ (1 << np.arange(len(CLASSES)))
    drummed = np.any([_plays(notes, bars) for notes in drums], axis=0)
    for number, part in enumerate(score.parts):
        notes = melody.in_range(part.notes)
        if not _is_bass(part) or not len(notes):
            continue
        others = _accompaniment(score.parts, notes)
        columns = [_events(notes, steps), np.full(steps, BASS), mask, *_masks(others, steps)]
        events, chords = np.stack(columns, axis=1).astype(np.int16), _harmony(others, bars)
        edges = np.flatnonzero(np.diff((_plays(notes, bars) & drummed).astype(int), prepend=0, append=0))
        for place, (first, end) in enumerate((edges.reshape(-1, 2) * STEPS_PER_BAR).tolist()):
            if end - first >= shortest * STEPS_PER_BAR:
                yield DatasetPiece(f"#{number}.{place}", "", "", events[first:end], chords[first:end], score.qpm)
            else:
                dropped[f"shorter than {shortest} bars"] += 1


def _accompaniment(parts: Sequence[ScorePart], bass: np.ndarray) -> np.ndarray:
    """The notes of all pitched parts but basses and those that double this bass."""
    own = set(_places(bass))
    found = [np.zeros(0, NOTE)]
    for part in parts:
        sounds = not part.is_drum and not _is_bass(part) and (part.program or 0) < _EFFECTS
        if sounds and len(part.notes) and np.mean([place in own for place in _places(part.notes)]) < _DOUBLED:
            found.append(part.notes)
    return np.concatenate(found)


def _places(notes: np.ndarray) -> list[tuple[int, int]]:
    steps = np.rint(notes["start"] * STEPS_PER_BEAT).astype(int)
    return list(zip(steps.tolist(), (notes["pitch"] % 12).tolist(), strict=True))


def _harmony(notes: np.ndarray, bars: int) -> np.ndarray:
    """The figure [bars * 16] of the chord that explains each half bar, as `recognise` weighs them; empty for none."""
    halves = 2 * bars
    sounding, lowest = np.zeros((halves, 12)), np.full(halves, 999)
    for start, end, pitch in zip(notes["start"].tolist(), notes["end"].tolist(), notes["pitch"].tolist(), strict=True):
        for half in range(int(start // _HALF), min(halves, int(-(-end // _HALF)))):
            length = min(end, (half + 1) * _HALF) - max(start, half * _HALF)
            if length > 0.05:
                sounding[half, pitch % 12] += length
                lowest[half] = min(lowest[half], pitch)
    total = sounding.sum(axis=1)
    shares = sounding / np.maximum(total, 1e-9)[:, None]
    tones, roots = np.zeros((len(_SHAPES), 12)), np.array([root for root, _, _ in _SHAPES])
    for place, (_, _, members) in enumerate(_SHAPES):
        tones[place, members] = 1.0
    absent = ((shares[:, None, :] < 0.02) * tones[None]).sum(axis=2)
    scores = 2 * (shares @ tones.T) - 1 - 0.12 * absent + 0.05 * shares[:, roots]
    scores += 0.08 * ((lowest % 12)[:, None] == roots[None])
    names = [Chord(root, quality).name for root, quality, _ in _SHAPES]
    figures = [names[best] if heard > 0.2 else "" for best, heard in zip(scores.argmax(axis=1), total, strict=True)]
    return np.repeat(np.array(figures, "U16"), STEPS_PER_BAR // 2)


def _masks(notes: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Bit masks [steps] of the pitch classes that sound, and that begin."""
    sounding, begun = np.zeros(steps, np.int16), np.zeros(steps, np.int16)
    starts, ends = (np.rint(notes[edge] * STEPS_PER_BEAT).astype(int) for edge in ("start", "end"))
    for start, end, pitch in zip(starts.tolist(), ends.tolist(), notes["pitch"].tolist(), strict=True):
        sounding[start : max(end, start + 1)] |= 1 << pitch % 12
        begun[start : start + 1] |= 1 << pitch % 12
    return sounding, begun


def _events(notes: np.ndarray, steps: int) -> np.ndarray:
    """MelodyEvents [steps] int16."""
    classes = melody.melody_from(notes, 0.0, steps)
    pitches = classes - melody.FIRST_PITCH + melody.LOWEST
    silent = np.where(classes == melody.HELD, NO_EVENT, NOTE_OFF)
    return np.where(classes >= melody.FIRST_PITCH, pitches, silent).astype(np.int16)


def _end(notes: np.ndarray) -> int:
    """Sixteenths."""
    return max(1, int(np.ceil(float(notes["end"].max()) * STEPS_PER_BEAT - 0.5)))


def _plays(notes: np.ndarray, bars: int) -> np.ndarray:
    """Whether there are notes in each bar, or in one of the two before or after it: [bars] of bool."""
    sounds = np.zeros(bars, bool)
    for start, end in zip((notes["start"] / 4).tolist(), (notes["end"] / 4).tolist(), strict=True):
        sounds[int(start) : int(np.ceil(end - 0.01))] = True
    return np.array([sounds[max(0, bar - _REST) : bar + _REST + 1].any() for bar in range(bars)], bool)
