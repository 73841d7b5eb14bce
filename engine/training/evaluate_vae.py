"""Held-out figures of a MusicVAE of two bars: what it gives back, what it dreams up, and how it goes between points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.networks.vae.converters.contract import one_hot
from engine.networks.vae.music_vae import MusicVae
from engine.networks.vae.operations import interpolate
from engine.training.pieces import STEPS_PER_BAR, Piece
from engine.training.vae_windows import CLASS_WINDOWS, HELD_OUT_WINDOWS, WindowKind, held_out_windows

PRIOR_SAMPLES = 512
WALKS, WALK_POINTS = 64, 9
_AT_ONCE = 128


class _Heard(NamedTuple):
    """Windows as tensors: inputs [B, T, D], classes [B, T], and what the encoder makes of them."""

    inputs: np.ndarray
    classes: np.ndarray
    mu: np.ndarray
    sigma: np.ndarray


def evaluate_vae(network: MusicVae, pieces: Sequence[Piece], split: str = "test") -> dict[str, float]:
    """Figures of a network whose config is one of `CLASS_WINDOWS`, on windows of a split that do not overlap.

    Args:
        network: the network.
        pieces: all splits.
        split: which one to judge on.

    Returns:
        "nll": nats per step, the decoder being told the steps before, z = mu; "kl": nats per window; "told": share of
        steps whose likeliest class is right then; "reconstructed": share of steps that come back when z = mu and the
        decoder hears itself, always taking the likeliest; "sampled": the same with z and steps drawn by chance at
        temperature 1; "all_hold": share of steps of the commonest class, which is what silence or holding on scores;
        "windows"; "prior_copies": share of samples from the prior that are windows of the training split;
        "walk_step": share of steps that change from point to point on walks of eight steps between two windows, and
        "walk_jump" the largest of them, on average.
    """
    kind, steps = CLASS_WINDOWS[network.config.name], network.config.steps
    windows = held_out_windows(kind, [p for p in pieces if p.split == split], steps)
    rng = np.random.default_rng(1)
    parts = [_heard(network, kind, windows[k : k + _AT_ONCE]) for k in range(0, len(windows), _AT_ONCE)]
    losses, told, reconstructed, sampled = [], [], [], []
    for part in parts:
        targets = one_hot(part.classes.reshape(-1), network.config.output_size).reshape(*part.classes.shape, -1)
        outputs, costs = network.teacher_forced(part.mu, targets)
        losses.append(costs / steps)
        told.append(outputs.argmax(axis=-1) == part.classes)
        reconstructed.append(network.decode(part.mu).argmax(axis=-1) == part.classes)
        z = part.mu + part.sigma * rng.standard_normal(part.mu.shape, np.float32)
        sampled.append(network.decode(z, temperature=1.0, rng=rng).argmax(axis=-1) == part.classes)
    mu, sigma = (np.concatenate([getattr(part, name) for part in parts]) for name in ("mu", "sigma"))
    classes = np.concatenate([part.classes for part in parts])
    train = {
        kind.tensors(window)[1].tobytes()
        for piece in pieces
        if piece.split == "train"
        for start in range(0, len(piece.events) - steps + 1, STEPS_PER_BAR)
        if kind.enough(window := piece.events[start : start + steps])
    }
    dreams = prior_samples(network, PRIOR_SAMPLES)
    changes = _walks(network, mu, rng)
    return {
        "nll": float(np.concatenate(losses).mean()),
        "kl": float(0.5 * (mu**2 + sigma**2 - 2 * np.log(sigma) - 1).sum(axis=1).mean()),
        "told": float(np.concatenate(told).mean()),
        "reconstructed": float(np.concatenate(reconstructed).mean()),
        "sampled": float(np.concatenate(sampled).mean()),
        "all_hold": float(np.bincount(classes.reshape(-1)).max() / classes.size),
        "windows": float(len(classes)),
        "prior_copies": float(np.mean([row.astype(np.int32).tobytes() in train for row in dreams])),
        "walk_step": float(changes.mean()),
        "walk_jump": float(changes.max(axis=1).mean()),
    }


def prior_samples(network: MusicVae, count: int, temperature: float = 1.0, seed: int = 1) -> np.ndarray:
    """Classes [count, T] of music from points of the prior."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((count, network.latent_size), np.float32)
    return network.decode(z, temperature=temperature, rng=rng).argmax(axis=-1)


def vae_statistics(
    network: MusicVae, pieces: Sequence[Piece], temperatures: Sequence[float], count: int
) -> dict[str, dict[str, float]]:
    """Statistics of held-out windows beside those of as many samples from the prior at each temperature."""
    kind = CLASS_WINDOWS[network.config.name]
    held = held_out_windows(kind, [p for p in pieces if p.split == "test"], network.config.steps, HELD_OUT_WINDOWS)
    report = {"corpus": kind.describe([kind.events(kind.tensors(window)[1]) for window in held])}
    for temperature in temperatures:
        samples = prior_samples(network, count, temperature)
        report[f"{temperature} prior"] = kind.describe([kind.events(row) for row in samples])
    return report


def _heard(network: MusicVae, kind: WindowKind, windows: Sequence[np.ndarray]) -> _Heard:
    inputs, classes = (np.stack(part) for part in zip(*map(kind.tensors, windows), strict=True))
    return _Heard(inputs, classes, *network.encode(inputs))


def _walks(network: MusicVae, mu: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Share of steps [walks, points - 1] that change from point to point, each the likeliest music."""
    ends = rng.integers(len(mu), size=(WALKS, 2))
    z = np.concatenate([interpolate(mu[first], mu[last], WALK_POINTS) for first, last in ends])
    music = network.decode(z).argmax(axis=-1).reshape(WALKS, WALK_POINTS, -1)
    return (music[:, 1:] != music[:, :-1]).mean(axis=-1)
