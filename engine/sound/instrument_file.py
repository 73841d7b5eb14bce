"""Reads an instrument file for the audio process. `perpetuum check` has its own reader, with positions."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from engine import registry
from engine.errors import PerpetuumError
from engine.sound.contract import InstrumentKind
from engine.sound.settings import InstrumentSettings

_HINT = "`perpetuum check` on a scene that uses it says more"


def load_instrument(path: Path) -> tuple[InstrumentKind, InstrumentSettings]:
    """The kind and the settings of an instrument file.

    Raises:
        PerpetuumError: the file cannot be read or is not an instrument.
    """
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise PerpetuumError(f"cannot read the instrument {path}: {error}", _HINT) from error
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise PerpetuumError(f"{path} is not an instrument: it names no `kind`", _HINT)
    plain = {key: value for key, value in document.items() if not str(key).startswith("x-")}
    kind: InstrumentKind = registry.kind("perpetuum.instruments", plain["kind"])
    try:
        settings = kind.settings.model_validate(plain)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise PerpetuumError(f"{path}: `{where}`: {first['msg']}", _HINT) from error
    assert isinstance(settings, InstrumentSettings)
    return kind, settings
