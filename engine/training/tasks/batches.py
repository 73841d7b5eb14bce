"""Batches for training and evaluation: excerpts, encoded and padded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from engine.networks.contract import EventEncoding
from engine.networks.encodings.whole import encode
from engine.training.datasets.pieces import DatasetPiece
from engine.training.material import Material, TrainingExcerpt
from engine.training.tasks.task import Batch


def encoded(encoding: EventEncoding, excerpt: TrainingExcerpt) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [T, input_size] and the labels [T, ...] that each of them is to predict."""
    inputs, labels = encode(encoding, excerpt.events.tolist(), from_start=True, conditions=excerpt.conditions)
    return (inputs[:-1], labels) if excerpt.from_start else (inputs[1:-1], labels[1:])


def pad(rows: Sequence[tuple[np.ndarray, np.ndarray]], steps: int) -> Batch:
    """Stack encoded sequences, each of at most `steps` rows."""
    size = len(rows), steps
    inputs = np.zeros((*size, rows[0][0].shape[-1]), np.float32)
    labels, weights = np.zeros((*size, *rows[0][1].shape[1:]), np.int32), np.zeros(size, np.float32)
    for k, (x, y) in enumerate(rows):
        inputs[k, : len(y)] = x
        labels[k, : len(y)] = y
        weights[k, : len(y)] = 1.0
    return Batch(inputs, labels, weights)


class Crops:
    """Random excerpts of pieces, which are drawn by length and by a weight per source; deterministic in the generator.

    Args:
        pieces: pieces of one split.
        material: makes excerpts of them.
        encoding: of the network.
        source_weights: factors on the weight of sources, 1 where absent.
    """

    def __init__(
        self,
        pieces: Sequence[DatasetPiece],
        material: Material,
        encoding: EventEncoding,
        source_weights: Mapping[str, float],
    ) -> None:
        self.pieces, self.material, self.encoding = pieces, material, encoding
        weights = np.array([len(piece.events) * source_weights.get(piece.source, 1.0) for piece in pieces])
        self.probabilities = weights / weights.sum()

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """A batch of `size` excerpts."""
        chosen = rng.choice(len(self.pieces), size, p=self.probabilities)
        rows = [encoded(self.encoding, self.material.draw(self.pieces[k], rng)) for k in chosen]
        return pad(rows, self.material.longest)


def drop_fields(columns: np.ndarray, share: float, rng: np.random.Generator) -> None:
    """Switch a share of what is on in columns off, and what is left up as much: of little music a network soon knows by
    heart what goes with what."""
    on = np.flatnonzero(columns)
    columns.reshape(-1)[on] *= (rng.random(len(on), np.float32) >= share) / np.float32(1.0 - share)


def held_out(pieces: Sequence[DatasetPiece], material: Material) -> list[TrainingExcerpt]:
    """Whole pieces in stretches, to be judged on."""
    return [excerpt for piece in pieces for excerpt in material.cut(piece)]


def held_out_batches(
    excerpts: Sequence[TrainingExcerpt], encoding: EventEncoding, steps: int, size: int
) -> Iterator[Batch]:
    """Batches of excerpts as `held_out` gives them.

    The last batch is filled up with sequences of weight 0, so that all have one shape.
    """
    for k in range(0, len(excerpts), size):
        rows = [encoded(encoding, excerpt) for excerpt in excerpts[k : k + size]]
        rows += [(rows[0][0][:0], rows[0][1][:0])] * (size - len(rows))
        yield pad(rows, steps)
