"""Weights files: safetensors with a card inside that says what the network is and where it came from.

The card is JSON under the key "card" of the header's metadata; the tensors bear Magenta's names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from engine.errors import PerpetuumError
from engine.networks.configs import CONFIGS
from engine.networks.rnn import check_shapes

CARD_VERSION = 1
_HINT = "Use a weights file that came with perpetuum or that `python -m engine.training export` wrote."


@dataclass(frozen=True, slots=True)
class WeightsCard:
    """What a weights file holds.

    Attributes:
        name: for people.
        family, config: as in `engine.networks.configs.RnnConfig`.
        layers: LSTM units per layer.
        licence: of the weights.
        credits: who made what they were trained on; one line each, to be shown.
        training_data: data sets, one line each.
        metrics: held-out figures by name, with those of the baselines beside them.
        description: a sentence or two.
        version: of this card's format.
    """

    name: str
    family: str
    config: str
    layers: tuple[int, ...]
    licence: str
    credits: tuple[str, ...] = ()
    training_data: tuple[str, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    description: str = ""
    version: int = CARD_VERSION


def write_weights(path: Path, card: WeightsCard, weights: Mapping[str, np.ndarray]) -> None:
    """Write weights as float16 with their card, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    tensors = {name: np.ascontiguousarray(value, np.float16) for name, value in weights.items()}
    save_file(tensors, partial, metadata={"card": json.dumps(asdict(card), ensure_ascii=False)})
    partial.replace(path)


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
    for name, value in weights.items():
        if not np.isfinite(value).all():
            raise PerpetuumError(f"{path}: the weights are damaged ({name} has numbers that are not finite)", _HINT)
    return card, weights


def _read(path: Path, tensors: bool) -> tuple[WeightsCard, dict[str, np.ndarray]]:
    if not path.is_file():
        raise PerpetuumError(f"{path}: no such weights file", _HINT)
    try:
        with safe_open(path, framework="numpy") as file:
            card = _card(path, (file.metadata() or {}).get("card"))
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            layers = check_shapes(CONFIGS[card.config], shapes)
            weights = {name: file.get_tensor(name).astype(np.float32) for name in shapes} if tensors else {}
    except (SafetensorError, OSError) as error:
        raise PerpetuumError(f"{path}: not a readable weights file ({error})", _HINT) from error
    except ValueError as error:
        raise PerpetuumError(f"{path}: the weights are incomplete ({error})", _HINT) from error
    if layers != card.layers:
        raise PerpetuumError(f"{path}: the card says layers {card.layers}, the weights have {layers}", _HINT)
    return card, weights


def _card(path: Path, text: str | None) -> WeightsCard:
    if text is None:
        raise PerpetuumError(f"{path}: a safetensors file, but without a card, so not of perpetuum", _HINT)
    try:
        values = json.loads(text)
        if values["version"] > CARD_VERSION:
            raise PerpetuumError(
                f"{path}: written by a newer perpetuum (card {values['version']})", "Update perpetuum."
            )
        known = {field.name for field in fields(WeightsCard)}
        card = WeightsCard(**{key: value for key, value in values.items() if key in known})
        card = _with_tuples(card)
    except (ValueError, TypeError, KeyError) as error:
        raise PerpetuumError(f"{path}: its card cannot be read ({error})", _HINT) from error
    if card.config not in CONFIGS:
        raise PerpetuumError(
            f"{path}: a network of config {card.config!r}, which this perpetuum does not know",
            f"Known are {', '.join(CONFIGS)}.",
        )
    return card


def _with_tuples(card: WeightsCard) -> WeightsCard:
    values = asdict(card)
    for name in ("layers", "credits", "training_data"):
        values[name] = tuple(values[name])
    return WeightsCard(**values)
