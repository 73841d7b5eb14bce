"""Music to the tensors of MusicVAE and GrooVAE, and back; `converter_of(config)` gives the one of a config.

converter = converter_of("cat-mel_2bar_small")
heard = converter.window(piece)                     # two bars, whatever they hold
mu, sigma = network.encode(heard.inputs[None])
tracks = converter.to_tracks(network.decode(mu, controls=heard.controls)[0])
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from engine.networks.vae.converters.contract import Converter, Slice
from engine.networks.vae.converters.drums import DrumsConverter
from engine.networks.vae.converters.groove import GrooveConverter
from engine.networks.vae.converters.melody import MelodyConverter
from engine.networks.vae.converters.trio import TrioConverter
from engine.score.drums import CLASSES

__all__ = ["CONVERTERS", "Converter", "Slice", "converter_of"]

CONVERTERS: dict[str, Callable[[], Converter]] = {
    "cat-drums_2bar_small": DrumsConverter,
    "nade-drums_2bar_full": partial(DrumsConverter, all_drums=True),
    "cat-mel_2bar_small": MelodyConverter,
    "cat-mel_2bar_big": MelodyConverter,
    "cat-mel_2bar_med_chords": partial(MelodyConverter, over_chords=True, programs=None),
    "hierdec-mel_16bar": partial(MelodyConverter, bars=16, programs=None),
    "hierdec-trio_16bar": TrioConverter,
    "trio_4bar": partial(TrioConverter, bars=4, as_roll=True),
    "groovae_4bar": partial(GrooveConverter, bars=4),
    "groovae_2bar_humanize": partial(GrooveConverter, humanize=True),
    "groovae_2bar_humanize_tempo": partial(GrooveConverter, humanize=True, told_tempo=True),
    "groovae_2bar_tap_fixed_velocity": partial(GrooveConverter, tap=True, fixed_velocities=True),
    "groovae_2bar_add_closed_hh": partial(GrooveConverter, added=(CLASSES.index("closed_hat"),)),
    "groovae_2bar_hits_control_tfds": partial(GrooveConverter, hits_as_controls=True),
}
"""What makes the converter of each config, by Magenta's config id; those of GrooVAE take `recorded`, too."""


def converter_of(config: str) -> Converter:
    """The converter of a config, for music on General MIDI's drums.

    Raises:
        KeyError: no config of MusicVAE or GrooVAE.
    """
    return CONVERTERS[config]()
