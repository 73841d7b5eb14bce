"""Weights files of made-up networks, so that every family can be tried before there are trained ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.networks import CONFIGS, WeightsCard
from engine.networks.card import write_weights
from engine.networks.chorale.encoding import END, LABELS, WIDE
from engine.networks.chorale.layout import ChoraleLayout
from engine.networks.ensemble.configs import ensemble_shapes
from engine.networks.polyphonic.configs import nade_shapes
from tests.networks.golden import made_up_weights


def made_up(folder: Path, config: str) -> Path:
    """A weights file of a small network of a config."""
    kind: Any = CONFIGS[config]
    if kind.family in ("music_vae", "groovae"):
        layout = replace(kind.layout(), latent=8, encoder=(12,), decoder=(12, 12), nade=8 if kind.nade else 0)
        shapes = (replace(layout, conductor=(12, 12)) if kind.bars else layout).shapes()
    elif kind.family == "chorale":
        shapes = ChoraleLayout((12, 10), embedding=12, attention=8, heads=2, window=40, dense=10).shapes()
    elif kind.family == "ensemble":
        shapes = ensemble_shapes(12, 10)
    else:
        shapes = kind.default_layout((12, 12)).shapes()
        if kind.family == "pianoroll_rnn_nade":
            shapes |= nade_shapes(kind.default_hidden)
    weights = made_up_weights(shapes)
    # Without these a network of chance never ends a step, or plays on every one.
    if kind.family == "polyphony_rnn":
        weights["fully_connected/biases"][2] += 5
    if kind.family == "chorale":
        # One that holds no note is slow to draw, and one that may end at once makes no music.
        weights["output/bias"][LABELS + WIDE] += 5
        weights["output/bias"][END] -= 12
    if kind.family == "groovae":
        weights["decoder/output_projection/bias"][:9] -= 1.5
    path = folder / f"{config}.safetensors"
    card = WeightsCard(config, kind.family, config, kind.sizes(shapes), "CC0-1.0")
    write_weights(path, card, weights, np.float32)
    return path
