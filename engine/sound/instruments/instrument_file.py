"""Reads an instrument file for the audio process. `perpetuum check` has its own reader, with positions."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML

from engine.errors import PerpetuumError
from engine.files import read_bytes, reason
from engine.sound.contract import INSTRUMENTS, InstrumentKind
from engine.sound.settings import InstrumentSettings

LARGEST = 256 * 1024
"""Bytes of the largest file that is read."""

_HINT = "`perpetuum check` on a scene that uses it says more"


def load_instrument(path: Path) -> tuple[InstrumentKind, InstrumentSettings]:
    """The kind and the settings of an instrument file.

    Raises:
        PerpetuumError: the file cannot be read or is not an instrument.
    """
    try:
        data = read_bytes(path, LARGEST)
        document = YAML(typ="safe", pure=True).load(data.decode("utf-8-sig"))
    except OSError as error:
        raise PerpetuumError(f"cannot read the instrument {path}: {reason(error)}", _HINT) from error
    # Whatever the parser runs into; its words would quote the file, which may be anything.
    except Exception as error:
        raise PerpetuumError(f"the instrument {path} is not YAML", _HINT) from error
    if not isinstance(document, dict) or "perpetuum" not in document or not isinstance(document.get("kind"), str):
        raise PerpetuumError(f"{path} is not an instrument: it says no `perpetuum` or no `kind`", _HINT)
    plain = {key: value for key, value in document.items() if not str(key).startswith("x-")}
    kind = INSTRUMENTS.get(plain["kind"])
    try:
        settings = kind.settings.model_validate(plain)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise PerpetuumError(f"{path}: `{where}`: {first['msg']}", _HINT) from error
    return kind, settings
