"""Names and shapes of the weights of MusicVAE and GrooVAE, as Magenta's checkpoints spell them.

The encoder is a stack of bidirectional LSTMs, the decoder a stack of LSTMs that is told z and the controls at every
step. A hierarchical decoder has a conductor above it, which alone knows z and gives one embedding per bar; its core
decoders, one per part, are told the embedding in place of z. Several parts without a conductor have flat decoders side
by side, `decoder_0` and on. LSTM kernels are [input + hidden, 4 * hidden], gates in
the order input, candidate, forget, output; a forget bias of 1 is added at run time and is not part of the stored bias.

Source: Roberts et al. 2018, "A Hierarchical Latent Vector Model for Learning Long-Term Structure in Music", section 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.networks.rnn.layout import check_shapes

CONDUCTOR = "decoder/hierarchical_level_0"


def encoder_cell(layer: int, direction: str) -> str:
    """Name of an LSTM cell of the encoder; `direction` is "fw" or "bw"."""
    return f"encoder/cell_{layer}/bidirectional_rnn/{direction}/multi_rnn_cell/cell_0/lstm_cell"


def conductor_cell(layer: int) -> str:
    """Name of an LSTM cell of the conductor."""
    return f"{CONDUCTOR}/cell_{layer}/lstm_cell"


def decoder_cell(layer: int, scope: str = "decoder") -> str:
    """Name of an LSTM cell of a decoder."""
    return f"{scope}/multi_rnn_cell/cell_{layer}/lstm_cell"


@dataclass(frozen=True, slots=True)
class VaeLayout:
    """What decides the names and shapes of the weights.

    Attributes:
        input_size: numbers per step that the encoder hears, without controls.
        output_sizes: numbers per step that each part's decoder gives; one part, or three of a trio.
        control_size: numbers per step that encoder and decoder are told besides.
        latent: numbers of z.
        encoder: units per layer and direction; none for a decoder alone.
        decoder: units per layer.
        conductor: units per layer; none without a hierarchy.
        nade: hidden units of the NADE that makes an output of the decoder's numbers; 0 without.
    """

    input_size: int
    output_sizes: tuple[int, ...]
    control_size: int
    latent: int
    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    conductor: tuple[int, ...] = ()
    nade: int = 0

    @property
    def scopes(self) -> tuple[str, ...]:
        """Scope of each part's decoder."""
        return decoder_scopes(len(self.output_sizes), bool(self.conductor))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every weight by name."""
        shapes: dict[str, tuple[int, ...]] = {}
        below = self.input_size + self.control_size
        for layer, units in enumerate(self.encoder):
            for direction in ("fw", "bw"):
                _add_cell(shapes, encoder_cell(layer, direction), below, units)
            below = 2 * units
        if self.encoder:
            for name in ("mu", "sigma"):
                _add_dense(shapes, f"encoder/{name}", below, self.latent)
        embedding = self.latent
        if self.conductor:
            _add_dense(shapes, f"{CONDUCTOR}/initial_state", self.latent, 2 * sum(self.conductor))
            below = 1
            for layer, units in enumerate(self.conductor):
                _add_cell(shapes, conductor_cell(layer), below, units)
                below = units
            embedding = below
        for scope, output_size in zip(self.scopes, self.output_sizes, strict=True):
            _add_dense(shapes, f"{scope}/z_to_initial_state", embedding, 2 * sum(self.decoder))
            below = output_size + embedding + self.control_size
            for layer, units in enumerate(self.decoder):
                _add_cell(shapes, decoder_cell(layer, scope), below, units)
                below = units
            _add_dense(shapes, f"{scope}/output_projection", below, self.nade + output_size)
            if self.nade:
                shapes[f"{scope}/nade/w_enc"] = (output_size, 1, self.nade)
                shapes[f"{scope}/nade/w_dec_t"] = (output_size, self.nade, 1)
        return shapes

    def sizes(self) -> dict[str, Any]:
        """What a card says: {"latent": 256, "encoder": [512], "decoder": [256, 256]}, and "conductor" and "nade" where
        there are such."""
        sizes: dict[str, Any] = {
            "latent": self.latent,
            "encoder": list(self.encoder),
            "decoder": list(self.decoder),
        }
        if self.conductor:
            sizes["conductor"] = list(self.conductor)
        if self.nade:
            sizes["nade"] = self.nade
        return sizes


def decoder_scopes(parts: int, hierarchical: bool) -> tuple[str, ...]:
    """Scope of each part's decoder."""
    if not hierarchical:
        return ("decoder",) if parts == 1 else tuple(f"decoder_{part}" for part in range(parts))
    if parts == 1:
        return ("core_decoder/decoder",)
    return tuple(f"core_decoder/core_decoder_{part}/decoder" for part in range(parts))


