"""Melody, bass and drums together for MusicVAE: 90 + 90 + 512 classes a step.

Magenta's encoder hears drums as one of 512 classes; ours, `trio_4bar`, as a roll of nine and a "nothing", in which a
snare is a snare whatever cymbal it falls on.

Source: `TrioConverter` of Magenta's MusicVAE; Roberts et al. (2018), section 4.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from engine.networks.vae.converters import melody
from engine.networks.vae.converters.contract import STEPS_PER_BAR, Slice, one_hot, quantised, whole_windows
from engine.networks.vae.converters.drums import DrumsConverter
from engine.score.phrase import NOTE, ChordSpan
from engine.score.piece import Piece, Track
from engine.score.time import STEPS_PER_BEAT

_BASS_PROGRAM = 33
_GAP_BARS = 2
"""Bars that one of the three may be silent, before and after the bars that it plays in."""
_MOST_BARS = 1024


class TrioConverter:
    """One-hot vectors of the three side by side.

    Args:
        bars: length of an example.
        as_roll: the encoder hears the drums as a roll [10].
    """

    control_size = 0

    def __init__(self, bars: int = 16, as_roll: bool = False) -> None:
        self.steps, self.as_roll = bars * STEPS_PER_BAR, as_roll
        self._drums = DrumsConverter(bars)
        self.output_size = 2 * melody.CLASSES + self._drums.output_size
        self.input_size = 2 * melody.CLASSES + self._drums.input_size if as_roll else self.output_size

    def to_tensors(self, piece: Piece) -> list[Slice]:
        """See `Converter`. Every melody meets every bass and all drums, where all three play."""
        return [
            self.slice_of(classes[start : start + self.steps], first + start / STEPS_PER_BEAT)
            for first, classes in self.together(piece)
            for start in whole_windows(len(classes), self.steps, STEPS_PER_BAR)
        ]

    def together(self, piece: Piece) -> Iterator[tuple[float, np.ndarray]]:
        """Where a melody, a bass and drums play together, for every three tracks of a piece: the beat at which it
        begins, on a bar line, and the classes [T, 3] of the three, T in whole bars."""
        kinds = [self._kind(track) for track in piece.tracks]
        if piece.meter.steps_per_bar != STEPS_PER_BAR or not set(range(3)) <= set(kinds):
            return
        length = max(int(quantised(track.notes)[1].max()) for track in piece.tracks if len(track.notes))
        bars = min(-(-length // STEPS_PER_BAR), _MOST_BARS)
        covered = [_covered(track, bars) for track in piece.tracks]
        encoded = [self._whole(track, kind, bars) for track, kind in zip(piece.tracks, kinds, strict=True)]
        for group in product(*([place for place, kind in enumerate(kinds) if kind == wanted] for wanted in range(3))):
            parts = [encoded[place] for place in group]
            if any(part is None for part in parts):
                continue
            plays = np.all([covered[place] for place in group], axis=0)
            # At the very beginning and end it is enough that one of them plays.
            plays[:_GAP_BARS] = any(covered[place][:_GAP_BARS].any() for place in group)
            plays[-_GAP_BARS:] = any(covered[place][-_GAP_BARS:].any() for place in group)
            classes = np.stack([part for part in parts if part is not None], axis=1)
            edges = np.flatnonzero(np.diff(plays.astype(int), prepend=0, append=0)) * STEPS_PER_BAR
            for first, end in edges.reshape(-1, 2).tolist():
                yield first / STEPS_PER_BEAT, classes[first:end]

    def window(self, piece: Piece, start: float = 0.0, steps: int | None = None) -> Slice:
        """See `Converter`. Melody is the first track with a program below 32 that plays, bass the first from 32 to 39;
        what is missing is silent."""
        steps = steps or self.steps
        lines = []
        for wanted in range(2):
            notes = [track.notes for track in piece.tracks if self._kind(track) == wanted and len(track.notes)]
            found = melody.in_range(notes[0]) if notes else np.zeros(0, NOTE)
            lines.append(melody.melody_from(found, start, steps))
        drums = self._drums.classes(piece, start, steps)
        return self.slice_of(np.stack([*lines, drums], axis=1), start)

    def slice_of(self, classes: np.ndarray, start: float = 0.0) -> Slice:
        """Classes [T, 3] of the three as tensors."""
        lines = [one_hot(classes[:, line], melody.CLASSES) for line in range(2)]
        drums = self._drums.slice_of(classes[:, 2])
        targets = np.concatenate([*lines, drums.targets], axis=1)
        inputs = np.concatenate([*lines, drums.inputs], axis=1) if self.as_roll else targets
        return Slice(inputs, targets, None, start)

    def controls(self, steps: int, chords: Sequence[ChordSpan] = ()) -> np.ndarray | None:
        """None."""
        return None

    def to_tracks(self, outputs: np.ndarray) -> tuple[Track, ...]:
        """Melody, bass and drums."""
        sung, bass, drums = np.split(outputs, [melody.CLASSES, 2 * melody.CLASSES], axis=1)
        return (
            Track(melody.notes_of(sung.argmax(axis=1)), "melody"),
            Track(melody.notes_of(bass.argmax(axis=1)), "bass", _BASS_PROGRAM),
            *self._drums.to_tracks(drums),
        )

    def _kind(self, track: Track) -> int:
        """0 melody, 1 bass, 2 drums, -1 none of them."""
        if track.is_drum:
            return 2
        return 0 if track.program in melody.MELODY_PROGRAMS else 1 if track.program in melody.BASS_PROGRAMS else -1

    def _whole(self, track: Track, kind: int, bars: int) -> np.ndarray | None:
        """Classes [bars * 16] of a whole track; None where it has nothing to say."""
        steps = bars * STEPS_PER_BAR
        if kind == 2:
            drums = self._drums.combined(self._drums.roll(track.notes, 0, steps))
            return drums if drums.any() else None
        notes = melody.in_range(track.notes)
        return melody.melody_from(notes, 0.0, steps) if kind >= 0 and len(notes) else None


def _covered(track: Track, bars: int) -> np.ndarray:
    """Whether a track plays in each bar, or in one of the two before or after it; [bars] of bool."""
    starts, ends = quantised(track.notes)
    plays = np.zeros(bars, bool)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        plays[start // STEPS_PER_BAR : -(-end // STEPS_PER_BAR)] = True
    return np.array([plays[max(0, bar - _GAP_BARS) : bar + _GAP_BARS + 1].any() for bar in range(bars)], bool)
