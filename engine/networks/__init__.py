"""Neural networks that make and continue music, and their weights files.

    card = read_card(path)                 # what it is; reads no weights
    network = load_network(path)           # an EventSequenceRnn, MusicVae, ...; also from a checkpoint
    events = network.generate(primer, num_steps=32, temperature=1.0, rng=np.random.default_rng(7))

Nothing here imports TensorFlow: networks play in numpy. Their twins for training are Keras 3 models in modules called
`keras_*`, which are imported by `engine.training` alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.networks.card import WeightsCard
from engine.networks.checkpoints import open_weights, read_card
from engine.networks.chorale.network import ChoraleNetwork
from engine.networks.configs import CONFIGS
from engine.networks.ensemble.network import EnsembleNetwork
from engine.networks.factories import build_network
from engine.networks.rnn.configs import RnnConfig
from engine.networks.rnn.event_sequence import EventSequenceRnn
from engine.networks.vae.music_vae import MusicVae

__all__ = ["CONFIGS", "WeightsCard", "build_network", "load_network", "read_card"]


def load_network(
    path: Path | str, config: str | None = None
) -> EventSequenceRnn | MusicVae | ChoraleNetwork | EnsembleNetwork:
    """Load a network from a weights file or a checkpoint.

    Args:
        path: a weights file, a Magenta bundle, a MusicVAE tar or a TensorFlow checkpoint.
        config: which network a checkpoint is, where it does not say so itself.

    Raises:
        PerpetuumError: the file is missing, broken, of an unknown kind or of another config.
    """
    card, weights = open_weights(path, config)
    kind = CONFIGS[card.config]
    if card.attention_length is not None and isinstance(kind, RnnConfig):
        kind = replace(kind, attention_length=card.attention_length)
    return build_network(kind, weights)
