"""Every kind of network that the engine knows, by Magenta's config id."""

from __future__ import annotations

from engine.networks.contract import Config
from engine.networks.polyphonic.configs import POLYPHONIC_CONFIGS
from engine.networks.rnn.configs import RNN_CONFIGS
from engine.networks.vae.configs import VAE_CONFIGS

CONFIGS: dict[str, Config] = {config.name: config for config in (*RNN_CONFIGS, *POLYPHONIC_CONFIGS, *VAE_CONFIGS)}
