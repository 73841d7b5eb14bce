"""How much of some music is found in the training pieces, note for note."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from engine.networks.chorale.notes import to_notes
from engine.networks.encodings import melody
from engine.networks.encodings.grid import nearest_step
from engine.networks.rnn.configs import RnnConfig
from engine.networks.vae.configs import VaeConfig
from engine.score.phrase import in_order
from engine.score.time import STEPS_PER_BEAT
from engine.training.datasets import DatasetPiece
from engine.training.datasets.music.chorales import is_chorale
from engine.training.datasets.music.ensembles import LINE, is_ensemble
from engine.training.datasets.music.trios import is_trio
from engine.training.datasets.pieces import STEPS_PER_BAR
from engine.training.evaluation.samples import Sample, drum_notes, trio_notes

MIN_ONSETS = 3
"""Bars with fewer onsets are everywhere: they are not looked for."""
RUN = 8
"""Intervals of a run, which stands for a bar where there are none."""


class KnownPieces:
    """What the training pieces hold.

    Bars of 4/4 and pairs of them count as equal when their onsets and pitches are, whatever the lengths of the notes;
    all but drums may be transposed. Polyphony has no known bar lines: there, bars may begin on any beat. In
    performances, where no two bars are alike, it is runs of nine notes, in the order in which they begin, whose
    pitches count, transposed or not.

    Args:
        kind: of music, a value of `engine.training.datasets.music.kinds.CORPORA`.
        config: of the network.
        train: pieces.
    """

    def __init__(self, kind: str, config: RnnConfig | VaeConfig, train: Iterable[DatasetPiece]) -> None:
        self.kind = kind
        self._hop = STEPS_PER_BEAT if kind == "polyphony" else STEPS_PER_BAR
        parts = [piece_notes(kind, config, piece) for piece in train]
        self._runs, self._bars = np.zeros(0, np.int64), {1: set[bytes](), 2: set[bytes]()}
        if kind == "performance":
            self._runs = np.unique(np.concatenate([self._runs, *map(_runs, parts)]))
            return
        for bars, found in self._bars.items():
            for notes in parts:
                found.update(self._windows(notes, None, bars, self._hop))

    def shares(self, samples: Sequence[Sample]) -> dict[str, float]:
        """Shares of what is in samples that is in the training pieces, too.

        Returns:
            "bars" and "two_bars"; of performances "runs". 0 where there is nothing to be found.
        """
        if self.kind == "performance":
            runs = np.concatenate([np.zeros(0, np.int64), *(_runs(in_order(sample.notes)) for sample in samples)])
            return {"runs": float(np.isin(runs, self._runs).mean()) if len(runs) else 0.0}
        found = {}
        for name, bars in (("bars", 1), ("two_bars", 2)):
            asked = [
                key for sample in samples for key in self._windows(sample.notes, sample.length, bars, STEPS_PER_BAR)
            ]
            found[name] = sum(key in self._bars[bars] for key in asked) / max(1, len(asked))
        return found

    def _windows(self, notes: np.ndarray, length: float | None, bars: int, hop: int) -> Iterator[bytes]:
        """Keys of windows of so many bars, one every `hop` sixteenths, within a length in beats; None for theirs."""
        if not len(notes):
            return
        steps, pitches = nearest_step(notes["start"] * STEPS_PER_BEAT), notes["pitch"].astype(int)
        order = np.lexsort((pitches, steps))
        steps, pitches = steps[order], pitches[order]
        end = -(-(int(steps[-1]) + 1) // hop) * hop if length is None else round(length * STEPS_PER_BEAT)
        starts = np.arange(0, end - bars * STEPS_PER_BAR + 1, hop)
        edges = np.searchsorted(steps, [starts, starts + bars * STEPS_PER_BAR])
        for start, first, last in zip(starts.tolist(), *edges.tolist(), strict=True):
            if last - first < bars * MIN_ONSETS:
                continue
            inside = pitches[first:last]
            if self.kind != "drums":
                inside = inside - inside[0]
            yield np.concatenate([steps[first:last] - start, inside]).astype(np.int16).tobytes()


def piece_notes(kind: str, config: RnnConfig | VaeConfig, piece: DatasetPiece) -> np.ndarray:
    """The notes of a piece as a network knows them: array of `NOTE`."""
    if is_chorale(piece.events):
        return to_notes(piece.events)
    if is_trio(piece.events):
        return trio_notes(piece.events)
    if is_ensemble(piece.events):
        return melody.to_notes(piece.events[:, LINE].tolist())
    if kind in ("polyphony", "performance"):
        return piece.events
    if kind != "drums":
        return melody.to_notes(piece.events.tolist())
    return drum_notes(config, piece.events)


def _runs(notes: np.ndarray) -> np.ndarray:
    """[n] int64: the intervals of each run of notes."""
    steps = np.diff(notes["pitch"].astype(int)).astype(np.int8)
    if len(steps) < RUN:
        return np.zeros(0, np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(steps, RUN)
    return np.ascontiguousarray(windows).view(np.int64)[:, 0]