def read_vae_layout(
    shapes: Mapping[str, tuple[int, ...]],
    config: str,
    input_size: int,
    output_sizes: tuple[int, ...],
    control_size: int,
    hierarchical: bool,
    nade: bool,
) -> VaeLayout:
    """Sizes of the layers, read off the weights, which are checked.

    Weights without anything under `encoder/` are a decoder alone.

    Args:
        shapes: of the weights, by name.
        config: whose weights they should be, for messages.
        input_size, output_sizes, control_size: as in `VaeLayout`; what the config knows.
        hierarchical: whether the decoder has a conductor.
        nade: whether the decoder ends in a NADE.

    Raises:
        ValueError: saying which weight is missing, left over or misshapen.
    """
    scope = decoder_scopes(len(output_sizes), hierarchical)[0]
    whole = any(name.startswith("encoder/") for name in shapes)
    encoder = _units(shapes, encoder_cell(0, "fw").replace("cell_0/bi", r"cell_(\d+)/bi") + "/bias") if whole else ()
    decoder = _units(shapes, decoder_cell(0, scope).replace("cell_0", r"cell_(\d+)") + "/bias")
    conductor = _units(shapes, conductor_cell(0).replace("/cell_0", r"/cell_(\d+)") + "/bias") if hierarchical else ()
    top = f"{CONDUCTOR}/initial_state/kernel" if hierarchical else f"{scope}/z_to_initial_state/kernel"
    latent = _shape(shapes, top, 2)[0]
    hidden = _shape(shapes, f"{scope}/nade/w_enc", 3)[2] if nade else 0
    layout = VaeLayout(input_size, output_sizes, control_size, latent, encoder, decoder, conductor, hidden)
    check_shapes(shapes, layout.shapes(), config)
    return layout


def _add_cell(shapes: dict[str, tuple[int, ...]], name: str, below: int, units: int) -> None:
    shapes[f"{name}/kernel"] = (below + units, 4 * units)
    shapes[f"{name}/bias"] = (4 * units,)


def _add_dense(shapes: dict[str, tuple[int, ...]], name: str, below: int, size: int) -> None:
    shapes[f"{name}/kernel"] = (below, size)
    shapes[f"{name}/bias"] = (size,)


def _units(shapes: Mapping[str, tuple[int, ...]], pattern: str) -> tuple[int, ...]:
    biases = re.compile(pattern)
    found = {int(match[1]): name for name in shapes if (match := biases.fullmatch(name))}
    if not found or sorted(found) != list(range(len(found))):
        first = pattern.replace(r"(\d+)", "0")
        raise ValueError(f"no complete stack of LSTM layers {first}, ... among the weights")
    return tuple(_shape(shapes, found[layer], 1)[0] // 4 for layer in range(len(found)))


def _shape(shapes: Mapping[str, tuple[int, ...]], name: str, rank: int) -> tuple[int, ...]:
    if name not in shapes:
        raise ValueError(f"weight {name} is missing")
    if len(shapes[name]) != rank:
        raise ValueError(f"weight {name} is {list(shapes[name])}, but has to have {rank} axes")
    return tuple(shapes[name])
