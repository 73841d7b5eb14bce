"""Training of the chorale network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from engine.errors import PerpetuumError
from engine.networks.chorale import encoding
from engine.networks.chorale.encoding import ABSOLUTE, COLUMNS, END, FIELDS, LABELS, OUTCOMES, RANGES, VOICES
from engine.networks.chorale.keras_chorale import ChoraleModel
from engine.networks.chorale.layout import INTERVALS, ChoraleLayout
from engine.training.datasets import Augmentation, augmentation_of
from engine.training.datasets.pieces import DatasetPiece
from engine.training.tasks.batches import drop_fields
from engine.training.tasks.rnn import label_losses
from engine.training.tasks.task import Batch, TrainingOptions

_CONTEXT = 96
"""Tokens that stretches of a held-out piece begin before what they are judged on."""
_FIELDS_DROPPED = 0.3
"""Of `dropout`, that each field of a token is not told in training: 229 chorales are soon known by heart."""


class TokenTable:
    """A piece as what the network is told and asked, token by token.

    Attributes:
        columns: [N, fields] int16.
        places: [N, 5] int16, see `ChoraleModel`.
        labels: [N] int16; the last is the end.
        outcomes: [N] int16.
        shifts: semitones, least and most, by which no voice leaves what it sings in the training split, 0 among them.
    """

    def __init__(self, piece: np.ndarray) -> None:
        stream = encoding.ChoraleStream()
        columns, places, labels = [], [], []
        for pitch in (*encoding.tokens(piece), None):
            columns.append(stream.columns())
            places.append((stream.reference[stream.voice], *stream.now))
            labels.append(END if pitch is None else encoding.label_of(pitch))
            if pitch is not None:
                stream.push(pitch)
        self.columns, self.places = np.array(columns, np.int16), np.array(places, np.int16)
        self.labels = np.array(labels, np.int16)
        self.outcomes = np.array([encoding.outcome_of(a, b[0]) for a, b in zip(labels, places, strict=True)], np.int16)
        down, up = -24, 24
        for voice, (low, high) in zip(piece.T, RANGES, strict=True):
            sung = voice[voice >= 0]
            if len(sung):
                down, up = max(down, low - int(sung.min())), min(up, high - int(sung.max()))
        self.shifts = min(down, 0), max(up, 0)

    def __len__(self) -> int:
        return len(self.labels)


class ChoraleTask:
    """See `engine.training.tasks.task.Task`.

    Args:
        options: see `TrainingOptions`; "layers" are units per GRU, and decide the other sizes.
        train, validation: pieces.
        augmentation: how far pieces are transposed, where the voices' ranges allow; None for what is usual.
    """

    def __init__(
        self,
        options: TrainingOptions,
        train: Sequence[DatasetPiece],
        validation: Sequence[DatasetPiece],
        augmentation: Augmentation | None = None,
    ) -> None:
        self.options = options
        self.augmentation = augmentation or augmentation_of(options.config)
        used = [piece for piece in train if options.source_weights.get(piece.source, 1.0)]
        self.tables = [TokenTable(piece.events) for piece in used]
        self.judged = [TokenTable(piece.events) for piece in validation]
        weights = np.array(
            [
                len(table) * options.source_weights.get(piece.source, 1.0)
                for table, piece in zip(self.tables, used, strict=True)
            ]
        )
        self.edges = np.cumsum(weights / weights.sum())
        if options.steps <= _CONTEXT:
            raise PerpetuumError(
                f"steps: excerpts of {options.steps} notes are too short", f"Take more than {_CONTEXT}."
            )
        layout = layout_of(options.sizes)
        self.model = ChoraleModel(layout, options.dropout, options.seed)
        self.seeds = self.model.dropout_seeds
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
        counts = np.bincount(np.concatenate([table.outcomes for table in self.tables]), minlength=OUTCOMES) + 0.5
        self.model.set_by_name(initial_chorale_weights(layout, counts, np.random.default_rng(options.seed)))

    def batch(self, rng: np.random.Generator) -> Batch:
        """Excerpts from any sixteenth on, or from a beginning, each in a key of its own."""
        rows = []
        for _ in range(self.options.batch_size):
            table = self.tables[int(np.searchsorted(self.edges, rng.random() * self.edges[-1]))]
            last = max(0, len(table) - self.options.steps)
            # Places before the beginning are the beginning, so that it is learnt as often as any other place.
            start = int(np.clip(rng.integers(-self.options.steps // 3, last + 1), 0, last))
            low, high = self.augmentation.transpose
            shift = int(rng.integers(max(low, table.shifts[0]), min(high, table.shifts[1]) + 1))
            rows.append((table, start, 0, shift))
        batch = self._batch(rows)
        share = _FIELDS_DROPPED * self.options.dropout
        if share:
            drop_fields(batch.inputs["columns"], share, rng)
        return batch

    def before(self, step: int) -> None:
        """Nothing moves here."""

    def judge(self) -> dict[str, float]:
        """See `Task.judge`.

        Returns:
            "held_out_loss": mean negative log-likelihood per note in nats, the end of a piece counted as one more;
            "accuracy": share of notes that are the likeliest.
        """
        total = hits = count = 0.0
        for batch in self._held_out_batches():
            logits = np.asarray(self.model.predict_on_batch(batch.inputs))
            total += float((label_losses(logits, batch.labels) * batch.weights).sum())
            hits += float(((logits.argmax(axis=-1) == batch.labels) * batch.weights).sum())
            count += float(batch.weights.sum())
        return {"held_out_loss": total / count, "accuracy": hits / count}

    def _held_out_batches(self) -> Iterator[Batch]:
        steps, size = self.options.steps, self.options.batch_size
        rows = []
        for table in self.judged:
            rows.append((table, 0, 0, 0))
            later = range(steps - _CONTEXT, len(table) - _CONTEXT, steps - _CONTEXT)
            rows.extend((table, start, _CONTEXT, 0) for start in later)
        for k in range(0, len(rows), size):
            part = rows[k : k + size]
            batch = self._batch(part + [part[0]] * (size - len(part)))
            batch.weights[len(part) :] = 0.0
            yield batch

    def _batch(self, rows: Sequence[tuple[TokenTable, int, int, int]]) -> Batch:
        """Excerpts: of which table, from which token on, how many of its tokens do not count, in which key."""
        shape = len(rows), self.options.steps
        columns = np.zeros((*shape, COLUMNS), np.float32)
        places, outcomes = np.full((*shape, 1 + VOICES), -1, np.int32), np.zeros(shape, np.int32)
        labels, weights = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
        for k, (table, start, skipped, shift) in enumerate(rows):
            part = slice(start, start + shape[1])
            count = len(table.labels[part])
            on = transposed(table.columns[part], shift)
            columns[k, np.arange(count)[:, None], on] = 1.0
            found = table.places[part].astype(np.int32)
            places[k, :count] = np.where(found >= 0, found + shift, found)
            found = table.labels[part].astype(np.int32)
            labels[k, :count] = np.where(found < encoding.PITCHES, found + shift, found)
            outcomes[k, :count] = table.outcomes[part]
            weights[k, skipped:count] = 1.0
        return Batch({"columns": columns, "places": places, "outcomes": outcomes}, labels, weights)


def transposed(columns: np.ndarray, shift: int) -> np.ndarray:
    """Columns [N, fields] of the same music so many semitones higher."""
    if not shift:
        return columns
    columns = columns.copy()
    begin = sum(size for _, size in FIELDS[: ABSOLUTE.start])
    wide = FIELDS[ABSOLUTE.start][1]
    starts = (begin + wide * np.arange(VOICES)).astype(columns.dtype)
    found = columns[:, ABSOLUTE]
    columns[:, ABSOLUTE] = np.where(found - starts < encoding.PITCHES, found + np.int16(shift), found)
    return columns


def layout_of(sizes: Mapping[str, Any]) -> ChoraleLayout:
    """The layout of a network whose GRUs have these layers: the embedding is as wide as the first."""
    layers = tuple(int(units) for units in sizes.get("layers", ()))
    if not layers:
        return ChoraleLayout()
    return ChoraleLayout(
        layers, embedding=layers[0], attention=max(4, layers[0] // 8 * 4), dense=max(8, layers[-1] * 3 // 4)
    )


def initial_chorale_weights(
    layout: ChoraleLayout, outcomes: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Weights to begin with: the network knows how often intervals are sung, and nothing else.

    Args:
        layout: of the network.
        outcomes: [outcomes] how often each is, none of them never.
        rng: source of chance.
    """
    weights = {}
    for name, shape in layout.shapes().items():
        if name.endswith("bias") or name == "attention/distance":
            value = np.zeros(shape)
        elif name == "embedding/kernel":
            value = rng.normal(0, 1.4 / np.sqrt(len(FIELDS)), shape)
        elif name.endswith("recurrent"):
            units = shape[0]
            value = np.concatenate([np.linalg.qr(rng.normal(size=(units, units)))[0] for _ in range(3)], axis=1)
        elif name.startswith(("attention/outcome", "attention/nothing")):
            value = rng.normal(0, 0.3, shape)
        elif name == "output/kernel":
            value = rng.normal(0, 0.2 / np.sqrt(shape[0]), shape)
        else:
            value = rng.normal(0, 1 / np.sqrt(shape[0]), shape)
        weights[name] = value
    shares = np.log(outcomes / outcomes.sum())
    weights["output/bias"][LABELS : LABELS + INTERVALS] = shares[:INTERVALS]
    weights["output/bias"][encoding.SILENCE : LABELS] = shares[INTERVALS:]
    return {name: value.astype(np.float32) for name, value in weights.items()}
