# pyright: strict
"""Names and sizes of an NSynth autoencoder, as its variables tell them.

Kernels are [1, taps, inputs, outputs]; the taps of a dilated convolution lie d samples apart, d doubling from layer to
layer and beginning anew every `stages` layers, which nothing in a checkpoint says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HOP = 512
"""Samples that a frame of an encoding stands for."""
CHANNELS = 16
"""Numbers in a frame of an encoding."""
RATE = 16_000
"""Hz of the sound that goes in and comes out."""
CLASSES = 256
"""Values that a sample can have."""
TAPS = 3
STAGES = 10
"""Layers after which dilations begin anew, in the networks that were published."""
MOST_STAGES = 14
"""At that many a layer looks back a second; the queues of more would fill the memory."""
MOST_LAYERS = 256

Shape = tuple[int, ...]

_ENCODER_LAYER = re.compile(r"ae_dilatedconv_(\d{1,4})/W")
_DECODER_LAYER = re.compile(r"dilatedconv_(\d{1,4})/W")


@dataclass(frozen=True, slots=True)
class WaveNetLayout:
    """How large a network is.

    Attributes:
        layers, stages, width, skip_width: of the decoder, which plays.
        encoder_layers, encoder_stages, encoder_width: of the encoder, which hears.
    """

    layers: int
    width: int
    skip_width: int
    encoder_layers: int
    encoder_width: int
    stages: int = STAGES
    encoder_stages: int = STAGES

    def dilation(self, layer: int) -> int:
        """Samples between the taps of a layer of the decoder, counted from 0."""
        return 1 << layer % self.stages

    def encoder_dilation(self, layer: int) -> int:
        """The same of the encoder."""
        return 1 << layer % self.encoder_stages

    @property
    def memory(self) -> int:
        """Samples before the present one that the decoder hears."""
        return 2 * (1 + sum(self.dilation(layer) for layer in range(self.layers)))

    @property
    def reach(self) -> int:
        """Samples to either side of a sample that the encoder hears."""
        return 1 + sum(self.encoder_dilation(layer) for layer in range(self.encoder_layers))

    def encoder_shapes(self) -> dict[str, Shape]:
        """Variables of the encoder."""
        width = self.encoder_width
        shapes = {"ae_startconv": (TAPS, 1, width), "ae_bottleneck": (1, width, CHANNELS)}
        for layer in range(1, self.encoder_layers + 1):
            shapes[f"ae_dilatedconv_{layer}"] = (TAPS, width, width)
            shapes[f"ae_res_{layer}"] = (1, width, width)
        return dict(_variables(shapes))

    def decoder_shapes(self) -> dict[str, Shape]:
        """Variables of the decoder."""
        width, skip = self.width, self.skip_width
        shapes = {
            "startconv": (TAPS, 1, width),
            "skip_start": (1, width, skip),
            "out1": (1, skip, skip),
            "cond_map_out1": (1, CHANNELS, skip),
            "logits": (1, skip, CLASSES),
        }
        for layer in range(1, self.layers + 1):
            shapes[f"dilatedconv_{layer}"] = (TAPS, width, 2 * width)
            shapes[f"cond_map_{layer}"] = (1, CHANNELS, 2 * width)
            shapes[f"res_{layer}"] = (1, width, width)
            shapes[f"skip_{layer}"] = (1, width, skip)
        return dict(_variables(shapes))


def _variables(shapes: Mapping[str, tuple[int, int, int]]) -> Iterator[tuple[str, Shape]]:
    for name, shape in shapes.items():
        yield f"{name}/W", (1, *shape)
        yield f"{name}/biases", shape[-1:]


def read_layout(shapes: Mapping[str, Shape], stages: int = STAGES, encoder_stages: int | None = None) -> WaveNetLayout:
    """The layout that variables of these names and shapes have.

    Args:
        shapes: of all variables of a checkpoint; others than those of the network may be among them.
        stages: layers after which the dilations begin anew.
        encoder_stages: the same of the encoder, where it differs.

    Raises:
        ValueError: they are not those of an NSynth autoencoder; says why.
    """
    layers, encoder_layers = _count(shapes, _DECODER_LAYER), _count(shapes, _ENCODER_LAYER)
    if not layers or not encoder_layers:
        raise ValueError("it has no layers called dilatedconv_1 and ae_dilatedconv_1")
    if max(layers, encoder_layers) > MOST_LAYERS:
        raise ValueError(f"it has {max(layers, encoder_layers)} layers, and {MOST_LAYERS} are the most")
    layout = WaveNetLayout(
        layers,
        _last(shapes, "startconv/biases"),
        _last(shapes, "out1/biases"),
        encoder_layers,
        _last(shapes, "ae_startconv/biases"),
        stages,
        encoder_stages or stages,
    )
    for name, wanted in (layout.encoder_shapes() | layout.decoder_shapes()).items():
        found = shapes.get(name)
        if found is None:
            raise ValueError(f"its variable {name} is missing")
        if found != wanted:
            raise ValueError(f"its variable {name} has the shape {list(found)} instead of {list(wanted)}")
    return layout


def _count(shapes: Mapping[str, Shape], pattern: re.Pattern[str]) -> int:
    return max((int(match[1]) for name in shapes if (match := pattern.fullmatch(name))), default=0)


def _last(shapes: Mapping[str, Shape], name: str) -> int:
    shape = shapes.get(name, ())
    if not shape or shape[-1] < 1:
        raise ValueError(f"its variable {name} is missing or empty")
    return shape[-1]
