"""Held-out figures of any network that can be trained, and what its music is like beside the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.networks.vae.music_vae import MusicVae
from engine.training.evaluate_groove import evaluate_groove
from engine.training.evaluate_rnn import evaluate_rnn
from engine.training.evaluate_vae import evaluate_vae, vae_statistics
from engine.training.pieces import STEPS_PER_BAR, Piece
from engine.training.statistics import drum_statistics, melody_statistics

STATISTICS = {"drums_rnn": drum_statistics, "melody_rnn": melody_statistics}
"""What describes the music of each family of RNNs on the grid of sixteenths."""


def evaluate(network: Any, pieces: Sequence[Piece], split: str = "test") -> dict[str, float]:
    """See `evaluate_rnn`, `evaluate_vae` and `evaluate_groove`.

    Raises:
        PerpetuumError: there is nothing in the split.
    """
    if not any(piece.split == split for piece in pieces):
        raise PerpetuumError(f"no pieces in the {split} split", "Give more data.")
    if isinstance(network, MusicVae):
        judge = evaluate_groove if network.config.head == "groove" else evaluate_vae
        return judge(network, pieces, split)
    return evaluate_rnn(network, pieces, split)


def sample_statistics(
    network: Any, pieces: Sequence[Piece], temperatures: Sequence[float], count: int
) -> dict[str, dict[str, float]]:
    """Statistics of what a network makes at some temperatures, beside those of the corpus, rounded.

    RNNs: continuations of held-out primers, what really follows them, and music from no primer. Primers are two bars,
    drawn from the test split with the same chance for every bar; continuations are eight bars. VAEs: see
    `vae_statistics`.

    Args:
        network: the network.
        pieces: all splits.
        temperatures: > 0.
        count: samples per temperature.

    Raises:
        PerpetuumError: too few pieces, or a family whose music nobody describes yet.
    """
    if isinstance(network, MusicVae) and network.config.head == "categorical":
        report = vae_statistics(network, pieces, temperatures, count)
    elif isinstance(network, EventSequenceRnn):
        report = _continuations(network, pieces, temperatures, count)
    else:
        raise PerpetuumError(f"no statistics for {network.config.name}", "Its `evaluate` says how near it comes.")
    return {name: {key: round(value, 3) for key, value in row.items()} for name, row in report.items()}


def _continuations(
    network: EventSequenceRnn, pieces: Sequence[Piece], temperatures: Sequence[float], count: int
) -> dict[str, dict[str, float]]:
    describe = STATISTICS.get(network.config.family)
    if describe is None or network.steps_per_quarter != 4:
        known = ", ".join(STATISTICS)
        raise PerpetuumError(f"no statistics for {network.config.name}", f"There are some for sixteenths of {known}.")
    primer_steps, steps = 2 * STEPS_PER_BAR, 8 * STEPS_PER_BAR
    held = [piece.events for piece in pieces if piece.split == "test" and len(piece.events) >= 2 * primer_steps]
    if not held:
        raise PerpetuumError("no piece of four bars or more in the test split", "Give more data.")
    rng = np.random.default_rng(1)
    chances = np.array([len(events) for events in held], float)
    chosen = [held[k] for k in rng.choice(len(held), count, p=chances / chances.sum())]
    places = [int(rng.integers(max(1, (len(p) - primer_steps - steps) // STEPS_PER_BAR + 1))) for p in chosen]
    parts = [p[place * STEPS_PER_BAR :][: primer_steps + steps] for p, place in zip(chosen, places, strict=True)]
    report = {"corpus": describe([part[primer_steps:] for part in parts])}
    for temperature in temperatures:
        primed = [network.generate(p[:primer_steps].tolist(), steps, temperature, rng) for p in parts]
        free = [network.generate([], steps, temperature, rng) for _ in parts]
        report[f"{temperature} primed"] = describe([np.array(made) for made in primed])
        report[f"{temperature} free"] = describe([np.array(made) for made in free])
    return report
