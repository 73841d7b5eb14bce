"""The RNNs for several voices, by Magenta's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from engine.networks.contract import EventEncoding
from engine.networks.encodings.performance.controls import PerformanceControl
from engine.networks.encodings.performance.notes import CLASSES, NotePerformanceEncoding
from engine.networks.encodings.performance.performance import PerformanceEncoding
from engine.networks.encodings.pianoroll import KEYS, PianorollEncoding
from engine.networks.encodings.polyphony import PolyphonyEncoding
from engine.networks.polyphonic.heads import Categoricals, NadeHead
from engine.networks.polyphonic.nade import Nade
from engine.networks.rnn.configs import RnnConfig
from engine.networks.rnn.layout import INNER, RnnLayout, read_layout

ENCODER, DECODER = "nade/w_enc", "nade/w_dec_t"
"""Names of the weights of a NADE."""
_SCOPE, _OUTPUT_NAMES = "decoder", ("decoder/dense/kernel", "decoder/dense/bias")


def _six_softmaxes(encoding: EventEncoding, weights: Mapping[str, np.ndarray]) -> Categoricals:
    return Categoricals(CLASSES)


def _nade(encoding: EventEncoding, weights: Mapping[str, np.ndarray]) -> NadeHead:
    return NadeHead(Nade(weights[ENCODER], weights[DECODER]))


@dataclass(frozen=True, slots=True, kw_only=True)
class NadeConfig(RnnConfig):
    """An `RnnConfig` whose outputs are the biases of a NADE.

    Attributes:
        default_hidden: hidden units of the NADE that training takes unless told otherwise.
    """

    default_hidden: int = 128

    def default_layout(self, layers: tuple[int, ...] = ()) -> RnnLayout:
        """See `RnnConfig.default_layout`; the weights of the NADE, `nade_shapes`, stand beside it."""
        return RnnLayout(
            KEYS,
            self.default_hidden + KEYS,
            tuple(layers) or self.default_layers,
            INNER if self.attention_length else None,
            self.attention_length,
            _SCOPE,
            _OUTPUT_NAMES,
        )

    def layout(self, shapes: Mapping[str, tuple[int, ...]]) -> RnnLayout:
        """See `RnnConfig.layout`; hidden units are read off the NADE's own weights, which are checked, too."""
        hidden = shapes[ENCODER][-1] if shapes.get(ENCODER) else self.default_hidden
        return read_layout(
            shapes,
            self.name,
            KEYS,
            hidden + KEYS,
            self.attention_length,
            _SCOPE,
            _OUTPUT_NAMES,
            nade_shapes(hidden),
        )


def nade_shapes(hidden: int) -> dict[str, tuple[int, ...]]:
    """The weights of a NADE over the keys of a piano, by name."""
    return {ENCODER: (KEYS, 1, hidden), DECODER: (KEYS, hidden, 1)}


_DENSITY, _PITCHES = PerformanceControl.NOTES_PER_SECOND, PerformanceControl.PITCH_CLASSES
_PERFORMANCES: dict[str, partial[PerformanceEncoding]] = {
    "performance": partial(PerformanceEncoding, dynamics=False),
    "performance_with_dynamics": partial(PerformanceEncoding),
    # Its inputs are the classes, which are made one-hot behind the input: the same network.
    "performance_with_dynamics_compact": partial(PerformanceEncoding),
    "performance_with_dynamics_and_modulo_encoding": partial(PerformanceEncoding, circular=True),
    "density_conditioned_performance_with_dynamics": partial(PerformanceEncoding, controls=(_DENSITY,)),
    "pitch_conditioned_performance_with_dynamics": partial(PerformanceEncoding, controls=(_PITCHES,)),
    "multiconditioned_performance_with_dynamics": partial(PerformanceEncoding, controls=(_DENSITY, _PITCHES)),
    "optional_multiconditioned_performance_with_dynamics": partial(
        PerformanceEncoding, controls=(_DENSITY, _PITCHES), optional=True
    ),
}

POLYPHONIC_CONFIGS: tuple[RnnConfig, ...] = (
    RnnConfig(
        family="polyphony_rnn",
        name="polyphony",
        encoding=PolyphonyEncoding,
        default_layers=(256, 256, 256),
        conditions=("inject_primer", "condition_on_primer"),
    ),
    *(
        RnnConfig(
            family="performance_rnn",
            name=name,
            encoding=encoding,
            default_layers=(512, 512, 512),
            conditions=tuple(control.value for control in encoding.keywords.get("controls", ())),
        )
        for name, encoding in _PERFORMANCES.items()
    ),
    RnnConfig(
        family="performance_rnn",
        name="performance_with_dynamics_and_note_encoding",
        encoding=NotePerformanceEncoding,
        head=_six_softmaxes,
        default_layers=(512, 512, 512),
    ),
    NadeConfig(
        family="pianoroll_rnn_nade",
        name="rnn-nade",
        encoding=PianorollEncoding,
        head=_nade,
        default_layers=(128, 128, 128),
    ),
    NadeConfig(
        family="pianoroll_rnn_nade",
        name="rnn-nade_attn",
        encoding=PianorollEncoding,
        head=_nade,
        default_layers=(128, 128),
        attention_length=32,
    ),
)
