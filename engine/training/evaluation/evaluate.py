"""All figures of a network that can be trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from engine.errors import PerpetuumError
from engine.networks.chorale.network import ChoraleNetwork
from engine.networks.ensemble.network import EnsembleNetwork
from engine.networks.vae.music_vae import MusicVae
from engine.training.datasets import DatasetPiece
from engine.training.datasets.music.kinds import corpus_of, trainable
from engine.training.evaluation.copies import KnownPieces
from engine.training.evaluation.held_out.chorales import CHORALES, chorale_figures
from engine.training.evaluation.held_out.ensemble import evaluate_ensemble
from engine.training.evaluation.held_out.four_voices import evaluate_chorale
from engine.training.evaluation.held_out.frames import frame_estimate
from engine.training.evaluation.held_out.groove import evaluate_groove, groove_samples
from engine.training.evaluation.held_out.rnn import evaluate_rnn
from engine.training.evaluation.held_out.vae import evaluate_vae
from engine.training.evaluation.overlap import overlaps
from engine.training.evaluation.samples import Sample, corpus_samples, heard_as, sample_music
from engine.training.evaluation.statistics import describe

SAMPLES = 128
"""Of generated music, unless told otherwise; of windows of two bars four times as many."""
Advance = Callable[[str, float], object]
"""Told what is being done, and which share of it is."""


def untold(what: str, share: float = 0.0) -> None:
    """An `Advance` that nobody hears."""


@dataclass(frozen=True, slots=True)
class Music:
    """What the music of a network is like.

    Attributes:
        figures: at temperature 1 from nothing: "overlap_" and the names of `overlaps`, "copied_" and those of
            `KnownPieces.shares`; with "_train" or "_held_out" behind them the same of what they are to be compared
            with: held-out music beside the training pieces.
        table: what the held-out music and that of each temperature is like, by the names of `describe`, and how far
            the latter overlaps and is copied.
        samples, held_out: the music of the figures, and what it is compared with.
    """

    figures: dict[str, float]
    table: dict[str, dict[str, float]] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    held_out: list[Sample] = field(default_factory=list)


def evaluate(
    network: Any,
    pieces: Sequence[DatasetPiece],
    split: str = "test",
    samples: int = SAMPLES,
    seed: int = 0,
    advance: Advance = untold,
) -> dict[str, float]:
    """Everything that a weights card says: `held_out_figures`, and those of `evaluate_music`.

    Args:
        network: whose config can be trained.
        pieces: all splits.
        split: which one to judge on.
        samples: of generated music; 0 for none, which leaves its figures out.
        seed: of everything that is drawn.
        advance: see `Advance`.

    Returns:
        Figures by name, in the units of `engine.training.evaluation.figures`.

    Raises:
        PerpetuumError: there is nothing in the split, or nobody knows how to judge such a network.
    """
    figures = held_out_figures(network, pieces, split, seed, advance)
    if samples:
        figures |= evaluate_music(network, pieces, split, samples, seed=seed, advance=advance).figures
    return figures


def held_out_figures(
    network: Any,
    pieces: Sequence[DatasetPiece],
    split: str = "test",
    seed: int = 0,
    advance: Advance = untold,
    particles: int = 0,
) -> dict[str, float]:
    """How well a network knows held-out pieces: see `evaluate_rnn`, `evaluate_vae`, `evaluate_groove`,
    `evaluate_chorale`, `evaluate_ensemble`, and for polyphony, where the chorales of the benchmark are among the
    pieces, `chorale_figures` and with particles `frame_estimate`.

    Args and Raises: as `evaluate`.
    """
    name = network.config.name
    if name not in trainable():
        raise PerpetuumError(
            f"{name}: nobody knows how to judge such a network", f"Known are {', '.join(trainable())}."
        )
    judged = [piece for piece in pieces if piece.split == split]
    if not judged or not any(piece.split == "train" for piece in pieces):
        raise PerpetuumError(
            f"{len(judged)} of {len(pieces)} pieces are in the {split} split; it and the train split are both needed",
            "Give more data: about one piece in sixteen is held out.",
        )
    advance("held-out pieces", 0.0)
    if isinstance(network, MusicVae):
        if network.config.head == "groove":
            return evaluate_groove(network, pieces, split)
        return evaluate_vae(network, pieces, split, seed)
    if isinstance(network, ChoraleNetwork):
        return evaluate_chorale(network, pieces, split, partial(advance, "held-out pieces"))
    if isinstance(network, EnsembleNetwork):
        return evaluate_ensemble(network, pieces, split, partial(advance, "held-out pieces"))
    figures = evaluate_rnn(network, pieces, split, partial(advance, "held-out pieces"))
    chorales = [piece for piece in judged if piece.source == CHORALES]
    if name == "polyphony" and chorales:
        figures |= chorale_figures(network, chorales, partial(advance, "chorales"))
        if particles:
            told = partial(advance, "frames of chorales")
            figures["chorale_frame_estimate"] = frame_estimate(network, chorales, particles, seed, told)
    return figures


def evaluate_music(
    network: Any,
    pieces: Sequence[DatasetPiece],
    split: str = "test",
    samples: int = SAMPLES,
    temperatures: Sequence[float] = (),
    seed: int = 0,
    advance: Advance = untold,
) -> Music:
    """What a network makes, beside held-out music and the training pieces.

    GrooVAEs make nothing from nothing: their samples are held-out strokes as they play them, without figures.

    Args:
        network, pieces, split, samples, seed, advance: as `evaluate`.
        temperatures: for the table; RNNs go on from held-out primers at each, too, and MusicVAEs give the likeliest.

    Returns:
        An empty one where no piece, or no training piece, is as long as a sample.
    """
    kind, config, vae = heard_as(network.config.name), network.config, isinstance(network, MusicVae)
    count = 4 * samples if vae else samples
    train = [piece for piece in pieces if piece.split == "train"]
    learnt = [] if kind == "groove" else corpus_samples(config, train, count, seed)
    if kind != "groove" and not learnt:
        return Music({})
    music = excerpts(network, pieces, split, samples, seed, advance)
    made, real = music.samples, music.held_out
    if kind == "groove" or not real:
        return music
    known = KnownPieces(kind, config, train)
    figures: dict[str, float] = {}
    ceiling = overlaps(learnt, real, kind)
    for name, value in overlaps(made, real, kind).items():
        figures |= {f"overlap_{name}": value, f"overlap_{name}_train": ceiling[name]}
    floor = known.shares(real)
    for name, value in known.shares(made).items():
        figures |= {f"copied_{name}": value, f"copied_{name}_held_out": floor[name]}
    table = {"held out": describe(kind, real), "training": describe(kind, learnt)}
    for temperature in (None, *temperatures) if vae else temperatures:
        for primed in (False,) if vae else (False, True):
            heading = "likeliest" if temperature is None else f"at {temperature:g}{', primed' if primed else ''}"
            told = partial(advance, f"samples {heading}")
            same = temperature == 1.0 and not primed
            found = made if same else sample_music(network, real, count, temperature, primed, seed, told)
            row = describe(kind, found)
            row |= {f"overlap_{name}": value for name, value in overlaps(found, real, kind).items()}
            row |= {f"copied_{name}": value for name, value in known.shares(found).items()}
            table[heading] = row
    if kind == "performance" and not config.encoding().dynamics:
        figures, table = _without_velocities(figures), {name: _without_velocities(row) for name, row in table.items()}
    return Music(figures, table, made, real)


def excerpts(
    network: Any,
    pieces: Sequence[DatasetPiece],
    split: str = "test",
    samples: int = SAMPLES,
    seed: int = 0,
    advance: Advance = untold,
) -> Music:
    """The music itself, of `evaluate_music`, whose arguments these are; without figures."""
    judged = [piece for piece in pieces if piece.split == split]
    if corpus_of(network.config.name) == "groove":
        played, made = groove_samples(network, judged, samples, seed)
        return Music({}, samples=made, held_out=played)
    count = 4 * samples if isinstance(network, MusicVae) else samples
    advance("samples of the pieces", 0.0)
    real = corpus_samples(network.config, judged, count, seed)
    if not real:
        return Music({})
    made = sample_music(network, real, count, seed=seed, advance=partial(advance, "samples of the network"))
    return Music({}, samples=made, held_out=real)


def _without_velocities(figures: dict[str, float]) -> dict[str, float]:
    """Figures without those of what an encoding does not know."""
    return {name: value for name, value in figures.items() if "velocity" not in name}
