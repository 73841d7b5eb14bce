"""Reference numbers of MusicVAE and GrooVAE made with the original Magenta 2.1.4, and the weights of these networks."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

import numpy as np

from engine.networks import build_network
from engine.networks.vae.configs import HUMANIZE_TEMPO, TRIO, VAE_CONFIGS, VaeConfig
from engine.networks.vae.music_vae import MusicVae
from tests.networks.golden import made_up_weights

_FOLDER = Path(__file__).resolve().parents[2] / "golden"
CONFIGS = {config.name: config for config in VAE_CONFIGS if config.name not in (TRIO, HUMANIZE_TEMPO)}
"""Those that Magenta knows."""
LARGE = ("cat-mel_2bar_small_full", "cat-drums_2bar_small_full")
"""References at the full sizes of their configs."""
REFERENCES = (*(f"{name}_small" for name in CONFIGS), *LARGE)
"""Config id and size of each reference."""


class VaeGolden:
    """The reference numbers of one config; of long or wide outputs some steps alone, which `steps` names."""

    def __init__(self, reference: str) -> None:
        self.arrays = np.load(_FOLDER / f"vae_{reference}.npz")
        self.info = json.loads(bytes(self.arrays["info"]))
        self.config = CONFIGS[self.info["config"]]

    def __contains__(self, key: str) -> bool:
        return key in self.arrays

    def __getitem__(self, key: str) -> np.ndarray:
        return self.arrays[key]

    def get(self, key: str) -> np.ndarray | None:
        """An array, or None where the config has none."""
        return self.arrays.get(key)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the variables that Magenta wrote."""
        return {name: tuple(shape) for name, shape, _ in self.info["variables"] if name != "global_step"}

    @cached_property
    def network(self) -> MusicVae:
        return build_network(self.config, vae_weights(self.config, self.shapes))


def vae_weights(config: VaeConfig, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Weights as the reference run made them: drums are rarer than they would be by chance."""
    weights = made_up_weights(shapes)
    if config.head == "nade":
        weights["decoder/output_projection/bias"][-config.output_size :] -= 2
    if config.head == "groove":
        weights["decoder/output_projection/bias"][:9] -= 1.5
    return weights


def small_network(name: str) -> MusicVae:
    """A network of a config with made-up weights of the references' small sizes."""
    return VaeGolden(f"{name}_small").network
