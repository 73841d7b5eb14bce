"""Held-out figures of a GrooVAE: how near its timing and loudness come to those of a drummer.

Source: Gillick et al. 2019, "Learning to Groove with Inverse Sequence Transformations", section 5 (timing in
milliseconds and in sixteenths, divergence of distributions).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.networks.vae.music_vae import MusicVae
from engine.score.drums import CLASSES
from engine.training.pieces import Piece
from engine.training.vae_windows import WINDOWS, held_out_windows

BINS = 20
"""Of the distributions of offsets (half a sixteenth early to half a sixteenth late) and of velocities."""
_AT_ONCE = 128


def evaluate_groove(network: MusicVae, pieces: Sequence[Piece], split: str = "test") -> dict[str, float]:
    """Figures at the strokes that the drummer played, on windows of two bars that do not overlap; z = mu.

    Args:
        network: a GrooVAE whose config is one of `WINDOWS`.
        pieces: all splits.
        split: which one to judge on.

    Returns:
        "timing_mae_ms", "timing_mse" (of sixteenths) and "velocity_mae" (of 1..127); "quantised_mae_ms": that of
        strokes on the grid; "timing_kl" and "velocity_kl": divergence in nats of what the network plays from what the
        drummers played, in `BINS` bins per drum class, averaged over strokes; "hits": F1 of the strokes themselves;
        "kl": of z, nats per window; "windows".
    """
    kind, steps = WINDOWS[network.config.name], network.config.steps
    targets, outputs, tempos, costs = [], [], [], []
    for piece in (piece for piece in pieces if piece.split == split):
        windows = held_out_windows(kind, [piece], steps)
        for k in range(0, len(windows), _AT_ONCE):
            inputs, played = (np.stack(x) for x in zip(*map(kind.tensors, windows[k : k + _AT_ONCE]), strict=True))
            mu, sigma = network.encode(inputs)
            targets.append(played)
            outputs.append(network.decode(mu))
            costs.append(0.5 * (mu**2 + sigma**2 - 2 * np.log(sigma) - 1).sum(axis=1))
            tempos.append(np.full(len(played), piece.qpm))
    true = np.split(np.concatenate(targets).astype(float), 3, axis=2)
    made = np.split(np.concatenate(outputs).astype(float), 3, axis=2)
    places = np.nonzero(true[0] > 0.5)
    step_ms = 15_000.0 / np.concatenate(tempos)[places[0]]
    late = (true[2][places] - made[2][places]) / 2
    return {
        "timing_mae_ms": float((np.abs(late) * step_ms).mean()),
        "timing_mse": float((late**2).mean()),
        "quantised_mae_ms": float((np.abs(true[2][places]) / 2 * step_ms).mean()),
        "velocity_mae": float(127 * np.abs(true[1][places] - made[1][places]).mean()),
        "timing_kl": _divergence(true[2][places], made[2][places], places[2], -1.0),
        "velocity_kl": _divergence(true[1][places], made[1][places], places[2], 0.0),
        "hits": _f1(true[0] > 0.5, made[0] > 0.5),
        "kl": float(np.concatenate(costs).mean()),
        "windows": float(len(true[0])),
    }


def _divergence(true: np.ndarray, made: np.ndarray, drums: np.ndarray, lowest: float) -> float:
    """Mean over strokes of the divergence of their drum's distribution, from `lowest` to 1, smoothed."""
    total = 0.0
    for drum in range(len(CLASSES)):
        here = drums == drum
        p, q = (np.histogram(part[here], BINS, (lowest, 1.0))[0] + 0.5 for part in (true, made))
        p, q = p / p.sum(), q / q.sum()
        total += float((p * np.log(p / q)).sum()) * here.sum()
    return float(total / len(drums))


def _f1(true: np.ndarray, made: np.ndarray) -> float:
    return float(2 * (true & made).sum() / max(1, true.sum() + made.sum()))
