"""Held-out figures of a GrooVAE: how near its timing and loudness come to those of a drummer.

Source: Gillick et al. 2019, "Learning to Groove with Inverse Sequence Transformations", section 5: mean error of timing
in milliseconds, mean squared error in sixteenths, and divergences of the distributions of timing and velocity. How wide
the paper's bins are, and whether it takes drums together, is from memory: both are given here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.networks.vae.music_vae import MusicVae
from engine.score.drums import CLASSES
from engine.score.time import STEPS_PER_BEAT
from engine.training.amount import nothing_to_judge
from engine.training.datasets import DatasetPiece
from engine.training.evaluation.held_out.vae import divergences
from engine.training.evaluation.overlap import overlapping_area
from engine.training.evaluation.samples import Sample
from engine.training.tasks.vae_windows import WINDOWS, GrooveWindows, held_out_windows

BINS = 20
"""Of the distributions of offsets (half a sixteenth early to half a sixteenth late) and of velocities."""
WIDE = 1.3
"""An amount of a network's feel that is about as wide as drummers': what is likely is narrower than what they do."""
_AT_ONCE = 128


class Strokes(NamedTuple):
    """Strokes that a drummer played, and what a network plays in their place: arrays [n].

    Attributes:
        drums: class of each.
        step_ms: milliseconds of a sixteenth there.
        offsets, made_offsets: how early they are, in halves of a sixteenth, -1..1.
        velocities, made_velocities: 0..1.
    """

    drums: np.ndarray
    step_ms: np.ndarray
    offsets: np.ndarray
    made_offsets: np.ndarray
    velocities: np.ndarray
    made_velocities: np.ndarray


def evaluate_groove(network: MusicVae, pieces: Sequence[DatasetPiece], split: str = "test") -> dict[str, float]:
    """Figures at the strokes that the drummer played, on windows of two bars that do not overlap; z = mu.

    Strokes that the network is told in play are told here, too (see `GrooveConverter.given`).

    Args:
        network: a GrooVAE whose config is one of `WINDOWS`.
        pieces: all splits.
        split: which one to judge on.

    Returns:
        "timing_mae_ms", "timing_mse" (of sixteenths) and "velocity_mae" (of 1..127); "quantised_mae_ms" and
        "quantised_mse": those of strokes on the grid; "constant_velocity_mae": that of each drum's median velocity in
        training; "timing_kl" and "velocity_kl": divergence in nats of what the network plays from what the drummers
        played, in `BINS` bins per drum class, averaged over strokes, with "_pooled" of all drums together;
        "quantised_timing_kl": that of strokes on the grid; "wide_timing_mae_ms" and the four divergences with "wide_"
        before them: the same of `widened` strokes; "overlap_timing" and "overlap_velocity_played": overlapping
        areas of the same, all drums together; "hits": F1 of the strokes themselves where it is told none, of a network
        that can be told none;
        "kl": of z, nats per window; "windows".

    Raises:
        PerpetuumError: no window of the split has strokes enough in it.
    """
    kind, steps = WINDOWS[network.config.name], network.config.steps
    assert isinstance(kind, GrooveWindows)
    targets, outputs, tempos, costs, guessed = [], [], [], [], []
    for piece in (piece for piece in pieces if piece.split == split):
        windows = held_out_windows(kind, [piece], steps)
        for k in range(0, len(windows), _AT_ONCE):
            inputs, played, told = _tensors(kind, windows[k : k + _AT_ONCE])
            mu, sigma = network.encode(inputs, controls=told)
            targets.append(played)
            outputs.append(network.decode(mu, controls=told, hits=kind.converter.given(played)))
            if told is None:
                guessed.append(network.decode(mu)[..., : len(CLASSES)])
            costs.append(divergences(mu, sigma))
            tempos.append(np.full(len(played), piece.qpm))
    if not targets:
        raise nothing_to_judge(split)
    true = np.split(np.concatenate(targets).astype(float), 3, axis=2)
    made = np.split(np.concatenate(outputs).astype(float), 3, axis=2)
    places = np.nonzero(true[0] > 0.5)
    step_ms = 15_000.0 / np.concatenate(tempos)[places[0]]
    strokes = Strokes(places[2], step_ms, true[2][places], made[2][places], true[1][places], made[1][places])
    usual = usual_velocities([piece for piece in pieces if piece.split == "train"])
    return {
        **stroke_figures(strokes, usual),
        **({"hits": _f1(true[0] > 0.5, np.concatenate(guessed) > 0.5)} if guessed else {}),
        "kl": float(np.concatenate(costs).mean()),
        "windows": float(len(true[0])),
    }


def stroke_figures(strokes: Strokes, usual: np.ndarray) -> dict[str, float]:
    """The figures of `evaluate_groove` that strokes alone decide on.

    Args:
        strokes: at least one.
        usual: velocity [9] of each drum, 0..1, to be compared with.
    """
    late, wide = (strokes.offsets - strokes.made_offsets) / 2, widened(strokes)
    on_grid = strokes.offsets / 2
    grid = np.zeros_like(strokes.offsets)
    timing, velocities = (strokes.offsets, strokes.made_offsets), (strokes.velocities, strokes.made_velocities)
    return {
        "timing_mae_ms": _error_ms(strokes),
        "quantised_mae_ms": _error_ms(strokes._replace(made_offsets=grid)),
        "timing_mse": float((late**2).mean()),
        "quantised_mse": float((on_grid**2).mean()),
        "velocity_mae": float(127 * np.abs(strokes.velocities - strokes.made_velocities).mean()),
        "constant_velocity_mae": float(127 * np.abs(strokes.velocities - usual[strokes.drums]).mean()),
        "quantised_timing_kl": _divergence(strokes.offsets, grid, strokes.drums, -1.0),
        **_divergences(strokes),
        "wide_timing_mae_ms": _error_ms(wide),
        **{f"wide_{name}": value for name, value in _divergences(wide).items()},
        "overlap_timing": overlapping_area(*(_histogram(part, -1.0) for part in timing)),
        "overlap_velocity_played": overlapping_area(*(_histogram(part, 0.0) for part in velocities)),
    }


def widened(strokes: Strokes, amount: float = WIDE) -> Strokes:
    """Strokes with so much of the network's feel, as the amount of the transform `groove` has it in a scene whose
    drums are all as loud as the network's are on average."""
    usual = strokes.made_velocities.mean()
    return strokes._replace(
        made_offsets=np.clip(amount * strokes.made_offsets, -1.0, 1.0),
        made_velocities=np.clip(usual + amount * (strokes.made_velocities - usual), 0.0, 1.0),
    )


