"""Weights files: safetensors with a card inside that says what the network is and where it came from.

The card is JSON under the key "card" of the header's metadata; the tensors bear Magenta's names. They may be stored as
float64, float32, float16 or bfloat16, and are always read as float32.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from engine.errors import PerpetuumError
from engine.networks.configs import CONFIGS
from engine.output_file import write_bytes

CARD_VERSION = 2
SUFFIX = ".safetensors"
_HINT = "Use a weights file that came with perpetuum, or that its training or `perpetuum models import` wrote."
_MAX_HEADER = 8 * 2**20
"""The header of the largest network that is known takes 8 kB."""
MAX_ATTENTION_LENGTH = 4096
"""A window of a thousand bars of sixteenths is no window; it is a file that wants memory."""
_STORED = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bfloat16"}


@dataclass(frozen=True, slots=True)
class WeightsCard:
    """What a weights file holds.

    Attributes:
        name: for people.
        family, config: as in `engine.networks.contract.Config`.
        sizes: as `Config.sizes` reads them off the weights, such as {"layers": [128, 128]}.
        licence: of the weights.
        credits: who made what they were trained on; one line each, to be shown.
        training_data: data sets, one line each.
        metrics: held-out figures by name, with those of the baselines beside them.
        description: a sentence or two.
        attention_length: rows of the attention window, where they are not those of the config.
        imported_from: of weights that were a checkpoint: "file", "format", "names", "training_steps", "sha256".
        trained: of weights that were trained here: "batches", "data" (a hash of the music), "backend".
        version: of this card's format.
    """

    name: str
    family: str
    config: str
    sizes: dict[str, Any]
    licence: str
    credits: tuple[str, ...] = ()
    training_data: tuple[str, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    description: str = ""
    attention_length: int | None = None
    imported_from: dict[str, Any] = field(default_factory=dict)
    trained: dict[str, Any] = field(default_factory=dict)
    version: int = CARD_VERSION


def write_weights(
    path: Path, card: WeightsCard, weights: Mapping[str, np.ndarray], dtype: type[np.floating] = np.float16
) -> None:
    """Write weights with their card, whole or not at all.

    Raises:
        ValueError: a weight is too large a number for `dtype`.
        PerpetuumError: the file cannot be written.
    """
    tensors = {}
    for name, value in weights.items():
        with np.errstate(over="ignore"):
            tensors[name] = np.ascontiguousarray(value, dtype)
        if not np.isfinite(tensors[name]).all():
            raise ValueError(f"weight {name} has numbers that {np.dtype(dtype).name} cannot hold")
    write_bytes(path, save(tensors, metadata={"card": json.dumps(asdict(card), ensure_ascii=False)}), (SUFFIX,))


def weights_file_of(path: Path) -> Path:
    """The weights file of a folder that holds just one, as `perpetuum train` leaves it; any other path as it is."""
    found = sorted(path.glob("*.safetensors")) if path.is_dir() else []
    return found[0] if len(found) == 1 else path


def is_weights_file(path: Path) -> bool:
    """Whether a path is that of a weights file, by its name or by its first bytes."""
    if path.suffix == SUFFIX:
        return True
    try:
        with path.open("rb") as file:
            return file.read(9)[8:] == b"{"
    except OSError:
        return False


def read_card(path: Path | str) -> WeightsCard:
    """The card of a weights file, and whether its weights are complete; does not read the weights themselves.

    Raises:
        PerpetuumError: the file is missing, broken, of another kind or incomplete.
    """
    return _read(Path(path), tensors=False)[0]


def read_weights(path: Path | str) -> tuple[WeightsCard, dict[str, np.ndarray]]:
    """Card and float32 weights of a file.

    Raises:
        PerpetuumError: as `read_card`, or a weight is not a finite number.
    """
    path = Path(path)
    card, weights = _read(path, tensors=True)
    require_finite(path, weights)
    return card, weights


def read_sizes(config: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """What `Config.sizes` reads off weights of whatever names and shapes.

    Raises:
        ValueError: they are not those of the config; says why.
    """
    try:
        return CONFIGS[config].sizes(shapes)
    except (IndexError, ArithmeticError):
        # Fewer dimensions, or none of a kind, than the config takes for granted.
        raise ValueError("its weights have other shapes altogether") from None


def require_finite(path: Path, weights: Mapping[str, np.ndarray]) -> None:
    """Refuse weights that are not numbers.

    Raises:
        PerpetuumError: naming the first such weight.
    """
    for name, value in weights.items():
        if not np.isfinite(value).all():
            raise PerpetuumError(f"{path}: the weights are damaged ({name} has numbers that are not finite)", _HINT)


def _read(path: Path, tensors: bool) -> tuple[WeightsCard, dict[str, np.ndarray]]:
    try:
        if not path.is_file():
            raise PerpetuumError(f"{path}: no such weights file", _HINT)
        _check_header(path)
        with safe_open(path, framework="numpy") as file:
            card = _card(path, (file.metadata() or {}).get("card"))
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            shapes = {name: tuple(part.get_shape()) for name, part in slices.items()}
            types = {name: _stored_type(name, part.get_dtype()) for name, part in slices.items()}
            sizes = read_sizes(card.config, shapes)
        weights = _tensors(path, types, shapes) if tensors else {}
    except SafetensorError as error:
        # Its words quote the header, and the file may be anything.
        raise PerpetuumError(f"{path}: not a readable weights file (its header is damaged)", _HINT) from error
    except (OSError, MemoryError) as error:
        raise PerpetuumError(f"{path}: not a readable weights file ({error})", _HINT) from error
    except ValueError as error:
        raise PerpetuumError(f"{path}: the weights are incomplete ({error})", _HINT) from error
    if any(sizes.get(what) != size for what, size in card.sizes.items()):
        raise PerpetuumError(f"{path}: the card says {card.sizes}, the weights have {sizes}", _HINT)
    # An older file may say less of its sizes than its config reads off it today.
    return replace(card, sizes=sizes), weights


def _check_header(path: Path) -> None:
    """Refuse a header that would take more memory than any network's does; the rest is checked by safetensors.

    Raises:
        OSError: saying what is wrong with it.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
    if size > min(_MAX_HEADER, path.stat().st_size - 8):
        raise OSError("its header would be larger than the file")


