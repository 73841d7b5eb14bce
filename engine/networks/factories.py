"""Networks ready to play, out of a config and weights. Configs know nothing of them."""

# pyright: strict

from __future__ import annotations

from collections.abc import Mapping
from typing import overload

import numpy as np

from engine.networks.chorale.configs import ChoraleConfig
from engine.networks.chorale.network import ChoraleNetwork
from engine.networks.ensemble.configs import EnsembleConfig
from engine.networks.ensemble.network import EnsembleNetwork
from engine.networks.polyphonic.performance_rnn import PerformanceRnn
from engine.networks.polyphonic.pianoroll_rnn import PianorollRnnNade
from engine.networks.polyphonic.polyphony_rnn import PolyphonyRnn
from engine.networks.rnn.configs import RnnConfig
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.networks.vae.configs import VaeConfig
from engine.networks.vae.music_vae import MusicVae

_BY_FAMILY: dict[str, type[EventSequenceRnn]] = {
    "performance_rnn": PerformanceRnn,
    "pianoroll_rnn_nade": PianorollRnnNade,
    "polyphony_rnn": PolyphonyRnn,
}
"""Families whose music does not lie on the grid of one event a step."""


@overload
def build_network(config: RnnConfig, weights: Mapping[str, np.ndarray]) -> EventSequenceRnn: ...


@overload
def build_network(config: VaeConfig, weights: Mapping[str, np.ndarray]) -> MusicVae: ...


@overload
def build_network(config: ChoraleConfig, weights: Mapping[str, np.ndarray]) -> ChoraleNetwork: ...


@overload
def build_network(config: EnsembleConfig, weights: Mapping[str, np.ndarray]) -> EnsembleNetwork: ...


def build_network(
    config: RnnConfig | VaeConfig | ChoraleConfig | EnsembleConfig, weights: Mapping[str, np.ndarray]
) -> EventSequenceRnn | MusicVae | ChoraleNetwork | EnsembleNetwork:
    """The network of a config with these float32 weights.

    Raises:
        ValueError: as `Config.sizes`.
    """
    if isinstance(config, VaeConfig):
        return MusicVae(config, weights)
    if isinstance(config, ChoraleConfig):
        return ChoraleNetwork(config, weights)
    if isinstance(config, EnsembleConfig):
        return EnsembleNetwork(config, weights)
    return _BY_FAMILY.get(config.family, EventSequenceRnn)(config, weights)