def groove_samples(
    network: MusicVae, judged: Sequence[DatasetPiece], count: int, seed: int
) -> tuple[list[Sample], list[Sample]]:
    """Two-bar windows of pieces, drawn by chance: as drummers played them, and as a network plays them.

    It is told the strokes that it is told in play.
    """
    rng, (kind, config) = np.random.default_rng([seed, 2]), (WINDOWS[network.config.name], network.config)
    assert isinstance(kind, GrooveWindows)
    windows = [(window, piece) for piece in judged for window in held_out_windows(kind, [piece], config.steps)]
    if not windows:
        return [], []
    chosen = [windows[k] for k in rng.integers(len(windows), size=count)]
    inputs, played, told = _tensors(kind, [window for window, _ in chosen])
    length = config.steps / STEPS_PER_BEAT

    def heard(outputs: np.ndarray) -> list[Sample]:
        return [
            Sample(kind.converter.to_tracks(row)[0].notes, length).taken_from(piece)
            for row, (_, piece) in zip(outputs, chosen, strict=True)
        ]

    mu, _ = network.encode(inputs, controls=told)
    return heard(played), heard(network.decode(mu, controls=told, hits=kind.converter.given(played)))


def usual_velocities(train: Sequence[DatasetPiece]) -> np.ndarray:
    """Median velocity [9] of each drum in pieces, 0..1; the median of a class that is never struck is that of all."""
    hits, velocities, _ = np.split(np.concatenate([piece.events for piece in train]), 3, axis=1)
    struck = hits > 0.5
    return np.array(
        [
            np.median(velocities[:, k][struck[:, k]] if struck[:, k].any() else velocities[struck])
            for k in range(len(CLASSES))
        ]
    )


def _tensors(kind: GrooveWindows, windows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """What is heard [B, T, 27] and played [B, T, 27] of windows, and what is told besides [B, T, C], or None."""
    heard, played = zip(*map(kind.tensors, windows), strict=True)
    told = [controls for window in windows if (controls := kind.controls(window)) is not None]
    return np.stack(heard), np.stack(played), np.stack(told) if told else None


def _error_ms(strokes: Strokes) -> float:
    """Mean error of the timing, milliseconds."""
    return float((np.abs(strokes.offsets - strokes.made_offsets) / 2 * strokes.step_ms).mean())


def _divergences(strokes: Strokes) -> dict[str, float]:
    """Divergences of timing and of velocities, per drum and of all drums together."""
    timing, velocities = (strokes.offsets, strokes.made_offsets), (strokes.velocities, strokes.made_velocities)
    pooled = np.zeros_like(strokes.drums)
    return {
        "timing_kl": _divergence(*timing, strokes.drums, -1.0),
        "timing_kl_pooled": _divergence(*timing, pooled, -1.0),
        "velocity_kl": _divergence(*velocities, strokes.drums, 0.0),
        "velocity_kl_pooled": _divergence(*velocities, pooled, 0.0),
    }


def _divergence(true: np.ndarray, made: np.ndarray, groups: np.ndarray, lowest: float) -> float:
    """Mean over strokes of the divergence of their group's distribution, from `lowest` to 1, smoothed."""
    total = 0.0
    for group in np.unique(groups):
        here = groups == group
        p, q = (_histogram(part[here], lowest) + 0.5 for part in (true, made))
        p, q = p / p.sum(), q / q.sum()
        total += float((p * np.log(p / q)).sum()) * here.sum()
    return float(total / len(groups))


def _histogram(values: np.ndarray, lowest: float) -> np.ndarray:
    return np.histogram(values.clip(lowest, 1.0), BINS, (lowest, 1.0))[0]


def _f1(true: np.ndarray, made: np.ndarray) -> float:
    return float(2 * (true & made).sum() / max(1, true.sum() + made.sum()))
