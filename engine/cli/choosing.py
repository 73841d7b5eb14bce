"""Which network a command line means: a family, a config, the name of weights, or a file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from engine import assets
from engine.errors import PerpetuumError
from engine.networks import CONFIGS, load_network, read_card
from engine.networks.card import WeightsCard
from engine.networks.vae.configs import HUMANIZE_TEMPO

PREFERRED: dict[str, str] = {
    "drums_rnn": "drum_kit",
    "melody_rnn": "attention_rnn",
    "improv_rnn": "chord_pitches_improv",
    "polyphony_rnn": "polyphony",
    "performance_rnn": "performance_with_dynamics",
    "pianoroll_rnn_nade": "rnn-nade",
    "music_vae": "cat-mel_2bar_big",
    "groovae": "groovae_2bar_humanize",
}
"""The config that a family means without `--config`, where there are weights for it."""

_OTHERS = ("music_vae", "groovae", "chorale", "ensemble")
RECURRENT = tuple(name for name, one in CONFIGS.items() if one.family not in _OTHERS)
"""Configs that go on from a primer."""

LATENT = tuple(name for name, one in CONFIGS.items() if one.family in ("music_vae", "groovae"))
"""Configs with a latent space."""

MELODY_VAES = ("cat-mel_2bar_big", "cat-mel_2bar_small", "cat-mel_2bar_med_chords", "hierdec-mel_16bar")

TAPPED = ("groovae_2bar_tap_fixed_velocity",)
"""Configs that hear a tapped rhythm."""

GROOVES = (
    "groovae_2bar_humanize",
    HUMANIZE_TEMPO,
    "groovae_4bar",
    "groovae_2bar_hits_control_tfds",
    "groovae_2bar_add_closed_hh",
)
"""Configs that hear drums and play them with feel, what is mostly wanted first."""

_SHOWN = 12
"""Names in a sentence; a list of more is not read."""
_SEE = "`perpetuum models list` shows the networks that are here"
_IMPORT = "bring Magenta's along: --checkpoint FILE.mag (or .tar), or once for all `perpetuum models import FILE.mag`"


def choose_network(
    model: str | None,
    config: str | None = None,
    checkpoint: Path | None = None,
    usable: Sequence[str] = tuple(CONFIGS),
    fitting: Sequence[str] = (),
) -> Any:
    """The network that a command line asks for, ready to play.

    Args:
        model: a family ("melody_rnn"), a config ("lookback_rnn"), the name of weights that are here, or a weights file;
            None for the first of `fitting` that is here.
        config: the config that it must be; None for any.
        checkpoint: the weights file to take, instead of looking for one.
        usable: configs that the verb can use.
        fitting: configs that fit what is asked for, best first; all that are usable without.

    Raises:
        PerpetuumError: no such network, no weights for it, weights of another kind, or a file that is none.
    """
    if config is not None and config not in CONFIGS:
        raise PerpetuumError(f"--config {config!r} is no config", _nearest(config, CONFIGS, _configs_of(model)))
    path = checkpoint or _path(config if model is None else model, config, fitting or usable)
    wanted = config or (model if model in CONFIGS else None)
    if checkpoint is None and (hidden := assets.hidden_by("weights", path)) is not None:
        click.echo(f"{path} is played, which hides the shipped weights {hidden.stem}", err=True)
    network = load_network(path, wanted)
    found = network.config
    if wanted is not None and found.name != wanted:
        raise PerpetuumError(
            f"{path} holds a network of config {found.name}, not {wanted}",
            f"leave the config out, or take weights of {wanted}",
        )
    if model in _families() and found.family != model:
        raise PerpetuumError(
            f"{path} holds a network of {found.family} ({found.name}), not of {model}",
            f"say {found.family} instead of {model}, or take weights of {model}",
        )
    if found.name not in usable:
        raise PerpetuumError(
            f"{path} holds a network of {found.family} ({found.name}), which is not for this",
            f"it takes networks of {' or '.join(_families(usable))}{_all_or_some(usable)}; {_what_is_here(usable)}",
        )
    return network


def of_families(*families: str) -> tuple[str, ...]:
    """The configs of families, what a family means without a config first."""
    names = [name for name, one in CONFIGS.items() if one.family in families]
    return tuple(sorted(names, key=lambda name: name not in PREFERRED.values()))


def weights_here() -> dict[str, tuple[Path, WeightsCard]]:
    """Weights that are shipped or lie in the user's folders, by name; files that cannot be read are left out."""
    found = {}
    for name, path in assets.names("weights", ".safetensors").items():
        try:
            found[name] = (path, read_card(path))
        except PerpetuumError:
            continue
    return found


def _path(model: str | None, config: str | None, fitting: Sequence[str]) -> Path:
    """The weights file that a model's name means."""
    if model is None:
        return _first(fitting, f"this ({' or '.join(fitting)})")
    if assets.is_file(model) or "/" in model or Path(model).suffix:
        return Path(model)
    here = assets.names("weights", ".safetensors")
    if model in here:
        return here[model]
    if model in CONFIGS:
        return _first([config or model], config or model)
    if model in _families():
        return _first([config] if config else of_families(model), f"{model} with config {config}" if config else model)
    raise PerpetuumError(
        f"{model!r} is no family, no config and no weights that are here",
        _nearest(model, [*_families(), *CONFIGS, *here], f"families are {', '.join(_families())}; {_SEE}"),
    )


def _first(configs: Sequence[str], asked: str) -> Path:
    """Weights of the first of some configs that are here."""
    here = weights_here()
    for config in configs:
        fitting = {name: path for name, (path, card) in here.items() if card.config == config}
        if fitting:
            # What has the name of its config is what scenes take, too, however many others were imported.
            return fitting.get(config) or next(iter(fitting.values()))
    raise PerpetuumError(f"there are no weights for {asked} here", _what_is_here(configs))


def _what_is_here(configs: Iterable[str]) -> str:
    """What to do without weights of some configs."""
    here = weights_here()
    usable = [name for name, (_, card) in here.items() if card.config in set(configs)]
    if usable:
        return f"here are {', '.join(usable[:_SHOWN])}{', ...' if len(usable) > _SHOWN else ''}"
    shown = ", ".join([f"{name} ({card.family})" for name, (_, card) in here.items()][:_SHOWN])
    return f"here are {shown or 'none at all'}; {_IMPORT}"


def _families(configs: Iterable[str] = tuple(CONFIGS)) -> list[str]:
    return list(dict.fromkeys(CONFIGS[name].family for name in configs))


def _all_or_some(configs: Sequence[str]) -> str:
    """The names of configs, where they are not all of their families."""
    return "" if len(configs) == len(of_families(*_families(configs))) else f" ({', '.join(configs)})"


def _configs_of(family: str | None) -> str:
    """The configs of a family; where none is named, where to read about all of them."""
    return f"those of {family} are {', '.join(of_families(family))}" if family in _families() else _SEE


def _nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, list(dict.fromkeys(known)), 1)
    return f"did you mean {near[0]}?" if near else otherwise
