"""Lines beside what they could hear: basses of Freedoom with drums and harmony, melodies of lead sheets with chords."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.networks.encodings.melody import NO_EVENT, NOTE_OFF
from engine.networks.vae.converters import melody
from engine.networks.vae.converters.drums import DrumsConverter
from engine.score.drums import CLASSES
from engine.score.harmony.chords import QUALITIES, Chord
from engine.score.phrase import NOTE
from engine.score.time import STEPS_PER_BEAT
from engine.training.datasets.build import DatasetSettings, build
from engine.training.datasets.filters import Filters
from engine.training.datasets.kinship import duplicates, split_by_family
from engine.training.datasets.pieces import STEPS_PER_BAR, DatasetPiece, load_pieces, save_pieces
from engine.training.datasets.score import Score, ScorePart
from tests.proofs.corpora import scores_in

SPLITS_OF_SONGS = 0.1, 0.12
"""Shares of the families of songs for validation and test: there are so few songs that 6 % are a matter of luck."""
_BASSES, _EFFECTS = range(32, 40), 112
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


@dataclass(frozen=True, slots=True)
class Line:
    """A line and what it could hear, on the grid of sixteenths.

    Attributes:
        piece: its events [T] are the line, as MelodyEvents; its chords [T] the figures of the harmony.
        drums: [T] bit masks of the nine classes; None where there are none to hear.
        sounding, begun: [T] bit masks of the pitch classes that the other parts sound, and that they begin; None where
            there is nothing but chord symbols.
    """

    piece: DatasetPiece
    drums: np.ndarray | None = None
    sounding: np.ndarray | None = None
    begun: np.ndarray | None = None


def basses(folder: Path, kept: Path) -> list[Line]:
    """Every bass of the songs of Freedoom where it and drums play, in splits by song, versions of a song in one.

    Harmony is what the other pitched tracks sound, a chord each half bar: no bass, and nothing that doubles this one.

    Args:
        folder: of MIDI files.
        kept: file that keeps them, for reading takes a while.
    """
    if not kept.exists():
        save_pieces(kept, _split(list(_basses(folder))))
    return [Line(replace(one, events=one.events[:, 0]), *one.events[:, 1:].T) for one in load_pieces(kept)]


def melodies(folder: Path, kept: Path) -> list[Line]:
    """Melodies of lead sheets with their chords, split by tune as the data set of `chord_pitches_improv` is."""
    if not kept.exists():
        given = [folder / "nottingham" / "nottingham_abc.jsonl.gz", folder / "openewld" / "openewld_pd_strict.jsonl.gz"]
        save_pieces(kept, build(given, DatasetSettings("chord_pitches_improv"), jobs=1).pieces)
    return [Line(piece) for piece in load_pieces(kept)]


def _split(found: list[DatasetPiece]) -> list[DatasetPiece]:
    """The basses that are no duplicates, in their splits; kinship is judged by basses and all other lines."""
    basses = [replace(one, events=one.events[:, 0], chords=None) if one.events.ndim > 1 else one for one in found]
    doubled = duplicates(basses)
    split = split_by_family([one for k, one in enumerate(basses) if k not in doubled], *SPLITS_OF_SONGS)
    kept = [one for k, one in enumerate(found) if k not in doubled]
    return [replace(one, split=other.split) for one, other in zip(kept, split, strict=True) if one.events.ndim > 1]


def _basses(folder: Path) -> Iterator[DatasetPiece]:
    """Pieces whose events [T, 4] are bass and what `Line` says; and other lines [T], which tell versions of songs."""
    for work, score in scores_in(folder):
        for number, part in enumerate(score.parts):
            notes = melody.in_range(part.notes)
            if not part.is_drum and part.program not in _BASSES and len(notes) >= 30:
                steps = -(-_end(notes) // STEPS_PER_BAR) * STEPS_PER_BAR
                yield DatasetPiece(f"{work.name}#line{number}", work.source, "", _events(notes, steps))
        for name, events, chords in _heard_basses(score):
            yield DatasetPiece(f"{work.name}#{name}", work.source, "", events, chords, score.qpm)


def _heard_basses(score: Score) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    starts = np.concatenate([part.notes["start"] for part in score.parts])
    drums = [part.notes for part in score.parts if part.is_drum and len(part.notes)]
    if score.signatures - {(4, 4)} or Filters().is_loose(starts * STEPS_PER_BEAT, 0.8) or not drums:
        return
    bars = min(-(-max(_end(part.notes) for part in score.parts if len(part.notes)) // STEPS_PER_BAR), _LONGEST)
    steps = bars * STEPS_PER_BAR
    struck = DrumsConverter(bars)
    masks = [struck.roll(notes, 0, steps)[:, : len(CLASSES)] > 0 for notes in drums]
    mask = np.any(masks, axis=0) @ (1 << np.arange(len(CLASSES)))
    drummed = np.any([_plays(notes, bars) for notes in drums], axis=0)
    for number, part in enumerate(score.parts):
        notes = melody.in_range(part.notes)
        if part.is_drum or part.program not in _BASSES or not len(notes):
            continue
        others = _accompaniment(score.parts, notes)
        events = np.stack([_events(notes, steps), mask.astype(np.int16), *_masks(others, steps)], axis=1)
        chords = _harmony(others, bars)
        edges = np.flatnonzero(np.diff((_plays(notes, bars) & drummed).astype(int), prepend=0, append=0))
        for place, (first, end) in enumerate((edges.reshape(-1, 2) * STEPS_PER_BAR).tolist()):
            if end - first >= 4 * STEPS_PER_BAR:
                yield f"{number}.{place}", events[first:end], chords[first:end]


def _accompaniment(parts: Sequence[ScorePart], bass: np.ndarray) -> np.ndarray:
    """The notes of all pitched parts but basses and those that double this bass."""
    own = set(_places(bass))
    found = [np.zeros(0, NOTE)]
    for part in parts:
        sounds = not part.is_drum and part.program not in _BASSES and (part.program or 0) < _EFFECTS
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
