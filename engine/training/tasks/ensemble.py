"""Training of the ensemble network: lines that hear by chance more or less of what plays beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.ensemble.configs import ENSEMBLE
from engine.networks.ensemble.encoding import BASS, MELODY
from engine.networks.ensemble.keras_ensemble import EnsembleModel, loss
from engine.networks.ensemble.network import EnsembleNetwork
from engine.training.amount import nothing_to_judge
from engine.training.datasets import Augmentation, augmentation_of
from engine.training.datasets.pieces import STEPS_PER_BAR, DatasetPiece
from engine.training.lines import ALL, NOTHING_TOLD, HeardStretch, LineTable, ToldParts, judge_each, stacked, together
from engine.training.tasks.batches import drop_fields
from engine.training.tasks.task import Batch, TrainingOptions

_MELODIES = 0.4
"""Share of the excerpts of a batch, where there are both."""
_EVERYTHING, _SOMETHING = 0.5, 0.3
"""How often an excerpt is told all, and each by chance; else it is told nothing."""
_FIELDS_DROPPED = 0.4
"""Of `dropout`, what is on in a sixteenth's columns that the network is not told in training."""
_PARTS = {BASS: "bass", MELODY: "melody"}


class EnsembleTask:
    """See `engine.training.tasks.task.Task`.

    Args:
        options: see `TrainingOptions`; "layers" has one number, the units of the GRU, and decides the other sizes.
        train, validation: pieces.
        augmentation: how far pieces are transposed; None for what is usual.
        hears: whether it is told of other parts at all, in training and when it is judged.

    Raises:
        PerpetuumError: more layers than one, or nothing that is held out is as long as two bars.
    """

    def __init__(
        self,
        options: TrainingOptions,
        train: Sequence[DatasetPiece],
        validation: Sequence[DatasetPiece],
        augmentation: Augmentation | None = None,
        hears: bool = True,
    ) -> None:
        self.options, self.hears = options, hears
        self.augmentation = augmentation or augmentation_of(options.config)
        used = [piece for piece in train if options.source_weights.get(piece.source, 1.0)]
        self.tables = [LineTable(piece) for piece in used]
        self.judged = [table for piece in validation if len(table := LineTable(piece)) >= 2 * STEPS_PER_BAR]
        if not self.judged:
            raise nothing_to_judge("validation")
        weights = [
            len(table) * options.source_weights.get(piece.source, 1.0)
            for table, piece in zip(self.tables, used, strict=True)
        ]
        self.shares = [
            np.array([weight * (table.part == part) for table, weight in zip(self.tables, weights, strict=True)], float)
            for part in _PARTS
        ]
        self.model = EnsembleModel(*sizes_of(options.sizes), options.dropout, options.seed)
        self.seeds, self.loss = self.model.dropout_seeds, loss

    def batch(self, rng: np.random.Generator) -> Batch:
        """Excerpts of basses and melodies, from any bar on, each in a key of its own; a source that is drawn more often
        is so among lines of its part."""
        found = [self._drawn(rng) for _ in range(self.options.batch_size)]
        inputs, labels, weights = stacked(found, self.options.steps)
        share = _FIELDS_DROPPED * self.options.dropout
        if share:
            drop_fields(inputs["columns"], share, rng)
        return Batch(inputs, labels, weights)

    def before(self, step: int) -> None:
        """Nothing moves here."""

    def judge(self) -> dict[str, float]:
        """See `Task.judge`.

        Returns:
            "held_out_loss": nats per sixteenth, of basses and of melodies, added where there are both; for each of them
            "_rhythm" and "_pitch", and the same with "_deaf" behind it: told nothing.
        """
        network, figures, total = EnsembleNetwork(ENSEMBLE, self.model.get_by_name()), {}, 0.0
        for part, name in _PARTS.items():
            tables = [table for table in self.judged if table.part == part]
            if not tables:
                continue
            deaf = together(judge_each(network, tables, NOTHING_TOLD))
            found = together(judge_each(network, tables, ALL)) if self.hears else deaf
            total += found.both
            for one, suffix in ((found, ""), (deaf, "_deaf")):
                figures |= {f"{name}_rhythm{suffix}": one.rhythm, f"{name}_pitch{suffix}": one.pitch}
        return {"held_out_loss": total, **figures}

    def _drawn(self, rng: np.random.Generator) -> HeardStretch:
        part = int(rng.random() < _MELODIES)
        if not self.shares[part].any():
            part = 1 - part
        shares, steps = self.shares[part], self.options.steps
        table = self.tables[int(rng.choice(len(self.tables), p=shares / shares.sum()))]
        start = STEPS_PER_BAR * int(rng.integers(max(1, (len(table) - steps) // STEPS_PER_BAR + 1)))
        chance, each = rng.random(), ToldParts(*(rng.random(3) < 0.5).tolist())
        told = ALL if chance < _EVERYTHING else each if chance < _EVERYTHING + _SOMETHING else NOTHING_TOLD
        return table.heard(start, steps, self.augmentation.transposition(rng), told if self.hears else NOTHING_TOLD)


def sizes_of(sizes: Mapping[str, Any]) -> tuple[int, int]:
    """Units of the GRU, and of embedding and hidden layer, of sizes as a card says them.

    Raises:
        PerpetuumError: there are more layers than one.
    """
    layers = [int(units) for units in sizes.get("layers", ())] or [160]
    if len(layers) != 1:
        raise PerpetuumError(
            f"sizes: ensemble has one layer, not {len(layers)}", "Write one number, like layers: [160]."
        )
    return layers[0], max(8, layers[0] * 4 // 5)
