"""Trains the network, hearing by chance or never, and judges it by the sixteenth."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from engine.networks.ensemble.configs import ENSEMBLE, KINDS
from engine.networks.ensemble.encoding import BEGINS, COLUMNS
from engine.networks.ensemble.network import EnsembleNetwork
from engine.networks.threads import one_thread
from engine.training.checkpoint import write_npz
from engine.training.datasets.pieces import STEPS_PER_BAR
from engine.training.evaluation.held_out.rnn import EVALUATION_STEPS, log_softmax
from tests.proofs.ensemble.hearing import ALL, NOTHING_TOLD, Heard, LineTable, Told
from tests.proofs.ensemble.network import EnsembleModel, loss

STEPS, AT_ONCE = 128, 32
MELODIES = 0.4
"""Share of the excerpts of a batch."""
EVERYTHING, SOMETHING = 0.5, 0.3
"""How often an excerpt is told all, and each by chance; else it is told nothing."""
_RATE, _WARM = 0.003, 100


class Nats(NamedTuple):
    """Negative log-likelihoods in nats per sixteenth, of rhythm and of pitches; and how many sixteenths were judged."""

    rhythm: float
    pitch: float
    sixteenths: int

    @property
    def both(self) -> float:
        """Of the line."""
        return self.rhythm + self.pitch


def judge(network: EnsembleNetwork, tables: Sequence[LineTable], told: Told) -> Nats:
    """Of all lines together; see `judge_each`."""
    return together(judge_each(network, tables, told))


def together(found: Sequence[Nats]) -> Nats:
    """The mean over all sixteenths."""
    count = max(1, sum(one.sixteenths for one in found))
    rhythm, pitch = (sum(one[place] * one.sixteenths for one in found) / count for place in (0, 1))
    return Nats(rhythm, pitch, count)


def judge_each(
    network: EnsembleNetwork,
    tables: Sequence[LineTable],
    told: Told,
    phrase: int = EVALUATION_STEPS,
    before: bool = True,
) -> list[Nats]:
    """Each line in stretches of 16 bars, each from nothing; what is left at its end counts from two bars on.

    Args:
        network: that is judged: the one that plays.
        tables: the lines.
        told: what of other parts.
        phrase: sixteenths to whose end others are known; without, to the end of the song.
        before: whether drums and notes of the phrases before are known, too; in a scene they are not.
    """
    total = np.zeros((len(tables), 3))
    for place, losses, _ in stretches(network, tables, told, phrase, before):
        total[place] += *losses.sum(axis=0), len(losses)
    return [Nats(rhythm / max(1.0, count), pitch / max(1.0, count), int(count)) for rhythm, pitch, count in total]


def stretches(
    network: EnsembleNetwork,
    tables: Sequence[LineTable],
    told: Told,
    phrase: int = EVALUATION_STEPS,
    before: bool = True,
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """The stretches of `judge_each`: of which line, nats [T, 2] of rhythm and pitch, and labels [T, 2]."""
    rows = [
        (place, start)
        for place, table in enumerate(tables)
        for start in range(0, len(table) - 2 * STEPS_PER_BAR + 1, EVALUATION_STEPS)
    ]
    for first in range(0, len(rows), AT_ONCE):
        part = rows[first : first + AT_ONCE]
        found = [
            tables[place].heard(start, EVALUATION_STEPS, told=told)
            if phrase == EVALUATION_STEPS
            else tables[place].in_phrases(start, EVALUATION_STEPS, told, phrase, before)
            for place, start in part
        ]
        inputs, labels, weights = _batch(found, EVALUATION_STEPS)
        with one_thread():
            logits = network.logits(inputs["columns"], inputs["places"])
        kinds, pitches = log_softmax(logits[..., :KINDS]), log_softmax(logits[..., KINDS:])
        begins = labels[..., 0] == BEGINS
        rhythm = -np.take_along_axis(kinds, labels[..., :1], axis=-1)[..., 0]
        pitch = -np.take_along_axis(pitches, labels[..., 1:], axis=-1)[..., 0] * begins
        losses = np.stack([rhythm, pitch], axis=-1)
        for row, (place, _) in enumerate(part):
            count = int(weights[row].sum())
            yield place, losses[row, :count], labels[row, :count]


def train(
    train: Sequence[Sequence[LineTable]],
    validation: Sequence[Sequence[LineTable]],
    hears: bool,
    batches: int,
    minutes: float,
    seed: int,
    run: Path,
    name: str,
    dropout: float = 0.25,
) -> None:
    """Train, and keep the weights of the best evaluation.

    Args:
        train, validation: basses, then melodies.
        hears: whether it is told drums and chords in most excerpts; else never.
        batches, minutes: how long, at most.
        seed: of all chance.
        run, name: the folder gets the weights as NAME.npz and a line of JSON an evaluation in NAME.jsonl.
        dropout: see `EnsembleModel`.
    """
    model, rng = EnsembleModel(dropout=dropout, seed=seed), np.random.default_rng(seed)
    model.compile(optimizer=keras.optimizers.Adam(_RATE, global_clipnorm=1.0), loss=loss)
    shares = [np.array([len(table) for table in tables], float) for tables in train]
    least, losses, began = math.inf, [], time.monotonic()
    log = run / f"{name}.jsonl"
    log.write_text("")
    for batch in range(1, batches + 1):
        late = time.monotonic() - began > 60 * minutes
        inputs, labels, weights = _batch([_drawn(train, shares, hears, rng) for _ in range(AT_ONCE)], STEPS)
        progress = min(1.0, batch / batches)
        rate = _RATE * min(1.0, batch / _WARM) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress)))
        model.optimizer.learning_rate.assign(rate)
        found = model.train_on_batch(inputs, labels, sample_weight=weights)
        losses.append(float(np.ravel(np.asarray(found))[0]))
        if batch % 150 and batch < batches and not late:
            continue
        line = {"batch": batch, "train": round(float(np.mean(losses)), 4)}
        network = EnsembleNetwork(ENSEMBLE, model.get_by_name())
        deaf = [judge(network, tables, NOTHING_TOLD) for tables in validation]
        found = [judge(network, tables, ALL) for tables in validation] if hears else deaf
        for part, (one, other) in zip(("bass", "melody"), zip(found, deaf, strict=True), strict=True):
            line |= {f"{part}_rhythm": round(one.rhythm, 4), f"{part}_pitch": round(one.pitch, 4)}
            line |= {f"{part}_rhythm_deaf": round(other.rhythm, 4), f"{part}_pitch_deaf": round(other.pitch, 4)}
        with log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(line, flush=True)
        losses = []
        if sum(one.both for one in found) < least:
            least = sum(one.both for one in found)
            write_npz(run / f"{name}.npz", model.get_by_name())
        if late:
            break


def read(weights: Path) -> EnsembleNetwork:
    """The network as `train` left it."""
    with np.load(weights) as found:
        return EnsembleNetwork(ENSEMBLE, {name: found[name] for name in found.files})


def _drawn(
    tables: Sequence[Sequence[LineTable]], shares: Sequence[np.ndarray], hears: bool, rng: np.random.Generator
) -> Heard:
    """An excerpt of a bass or a melody, from any bar on and in any key."""
    part = int(rng.random() < MELODIES)
    table = tables[part][int(rng.choice(len(tables[part]), p=shares[part] / shares[part].sum()))]
    start = STEPS_PER_BAR * int(rng.integers(max(1, (len(table) - STEPS) // STEPS_PER_BAR + 1)))
    chance, each = rng.random(), Told(*(rng.random(3) < 0.5).tolist())
    told = ALL if chance < EVERYTHING else each if chance < EVERYTHING + SOMETHING else NOTHING_TOLD
    return table.heard(start, STEPS, int(rng.integers(-5, 7)), told if hears else NOTHING_TOLD)


def _batch(found: Sequence[Heard], steps: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Inputs, labels and weights of some stretches, padded."""
    size = len(found), steps
    columns, places = np.zeros((*size, COLUMNS), np.float32), np.full((*size, 3), -1, np.int32)
    labels, weights = np.zeros((*size, 2), np.int32), np.zeros(size, np.float32)
    for row, one in enumerate(found):
        count = len(one.labels)
        columns[row, :count], places[row, :count], labels[row, :count] = one
        weights[row, :count] = 1.0
    return {"columns": columns, "places": places}, labels, weights
