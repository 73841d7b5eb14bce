"""The event-sequence RNNs that the engine knows, by Magenta's names: which encoding, which attention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.networks.encodings import DrumKitEncoding, EventEncoding, KeyMelodyEncoding


@dataclass(frozen=True, slots=True)
class RnnConfig:
    """What the weights alone do not say about an event-sequence RNN. Layer sizes are read off the weights.

    Attributes:
        family: Magenta's family, such as "drums_rnn".
        name: Magenta's config id, such as "drum_kit".
        make_encoding: builds the event encoding.
        attention_length: rows of the attention window of layer 0; 0 for none.
        steps_per_quarter: steps of the time grid in a quarter note.
        default_layers: LSTM units per layer that training takes unless told otherwise.
    """

    family: str
    name: str
    make_encoding: Callable[[], EventEncoding]
    attention_length: int
    steps_per_quarter: int
    default_layers: tuple[int, ...]


CONFIGS: dict[str, RnnConfig] = {
    config.name: config
    for config in (
        RnnConfig("drums_rnn", "drum_kit", DrumKitEncoding, 32, 4, (128, 128, 128)),
        RnnConfig("melody_rnn", "attention_rnn", KeyMelodyEncoding, 40, 4, (128, 128)),
    )
}
