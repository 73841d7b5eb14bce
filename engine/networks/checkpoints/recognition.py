"""Which network a checkpoint is.

Names and shapes are the judge: a config that they do not fit is out. Among those that they fit, what the user says
counts first, then what a bundle says of itself, then what a file is called. Several of Magenta's configs have the same
weights and differ only in the music that they were trained on (GrooVAE's) or in how they are fed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import PerpetuumError
from engine.networks.card import MAX_ATTENTION_LENGTH, read_sizes
from engine.networks.checkpoints.files import Checkpoint, damaged
from engine.networks.checkpoints.names import Names, read_names, stranger
from engine.networks.checkpoints.wire import MalformedError
from engine.networks.configs import CONFIGS

_COMPACT = "performance_with_dynamics_compact"
_PLAIN = "performance_with_dynamics"
_ELSEWHERE = {
    "a GANSynth": "`perpetuum gansynth` plays it: name the folder that holds its stages.",
    "an NSynth WaveNet": "`perpetuum nsynth` plays it: name it by --checkpoint.",
}
_SYMBOLIC = "Perpetuum plays Magenta's symbolic networks: the RNNs, MusicVAE and GrooVAE."


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a checkpoint is.

    Attributes:
        config: name of its config.
        family: Magenta's family.
        sizes: as `Config.sizes` reads them.
        attention_length: rows of its attention window where a bundle's graph says so, and the config says otherwise.
        names: its weights.
        because: how the config was found, for people.
    """

    config: str
    family: str
    sizes: dict[str, Any]
    attention_length: int | None
    names: Names
    because: str


def recognise(checkpoint: Checkpoint, config: str | None = None) -> Recognition:
    """Find out which network a checkpoint is.

    Args:
        checkpoint: an open one.
        config: what the user says that it is.

    Raises:
        PerpetuumError: it is none that is known, or does not fit, or could be several.
    """
    variables = checkpoint.source.variables
    if config is not None and config not in CONFIGS:
        near = difflib.get_close_matches(config, CONFIGS, 1)
        raise PerpetuumError(
            f"there is no config {config!r}", f"Did you mean {near[0]}?" if near else f"Known are {', '.join(CONFIGS)}."
        )
    if what := stranger(variables):
        raise PerpetuumError(
            f"{checkpoint.path}: {what} checkpoint, which is not a network for notes", _ELSEWHERE.get(what, _SYMBOLIC)
        )
    try:
        names = read_names(variables)
    except MalformedError as error:
        raise damaged(checkpoint.path, error) from error
    shapes = {name: variables[stored].shape for name, stored in names.stored.items()}
    if not shapes:
        raise PerpetuumError(f"{checkpoint.path}: a checkpoint without weights", _SYMBOLIC)
    chosen, because = _choose(checkpoint, shapes, config)
    sizes = read_sizes(chosen, shapes)
    length = _attention_length(checkpoint, shapes, sizes)
    if length == CONFIGS[chosen].attention_length:
        length = None
    return Recognition(chosen, CONFIGS[chosen].family, sizes, length, names, because)


def misfit(config: str, shapes: Mapping[str, tuple[int, ...]]) -> str | None:
    """Why weights of these names and shapes are not those of a config; None if they are."""
    try:
        read_sizes(config, shapes)
    except ValueError as error:
        return str(error)
    return None


def _choose(checkpoint: Checkpoint, shapes: Mapping[str, tuple[int, ...]], config: str | None) -> tuple[str, str]:
    path = checkpoint.path
    if config is not None:
        if reason := misfit(config, shapes):
            raise PerpetuumError(f"{path}: not the weights of {config}: {reason}", _fitting(shapes))
        return config, "because you said so"
    if checkpoint.generator in CONFIGS:
        named = checkpoint.generator
        if named == _PLAIN and checkpoint.graph.input_size == 1 and _COMPACT in CONFIGS:
            named = _COMPACT
        if reason := misfit(named, shapes):
            raise PerpetuumError(f"{path}: a bundle that calls itself {named}, but {reason}", _fitting(shapes))
        return named, "as the bundle says"
    fits = [name for name in CONFIGS if misfit(name, shapes) is None]
    if not fits:
        raise PerpetuumError(
            f"{path}: {_resemblance(checkpoint, shapes)}",
            "Add --config NAME to hear which weight does not fit; the networks that are known: " + ", ".join(CONFIGS),
        )
    if len(fits) == 1:
        return fits[0], "by its shapes"
    if guess := _named_by_file(checkpoint, fits):
        return guess, f"by its shapes, which {len(fits)} networks share, and the name of the file"
    if len(deep := [name for name in fits if _as_deep(name, shapes)]) == 1:
        return deep[0], "by its shapes and layers"
    if set(fits) == {_PLAIN, _COMPACT}:
        return _PLAIN, "by its shapes"
    raise PerpetuumError(
        f"{path}: its weights fit {len(fits)} networks: {', '.join(fits)}", f"Say which it is: --config {fits[0]}"
    )


def _fitting(shapes: Mapping[str, tuple[int, ...]]) -> str:
    fits = [name for name in CONFIGS if misfit(name, shapes) is None]
    return f"Its weights fit {' or '.join(fits)}: --config {fits[0]}" if fits else "They fit no network that is known."


def _as_deep(config: str, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether a config usually has as many decoder layers: a small and a big one may differ in nothing else."""
    usual = getattr(CONFIGS[config], "decoder", ())
    return len(usual) == len(read_sizes(config, shapes).get("decoder", ()))


def _named_by_file(checkpoint: Checkpoint, fits: list[str]) -> str | None:
    """The config that a file is named after; the longest name counts."""
    for name in checkpoint.names:
        inside = [config for config in fits if _plain(config) in _plain(name)]
        if inside:
            return max(inside, key=len)
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def _resemblance(checkpoint: Checkpoint, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """What can be said of a checkpoint that fits nothing."""
    generator = f" (its bundle calls it {checkpoint.generator!r})" if checkpoint.generator else ""
    output = shapes.get("fully_connected/weights", ())
    first = next(
        (shape for name, shape in shapes.items() if re.fullmatch(r"rnn/.*cell_0/.*lstm_cell/kernel", name)), ()
    )
    if len(output) == 2 and len(first) == 2:
        inputs = first[0] - first[1] // 4
        return f"an RNN with {inputs} inputs and {output[1]} outputs, which no known network has{generator}"
    return f"{len(shapes)} weights that fit no network that is known{generator}, {min(shapes)} among them"


def _attention_length(
    checkpoint: Checkpoint, shapes: Mapping[str, tuple[int, ...]], sizes: Mapping[str, Any]
) -> int | None:
    """Rows of the attention window: what is left of the state when everything else is taken off it.

    The state may be one tensor for each of its parts, or, in old bundles, a single one.
    """
    width = next((shape[-1] for name, shape in shapes.items() if name.endswith("/attention/attn_v") and shape), 0)
    if not width or not checkpoint.graph.state_sizes:
        return None
    nade = shapes.get("nade/w_enc", ())
    others = 2 * sum(sizes["layers"]) + width + (nade[0] + nade[-1] if nade else 0)
    rows, rest = divmod(sum(checkpoint.graph.state_sizes) - others, width)
    return rows if 0 < rows <= MAX_ATTENTION_LENGTH and rest == 0 else None
