"""Neural networks that continue musical event sequences, and their weights files.

    card = read_card(path)                 # what it is; reads only the header
    network = load_network(path)           # an EventSequenceRnn
    events = network.generate(primer, num_steps=32, temperature=1.0, rng=np.random.default_rng(7))

Importing this package, reading cards and playing with the numpy backend import no TensorFlow.
"""

from __future__ import annotations

from pathlib import Path

from engine.networks.card import WeightsCard, read_card, read_weights
from engine.networks.configs import CONFIGS, RnnConfig
from engine.networks.encodings import NO_EVENT, NOTE_OFF
from engine.networks.rnn import Backend, EventSequenceRnn

__all__ = [
    "CONFIGS",
    "NOTE_OFF",
    "NO_EVENT",
    "Backend",
    "EventSequenceRnn",
    "RnnConfig",
    "WeightsCard",
    "load_network",
    "read_card",
]


def load_network(path: Path | str, backend: Backend = "numpy") -> EventSequenceRnn:
    """Load a weights file.

    Args:
        path: a .safetensors file with a card.
        backend: what computes: "numpy", or "tensorflow" (imports TensorFlow; the same numbers within 1e-5).

    Raises:
        PerpetuumError: the file is missing, broken or of an unknown kind.
    """
    card, weights = read_weights(path)
    return EventSequenceRnn(CONFIGS[card.config], weights, backend)
