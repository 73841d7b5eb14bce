"""What a training is given where nobody says: sizes, lengths and dropout by how much music there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.networks.configs import CONFIGS
from engine.networks.ensemble.configs import EnsembleConfig
from engine.networks.vae.configs import VaeConfig
from engine.training.amount import events_of, on_a_grid
from engine.training.datasets.pieces import SPLITS, DatasetPiece
from engine.training.initial import start_sizes
from engine.training.machine import batch_size, bytes_per_excerpt
from engine.training.settings import TrainingFile
from engine.training.tasks.task import TrainingOptions


@dataclass(frozen=True, slots=True)
class _Tier:
    """What suits so much music, at most.

    Attributes:
        events: how much; see `engine.training.amount.events_of`, and `_ON_A_GRID`.
        layers: LSTM units of a recurrent network.
        encoder, decoder, latent: sizes of an autoencoder.
        dropout: see `TrainingOptions`.
        passes: how often all of the music is gone through.
    """

    events: float
    layers: tuple[int, ...]
    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    latent: int
    dropout: float
    passes: float


_TIERS = (
    _Tier(20_000, (64, 64), (64,), (64, 64), 32, 0.4, 80),
    _Tier(200_000, (128, 128), (128,), (128, 128), 64, 0.3, 30),
    _Tier(3_000_000, (256, 256), (256,), (256, 256), 128, 0.2, 20),
    _Tier(float("inf"), (512, 512), (512,), (512, 512), 256, 0.1, 10),
)
"""After the trainings of the shipped weights on drums, tunes, chorales and piano (`engine/training/recipes`)."""
_ON_A_GRID, _WINDOWS = 8, 4
"""Sixteenths, of which most say that nothing new begins, that count as one event; of two-bar windows, seen again and
again in other places, half as many."""

STEPS = {"performance_rnn": 256, "polyphony_rnn": 256, "chorale": 320}
"""Events of an excerpt by family; others take 128 sixteenths, eight bars."""
FEWEST, MOST = 300, 20_000
"""Batches of a training whose length nobody gives."""
PATIENCE = 8
EVALUATIONS = 24
"""Of a whole training, about."""


def complete(
    given: TrainingFile,
    pieces: Sequence[DatasetPiece],
    memory: Callable[[], int],
    gpu: Callable[[], bool],
) -> tuple[TrainingOptions, str]:
    """All options of a training.

    Args:
        given: what the musician says.
        pieces: what it is trained on, all splits.
        memory: gives the bytes that are free; asked only where a batch size is to be chosen.
        gpu: tells whether a GPU computes; likewise.

    Returns:
        The options, and in a sentence what was chosen and why; empty where all was given.
    """
    config = CONFIGS[given.config]
    train = [piece for piece in pieces if piece.split == SPLITS[0]]
    events = events_of(train, given.config)
    is_vae = isinstance(config, VaeConfig)
    grid = _WINDOWS if is_vae else _ON_A_GRID if on_a_grid(given.config) else 1
    tier = next(tier for tier in _TIERS if events / grid <= tier.events)
    steps = config.steps if is_vae else given.steps or STEPS.get(config.family, 128)
    usual: dict[str, Any] = (
        {"latent": tier.latent, "encoder": tier.encoder, "decoder": tier.decoder}
        if is_vae
        else {"layers": tier.layers[: 1 if isinstance(config, EnsembleConfig) else None]}
    )
    if given.start is not None and not given.sizes.given():
        usual = start_sizes(given.start, given.config)
    sizes = usual | given.sizes.given()
    batch = given.batch_size
    if batch == "auto":
        batch = batch_size(bytes_per_excerpt(given.config, sizes, steps), events // steps, memory(), gpu())
    per_pass = max(1.0, events / (batch * steps))
    batches = given.batches or int(min(MOST, max(FEWEST, round(tier.passes * per_pass, -2))))
    dropout = tier.dropout if given.dropout is None else given.dropout
    options = TrainingOptions(
        config=given.config,
        sizes=sizes,
        batch_size=batch,
        steps=steps,
        learning_rate=given.learning_rate or (1.5e-3 if is_vae else 2e-3),
        batches=batches,
        warmup=min(100, batches // 20) if given.warmup is None else given.warmup,
        clip=given.clip,
        dropout=dropout,
        evaluate_every=given.evaluate_every or max(1, min(250, batches // EVALUATIONS)),
        patience=given.patience or PATIENCE,
        source_weights=dict(given.source_weights),
        seed=given.seed,
        beta=given.beta,
        free_bits=_free_bits(given, is_vae),
        sampling=given.sampling,
        start=given.start,
        precision=given.precision,
    )
    return options, _told(given, events, options, usual)


def _free_bits(given: TrainingFile, is_vae: bool) -> float | None:
    """Without free bits a small data set teaches the decoder alone, and z says nothing."""
    return 48.0 if is_vae and given.free_bits is None else given.free_bits


def _told(given: TrainingFile, events: int, options: TrainingOptions, usual: dict[str, Any]) -> str:
    chosen = [
        f"{name} {' + '.join(map(str, value)) if isinstance(value, tuple) else value}"
        for name, value in usual.items()
        if given.start is None and name not in given.sizes.given()
    ]
    if given.dropout is None:
        chosen.append(f"dropout {options.dropout:g}")
    if given.batches is None:
        chosen.append(f"{options.batches} batches")
    if given.batch_size == "auto":
        chosen.append(f"{options.batch_size} excerpts a batch")
    if not chosen:
        return ""
    what = "sixteenths" if on_a_grid(options.config) else "events"
    return f"For about {events:,} {what} to learn from: {', '.join(chosen)}; a file of settings may say otherwise."
