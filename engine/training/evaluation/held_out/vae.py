"""Held-out figures of a MusicVAE: what it gives back, and how it goes between points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.networks.vae.converters.contract import one_hot
from engine.networks.vae.heads import classes_of
from engine.networks.vae.music_vae import MusicVae
from engine.networks.vae.operations import interpolate
from engine.training.amount import nothing_to_judge
from engine.training.datasets import DatasetPiece
from engine.training.evaluation.copies import KnownPieces
from engine.training.evaluation.samples import heard_as, window_sample
from engine.training.tasks.vae_windows import CLASS_WINDOWS, WindowKind, held_out_windows

WALKS, WALK_POINTS = 64, 9
_AT_ONCE = 128


class _Heard(NamedTuple):
    """Windows as tensors: inputs [B, T, D], classes [B, T] or [B, T, parts], and what the encoder makes of them."""

    inputs: np.ndarray
    classes: np.ndarray
    mu: np.ndarray
    sigma: np.ndarray


def evaluate_vae(
    network: MusicVae, pieces: Sequence[DatasetPiece], split: str = "test", seed: int = 0
) -> dict[str, float]:
    """Figures of a network whose config is one of `CLASS_WINDOWS`, on windows of a split that do not overlap.

    Args:
        network: the network.
        pieces: all splits.
        split: which one to judge on.
        seed: of what is drawn.

    Returns:
        "nll": nats per step, the decoder being told the steps before, z = mu; "kl": nats per window; "elbo": bound on
        the negative log-likelihood per step, z drawn, with its share of the KL divergence; "told": share of steps whose
        likeliest class is right when the decoder is told the steps before, z = mu; "told_z": the same, z drawn;
        "reconstructed": share of steps that come back when the decoder hears itself and takes the likeliest, z = mu;
        "reconstructed_z": the same, z drawn; "sampled_mu": the same with steps drawn at temperature 1, z = mu;
        "sampled": z and steps drawn; "all_hold": share of steps of the commonest class, which is what silence or
        holding on scores; of several voices these are means, and those of each are there with its name behind;
        "windows"; and the figures of `walk_figures`.

    Raises:
        PerpetuumError: no window of the split has music in it.
    """
    kind, steps, sizes = CLASS_WINDOWS[network.config.name], network.config.steps, network.config.output_sizes
    windows = held_out_windows(kind, [p for p in pieces if p.split == split], steps)
    if not windows:
        raise nothing_to_judge(split)
    rng = np.random.default_rng([seed, 1])
    parts = [_heard(network, kind, windows[k : k + _AT_ONCE]) for k in range(0, len(windows), _AT_ONCE)]
    rows: list[dict[str, np.ndarray]] = []
    for part in parts:
        targets = _vectors(part.classes, sizes)
        drawn = part.mu + part.sigma * rng.standard_normal(part.mu.shape, np.float32)
        outputs, costs = network.teacher_forced(part.mu, targets)
        outputs_z, costs_z = network.teacher_forced(drawn, targets)
        kl = divergences(part.mu, part.sigma)
        made = {
            "told": outputs,
            "told_z": outputs_z,
            "reconstructed": network.decode(part.mu),
            "reconstructed_z": network.decode(drawn),
            "sampled_mu": network.decode(part.mu, temperature=1.0, rng=rng),
            "sampled": network.decode(drawn, temperature=1.0, rng=rng),
        }
        right = {name: classes_of(music, sizes) == part.classes for name, music in made.items()}
        rows.append({"nll": costs / steps, "kl": kl, "elbo": (costs_z + kl) / steps, **_shares(right, kind.voices)})
    figures = {name: float(np.concatenate([row[name] for row in rows]).mean()) for name in rows[0]}
    classes = np.concatenate([part.classes for part in parts])
    voices = classes.reshape(-1, len(sizes)).T
    held = [float(np.bincount(voice).max() / voice.size) for voice in voices]
    figures["all_hold"] = float(np.mean(held))
    figures |= {f"all_hold_{name}": share for name, share in zip(kind.voices, held, strict=False)}
    figures["windows"] = float(len(classes))
    known = KnownPieces(heard_as(network.config.name), network.config, [p for p in pieces if p.split == "train"])
    return figures | walk_figures(network, np.concatenate([part.mu for part in parts]), known, rng)


def divergences(mu: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """KL divergence [B] in nats of normal distributions [B, Z] from the prior."""
    return 0.5 * (mu**2 + sigma**2 - 2 * np.log(sigma) - 1).sum(axis=1)


def walk_figures(network: MusicVae, mu: np.ndarray, known: KnownPieces, rng: np.random.Generator) -> dict[str, float]:
    """How music changes on the way between held-out windows, in `WALK_POINTS` points on the great circle.

    Args:
        network: takes the likeliest music at each point.
        mu: [n, Z] of the windows.
        known: the training pieces.
        rng: chooses the ends of each way.

    Returns:
        "walk_step": edit distance from point to point, as a share of the steps of a window; "walk_jump": the largest
        one of each way, on average; "walk_ends": that between the ends, which a way that goes straight divides evenly;
        "walk_still": share of points that are like the one before; "walk_copies": share of the bars on the way, ends
        left out, that are in the training pieces.
    """
    ends = rng.integers(len(mu), size=(WALKS, 2))
    z = np.concatenate([interpolate(mu[first], mu[last], WALK_POINTS) for first, last in ends])
    sizes = network.config.output_sizes
    classes = classes_of(network.decode(z), sizes).reshape(WALKS, WALK_POINTS, network.config.steps, len(sizes))
    # What the voices do at a step is one thing, which changes or not.
    music = classes @ np.cumprod([1, *sizes[:-1]])
    steps = music.shape[-1]
    changes = edit_distances(music[:, 1:].reshape(-1, steps), music[:, :-1].reshape(-1, steps)) / steps
    changes = changes.reshape(WALKS, -1)
    rows = classes[:, 1:-1].reshape(-1, steps, len(sizes))
    between = [window_sample(network.config, row if len(sizes) > 1 else row[:, 0]) for row in rows]
    return {
        "walk_step": float(changes.mean()),
        "walk_jump": float(changes.max(axis=1).mean()),
        "walk_ends": float(edit_distances(music[:, 0], music[:, -1]).mean() / steps),
        "walk_still": float((changes == 0).mean()),
        "walk_copies": known.shares(between)["bars"],
    }


def edit_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How many steps have to be put in, taken out or changed to make one sequence the other: [n] of twice [n, T]."""
    length = first.shape[1]
    row = np.tile(np.arange(length + 1), (len(first), 1))
    for place in range(length):
        below = np.empty_like(row)
        below[:, 0] = place + 1
        changed = row[:, :-1] + (first[:, place, None] != second)
        for column in range(length):
            cheapest = np.minimum(row[:, column + 1], below[:, column]) + 1
            below[:, column + 1] = np.minimum(cheapest, changed[:, column])
        row = below
    return row[:, -1]


def _vectors(classes: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """One-hot vectors [B, T, sum of `sizes`] of classes [B, T] or [B, T, parts]."""
    voices = classes.reshape(-1, len(sizes)).T
    made = [one_hot(voice, size) for voice, size in zip(voices, sizes, strict=True)]
    return np.concatenate(made, axis=1).reshape(*classes.shape[:2], -1)


def _shares(right: dict[str, np.ndarray], voices: Sequence[str]) -> dict[str, np.ndarray]:
    """Shares [B] of what is right [B, T] or [B, T, parts]: of all voices, and of each with its name."""
    shares = {name: found.reshape(len(found), -1).mean(axis=1) for name, found in right.items()}
    of_each = {
        f"{name}_{voice}": found[:, :, place].mean(axis=1)
        for name, found in right.items()
        for place, voice in enumerate(voices)
    }
    return shares | of_each


def _heard(network: MusicVae, kind: WindowKind, windows: Sequence[np.ndarray]) -> _Heard:
    inputs, classes = (np.stack(part) for part in zip(*map(kind.tensors, windows), strict=True))
    return _Heard(inputs, classes, *network.encode(inputs))
