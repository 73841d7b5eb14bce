"""Every kind of network that the engine knows, by Magenta's config id."""

from __future__ import annotations

from engine.networks.chorale.configs import CHORALE, ChoraleConfig
from engine.networks.ensemble.configs import ENSEMBLE, EnsembleConfig
from engine.networks.polyphonic.configs import POLYPHONIC_CONFIGS
from engine.networks.rnn.configs import RNN_CONFIGS, RnnConfig
from engine.networks.vae.configs import VAE_CONFIGS, VaeConfig

AnyConfig = RnnConfig | VaeConfig | ChoraleConfig | EnsembleConfig

CONFIGS: dict[str, AnyConfig] = {
    config.name: config for config in (*RNN_CONFIGS, *POLYPHONIC_CONFIGS, CHORALE, ENSEMBLE, *VAE_CONFIGS)
}
