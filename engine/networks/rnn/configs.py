"""The event-sequence RNNs, by Magenta's names: what kinds there are, and those on a grid of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from engine.networks.contract import EventEncoding, Head
from engine.networks.encodings.drums import DrumKitEncoding, OneDrumEncoding
from engine.networks.encodings.improv import ImprovEncoding, chord_pitches, triad_chord
from engine.networks.encodings.melody import KeyMelodyEncoding, LookbackMelodyEncoding, OneHotMelodyEncoding
from engine.networks.rnn.heads import Categorical
from engine.networks.rnn.layout import INNER, OUTPUT_BIASES, OUTPUT_WEIGHTS, RnnLayout, read_layout
from engine.score.harmony.chords import Chord


def one_softmax(encoding: Any, weights: Mapping[str, np.ndarray]) -> Head:
    """A head for the classes of an encoding."""
    return Categorical(encoding.num_classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RnnConfig:
    """What the weights alone do not say about an event-sequence RNN; see `engine.networks.contract.Config`.

    Attributes:
        family: Magenta's family, such as "drums_rnn".
        name: Magenta's config id, such as "drum_kit".
        encoding: builds the event encoding; called with `steps_per_bar=` if `in_bars`.
        default_layers: LSTM units per layer that training takes unless told otherwise.
        attention_length: rows of the attention window; 0 for none.
        steps_per_quarter: steps of the time grid in a quarter note.
        conditions: fields of `Conditions` that the network takes.
        in_bars: the encoding looks back or counts by bars, so it is built for their length.
        head: builds what the outputs mean, from the encoding and the weights.
        scope: what the names of the recurrent weights begin with.
        output_names: names of the output layer's weights and biases.
    """

    family: str
    name: str
    encoding: Callable[..., EventEncoding]
    default_layers: tuple[int, ...]
    attention_length: int = 0
    steps_per_quarter: int = 4
    conditions: tuple[str, ...] = ()
    in_bars: bool = False
    head: Callable[[EventEncoding, Mapping[str, np.ndarray]], Head] = one_softmax
    scope: str = "rnn"
    output_names: tuple[str, str] = (OUTPUT_WEIGHTS, OUTPUT_BIASES)

    def make_encoding(self, steps_per_bar: int = 16) -> EventEncoding:
        """The encoding, for bars of so many sixteenths."""
        return self.encoding(steps_per_bar=steps_per_bar) if self.in_bars else self.encoding()

    def make_head(self, encoding: EventEncoding, weights: Mapping[str, np.ndarray]) -> Head:
        """What the outputs mean."""
        return self.head(encoding, weights)

    def default_layout(self, layers: tuple[int, ...] = ()) -> RnnLayout:
        """Names and shapes of the weights that training starts with; attention is inner.

        Args:
            layers: LSTM units per layer; `default_layers` unless given.
        """
        encoding = self.make_encoding()
        attention = INNER if self.attention_length else None
        return RnnLayout(
            encoding.input_size,
            self.make_head(encoding, {}).output_size,
            tuple(layers) or self.default_layers,
            attention,
            self.attention_length,
            self.scope,
            self.output_names,
        )

    def layout(self, shapes: Mapping[str, tuple[int, ...]]) -> RnnLayout:
        """The layout of weights of these shapes, checked.

        Raises:
            ValueError: as `sizes`.
        """
        encoding = self.make_encoding()
        return read_layout(
            shapes,
            self.name,
            encoding.input_size,
            self.make_head(encoding, {}).output_size,
            self.attention_length,
            self.scope,
            self.output_names,
        )

    def sizes(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
        """See `Config.sizes`."""
        return self.layout(shapes).sizes()

    def allows(self, steps_per_bar: int) -> str | None:
        """Why it cannot play in bars of so many sixteenths; None if it can.

        Networks that look back or count by bars of sixteen do so by such bars then, see `encodings.counters`.
        """
        if steps_per_bar * self.steps_per_quarter % 4:
            return (
                f"{self.name} counts in steps of 1/{4 * self.steps_per_quarter}, "
                f"and a bar of {steps_per_bar}/16 is no whole number of them"
            )
        return None


def _improv(melody: Callable[..., Any], chord: Callable[[Chord | None], np.ndarray]) -> Callable[..., EventEncoding]:
    """An encoding over chords, which leaves the melody in its key, so that the chords stay what they are."""

    def encoding(**arguments: int) -> EventEncoding:
        return ImprovEncoding(melody(transpose_to_key=None, **arguments), chord)

    return encoding


RNN_CONFIGS: tuple[RnnConfig, ...] = (
    RnnConfig(
        family="drums_rnn",
        name="one_drum",
        encoding=OneDrumEncoding,
        default_layers=(128, 128),
        steps_per_quarter=2,
    ),
    RnnConfig(
        family="drums_rnn",
        name="drum_kit",
        encoding=DrumKitEncoding,
        default_layers=(256, 256, 256),
        attention_length=32,
        in_bars=True,
    ),
    RnnConfig(
        family="melody_rnn",
        name="basic_rnn",
        encoding=OneHotMelodyEncoding,
        default_layers=(128, 128),
    ),
    RnnConfig(
        family="melody_rnn",
        name="mono_rnn",
        encoding=partial(OneHotMelodyEncoding, 0, 128, None),
        default_layers=(128, 128),
    ),
    RnnConfig(
        family="melody_rnn",
        name="lookback_rnn",
        encoding=LookbackMelodyEncoding,
        default_layers=(128, 128),
        in_bars=True,
    ),
    RnnConfig(
        family="melody_rnn",
        name="attention_rnn",
        encoding=KeyMelodyEncoding,
        default_layers=(128, 128),
        attention_length=40,
        in_bars=True,
    ),
    RnnConfig(
        family="improv_rnn",
        name="basic_improv",
        encoding=_improv(OneHotMelodyEncoding, triad_chord),
        default_layers=(64, 64),
        conditions=("chords",),
    ),
    RnnConfig(
        family="improv_rnn",
        name="attention_improv",
        encoding=_improv(KeyMelodyEncoding, triad_chord),
        default_layers=(128, 128, 128),
        attention_length=40,
        conditions=("chords",),
        in_bars=True,
    ),
    RnnConfig(
        family="improv_rnn",
        name="chord_pitches_improv",
        encoding=_improv(OneHotMelodyEncoding, chord_pitches),
        default_layers=(256, 256, 256),
        conditions=("chords",),
    ),
)
