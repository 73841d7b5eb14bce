# pyright: strict
"""The file of the network: its weights, and a card that says where they are from."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from engine.errors import PerpetuumError
from engine.files import read_bytes, reason
from engine.output_file import write_bytes
from engine.timbres.neural.layout import Array
from engine.timbres.neural.network import Sizes, TimbreNetwork, shapes_of

SHIPPED = Path(__file__).parent / "timbre.safetensors"
"""The network that plays."""

SUFFIX = ".safetensors"
_VERSION = 1
_LARGEST = 32 << 20
_MOST_COMPONENTS, _MOST_HIDDEN = 1024, 2048
_HALVED = ("basis",)
"""Weights that are stored in half precision: a rounded component is hundredths of a decibel."""

_HINT = "Use the one that came with perpetuum, or what `perpetuum timbre train` wrote."


@dataclass(frozen=True, slots=True)
class TimbreCard:
    """What a file says of its network.

    Attributes:
        name: for people.
        licence: of the weights.
        credits: of what it was trained on, one line each.
        held_out: groups of programs that training did not hear, one line.
        trained: "steps", "hours" of one core, "notes", "seed".
        metrics: figures on what was held out.
        version: of the file.
    """

    name: str
    licence: str
    credits: tuple[str, ...]
    held_out: str
    trained: dict[str, float] = field(default_factory=dict[str, float])
    metrics: dict[str, float] = field(default_factory=dict[str, float])
    version: int = _VERSION


def write_network(path: Path, weights: Mapping[str, Array], card: TimbreCard) -> None:
    """Write a network, whole or not at all.

    Raises:
        PerpetuumError: it cannot be written.
    """
    tensors = {
        name: np.ascontiguousarray(value, np.float16 if name in _HALVED else np.float32)
        for name, value in weights.items()
    }
    write_bytes(path, save(tensors, metadata={"card": json.dumps(asdict(card), ensure_ascii=False)}), (SUFFIX,))


def read_network(path: Path) -> tuple[TimbreCard, dict[str, Array]]:
    """Card and weights of a file, in float32.

    Raises:
        PerpetuumError: it is missing, damaged, or of another kind.
    """
    try:
        data = read_bytes(path, _LARGEST)
        tensors = load(data)
        card = _card(data)
    except OSError as error:
        raise PerpetuumError(f"{path}: cannot be read ({reason(error)})", _HINT) from error
    except (SafetensorError, ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise PerpetuumError(f"{path}: this is no timbre network, or a damaged one", _HINT) from error
    if card.version > _VERSION:
        raise PerpetuumError(f"{path}: written by a newer perpetuum", "Update perpetuum.")
    if problem := _misfit(tensors):
        raise PerpetuumError(f"{path}: the weights are incomplete ({problem})", _HINT)
    return card, {name: np.asarray(value, np.float32) for name, value in tensors.items()}


@cache
def load_network(path: Path = SHIPPED) -> TimbreNetwork:
    """The network of a file; read once.

    Raises:
        PerpetuumError: as `read_network`.
    """
    return TimbreNetwork(read_network(path)[1])


@cache
def network_digest(path: Path = SHIPPED) -> bytes:
    """What tells one network from another.

    Raises:
        PerpetuumError: it cannot be read.
    """
    try:
        return hashlib.sha256(read_bytes(path, _LARGEST)).digest()
    except OSError as error:
        raise PerpetuumError(f"{path}: cannot be read ({reason(error)})", _HINT) from error


def _card(data: bytes) -> TimbreCard:
    size = int.from_bytes(data[:8], "little")
    header: object = json.loads(data[8 : 8 + size])
    found: object = json.loads(cast("dict[str, Any]", header)["__metadata__"]["card"])
    if not isinstance(found, dict):
        raise TypeError("the card is no mapping")
    values = cast("dict[str, Any]", found)
    known = {one.name for one in fields(TimbreCard)}
    card = TimbreCard(**{name: value for name, value in values.items() if name in known})
    texts = (card.name, card.licence, card.held_out, *card.credits)
    if not all(isinstance(text, str) for text in texts) or type(card.version) is not int:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError("the card holds what is no text")
    return card


def _misfit(tensors: Mapping[str, np.ndarray]) -> str:
    """What is wrong with weights; empty for nothing."""
    basis, bias = tensors.get("basis"), tensors.get("decoder/1/bias")
    if basis is None or bias is None or basis.ndim != 2 or bias.ndim != 1:
        return "there is no decoder"
    if not (0 < basis.shape[0] <= _MOST_COMPONENTS and 0 < bias.shape[0] <= _MOST_HIDDEN):
        return "it is too large"
    for name, shape in shapes_of(Sizes(basis.shape[0], bias.shape[0])).items():
        value = tensors.get(name)
        if value is None or value.shape != shape:
            return f"{name} is not of {' x '.join(map(str, shape))} numbers"
        if str(value.dtype) not in ("float16", "float32") or not math.isfinite(
            float(np.abs(value.astype(np.float64)).max())
        ):
            return f"{name} holds what is no number"
    widths = np.linalg.svd(tensors["frame"].astype(np.float64), compute_uv=False)
    if not float(tensors["scale"].min()) > 0.0 or not float(widths.min()) > 1e-6:
        return "its latent space has no width"
    return ""