def _stored_type(name: str, dtype: str) -> str:
    if dtype not in _STORED:
        raise ValueError(f"weight {name} is stored as {dtype}")
    return _STORED[dtype]


def _tensors(path: Path, types: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The weights of a file whose header is sound, as float32.

    Read rather than mapped into memory, where every number would be there twice, and bfloat16 has no type.
    """
    weights = {}
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        for name, dtype in types.items():
            file.seek(8 + size + header[name]["data_offsets"][0])
            raw = np.fromfile(file, "<u2" if dtype == "bfloat16" else dtype, math.prod(shapes[name]))
            if dtype == "bfloat16":
                # The upper half of a float32.
                raw = (raw.astype(np.uint32) << 16).view(np.float32)
            with np.errstate(over="ignore"):
                weights[name] = raw.astype(np.float32, copy=False).reshape(shapes[name])
    return weights


def _card(path: Path, text: str | None) -> WeightsCard:
    if text is None:
        raise PerpetuumError(f"{path}: a safetensors file, but without a card, so not of perpetuum", _HINT)
    try:
        values = json.loads(text)
        json.dumps(values, ensure_ascii=False).encode()  # half a character, such as JSON can spell, raises
        if values["version"] > CARD_VERSION:
            raise PerpetuumError(
                f"{path}: written by a newer perpetuum (card {values['version']})", "Update perpetuum."
            )
        known = {field.name for field in fields(WeightsCard)}
        card = _checked(WeightsCard(**{key: value for key, value in values.items() if key in known}))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise PerpetuumError(f"{path}: its card cannot be read ({error})", _HINT) from error
    if card.config not in CONFIGS:
        raise PerpetuumError(
            f"{path}: a network of config {card.config!r}, which this perpetuum does not know",
            f"Known are {', '.join(CONFIGS)}.",
        )
    if card.attention_length is not None and not CONFIGS[card.config].attention_length:
        raise PerpetuumError(f"{path}: its card speaks of attention, which {card.config} does not have", _HINT)
    return card


def _checked(card: WeightsCard) -> WeightsCard:
    """A card as it came out of JSON, with tuples for lists; everything in it is of the type that it should be.

    Raises:
        TypeError: naming what is not.
    """
    for name in ("name", "family", "config", "licence", "description"):
        if not isinstance(getattr(card, name), str):
            raise TypeError(f"{name} is no text")
    for name in ("sizes", "metrics", "imported_from", "trained"):
        if not isinstance(getattr(card, name), dict):
            raise TypeError(f"{name} is no mapping")
    for name in ("credits", "training_data"):
        lines = getattr(card, name)
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise TypeError(f"{name} is no list of texts")
    length = card.attention_length
    if length is not None and (type(length) is not int or not 0 < length <= MAX_ATTENTION_LENGTH):
        raise TypeError(f"attention_length is {length!r}")
    return replace(card, credits=tuple(card.credits), training_data=tuple(card.training_data))
