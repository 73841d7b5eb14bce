"""MusicVAE and GrooVAE by Magenta's config ids, and two of our own: a trio, and a GrooVAE that is told the tempo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.networks.vae.converters import Converter, converter_of
from engine.networks.vae.converters.groove import TEMPO_CONTROLS
from engine.networks.vae.layout import VaeLayout, read_vae_layout


@dataclass(frozen=True, slots=True)
class VaeTraining:
    """How Magenta trains a config.

    Attributes:
        free_bits: of the KL divergence that cost nothing.
        max_beta: weight of the KL divergence in the end.
    """

    free_bits: float = 0.0
    max_beta: float = 1.0


@dataclass(frozen=True, slots=True)
class VaeConfig:
    """What the weights alone do not say about a variational autoencoder; see `engine.networks.contract.Config`.

    Attributes:
        family: "music_vae" or "groovae".
        name: Magenta's config id, such as "cat-mel_2bar_small"; `TRIO` and `HUMANIZE_TEMPO` are our own.
        steps: sixteenths of an example.
        input_size: numbers per step that the encoder hears, without controls.
        output_sizes: numbers per step of each part.
        latent, encoder, decoder: sizes that training takes unless told otherwise.
        control_size: numbers per step that encoder and decoder are told besides.
        conditions: fields of `Conditions` that the controls stand for; none where they come with the music.
        head: what the decoder's numbers mean: "categorical" (one class per part), "groove" (nine hits, velocities and
            offsets) or "nade" (any set of classes).
        bars: bars that the conductor of a hierarchical decoder leads; 0 without a conductor.
        nade: hidden units of the NADE that training takes unless told otherwise; 0 without a NADE.
        training: how Magenta trains it.
    """

    family: str
    name: str
    steps: int
    input_size: int
    output_sizes: tuple[int, ...]
    latent: int
    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    control_size: int = 0
    conditions: tuple[str, ...] = ()
    head: Literal["categorical", "groove", "nade"] = "categorical"
    bars: int = 0
    nade: int = 0
    training: VaeTraining = field(default_factory=VaeTraining)

    @property
    def output_size(self) -> int:
        """Numbers per step of all parts."""
        return sum(self.output_sizes)

    @property
    def attention_length(self) -> int:
        """See `Config.attention_length`: none has attention."""
        return 0

    def layout(self) -> VaeLayout:
        """Names and shapes of the weights at the sizes that training takes unless told otherwise."""
        conductor = self.decoder if self.bars else ()
        return VaeLayout(
            self.input_size,
            self.output_sizes,
            self.control_size,
            self.latent,
            self.encoder,
            self.decoder,
            conductor,
            self.nade,
        )

    def read_layout(self, shapes: Mapping[str, tuple[int, ...]]) -> VaeLayout:
        """Names and shapes of given weights, which are checked.

        Raises:
            ValueError: as `sizes`.
        """
        return read_vae_layout(
            shapes, self.name, self.input_size, self.output_sizes, self.control_size, bool(self.bars), bool(self.nade)
        )

    def sizes(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
        """See `Config.sizes`; an empty "encoder" says that there is a decoder alone."""
        return self.read_layout(shapes).sizes()

    def allows(self, steps_per_bar: int) -> str | None:
        """Why it cannot play in bars of so many sixteenths; None if it can."""
        if self.bars and steps_per_bar * self.bars != self.steps:
            return f"{self.name} plays {self.bars} bars of {self.steps // self.bars}/16, and no others"
        if steps_per_bar > self.steps:
            return (
                f"{self.name} plays {self.steps} sixteenths at a time, which is less than a bar of {steps_per_bar}/16"
            )
        return None

    def make_converter(self) -> Converter:
        """What turns music into this network's tensors, and back."""
        return converter_of(self.name)


TRIO = "trio_4bar"
"""Our own: four bars of melody, bass and drums, with a flat decoder for each. Magenta's trio of sixteen bars has a
conductor, which takes more music to teach than there is here."""
HUMANIZE_TEMPO = "groovae_2bar_humanize_tempo"
"""Our own: `groovae_2bar_humanize` that is told the tempo and what comes."""
_SMALL, _BIG = (256, (512,), (256, 256)), (512, (2048,), (2048, 2048, 2048))
_SIXTEEN_BARS = (512, (2048, 2048), (1024, 1024))


def _groove(name: str, steps: int = 32, control_size: int = 0) -> VaeConfig:
    training = VaeTraining(free_bits=48, max_beta=0.2)
    return VaeConfig("groovae", name, steps, 27, (27,), *_SMALL, control_size, head="groove", training=training)


VAE_CONFIGS: tuple[VaeConfig, ...] = (
    VaeConfig(
        "music_vae",
        "cat-drums_2bar_small",
        32,
        10,
        (512,),
        *_SMALL,
        training=VaeTraining(free_bits=48, max_beta=0.2),
    ),
    VaeConfig(
        "music_vae",
        "cat-mel_2bar_small",
        32,
        90,
        (90,),
        *_SMALL,
        training=VaeTraining(max_beta=0.2),
    ),
    VaeConfig(
        "music_vae",
        "cat-mel_2bar_big",
        32,
        90,
        (90,),
        *_BIG,
        training=VaeTraining(max_beta=0.5),
    ),
    VaeConfig(
        "music_vae",
        "cat-mel_2bar_med_chords",
        32,
        90,
        (90,),
        256,
        (1024,),
        (512, 512, 512),
        control_size=49,
        conditions=("chords",),
    ),
    VaeConfig(
        "music_vae",
        "nade-drums_2bar_full",
        32,
        62,
        (61,),
        256,
        (1024,),
        (512, 512),
        head="nade",
        nade=128,
        training=VaeTraining(free_bits=48, max_beta=0.2),
    ),
    VaeConfig(
        "music_vae",
        "hierdec-mel_16bar",
        256,
        90,
        (90,),
        *_SIXTEEN_BARS,
        bars=16,
        training=VaeTraining(free_bits=256, max_beta=0.2),
    ),
    VaeConfig(
        "music_vae",
        "hierdec-trio_16bar",
        256,
        692,
        (90, 90, 512),
        *_SIXTEEN_BARS,
        bars=16,
        training=VaeTraining(free_bits=256, max_beta=0.2),
    ),
    VaeConfig(
        "music_vae",
        TRIO,
        64,
        190,
        (90, 90, 512),
        256,
        (256,),
        (256, 256),
        training=VaeTraining(free_bits=256, max_beta=0.2),
    ),
    _groove("groovae_4bar", steps=64),
    _groove("groovae_2bar_humanize"),
    _groove(HUMANIZE_TEMPO, control_size=TEMPO_CONTROLS),
    _groove("groovae_2bar_tap_fixed_velocity"),
    _groove("groovae_2bar_add_closed_hh"),
    _groove("groovae_2bar_hits_control_tfds", control_size=9),
)

DRUM_VAES = ("cat-drums_2bar_small", "nade-drums_2bar_full")
"""Configs of MusicVAE that play drums alone."""
TRIOS = ("hierdec-trio_16bar", TRIO)
"""Configs of MusicVAE that play melody, bass and drums."""
