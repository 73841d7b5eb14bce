# pyright: strict
"""A bank of notes asked for and answered as bytes, and both back: what comes is taken for hostile on either side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec

from engine import __version__
from engine.assets import FOLDER_FILE
from engine.errors import PerpetuumError
from engine.generators.contract import Settings, UnfitError
from engine.pool.wire import messages as wire
from engine.pool.wire.requests import WireError, WireVersionError, require_version, said
from engine.pool.wire.settings import read_settings, version_of, written_settings
from engine.registry import Registry
from engine.timbres.contract import TIMBRES, TimbreKind, UnavailableError, bank_digest

_REQUEST = msgspec.json.Decoder(wire.TimbreRequest)
_ANSWER = msgspec.json.Decoder(wire.TimbreAnswer)

_FARTHEST = 1 << 40
"""No whole number in the settings of a timbre is larger; seeds have 32 bits."""


def write_timbre(kind: str, settings: Settings, digest: str, seconds_left: float) -> bytes:
    """The body of a request for a bank.

    Args:
        kind: of timbre.
        settings: of it, with nothing left to chance.
        digest: of the bank.
        seconds_left: for which it is waited for.

    Raises:
        WireError: they name what another machine does not have.
    """
    try:
        data = msgspec.Raw(written_settings(settings))
    except ValueError as error:
        raise WireError(f"{kind}: {error}") from error
    left = min(max(seconds_left, 0.001), wire.LONGEST_BANK_WAIT)
    job = wire.TimbreJob(kind, version_of(type(settings)), data)
    return msgspec.json.encode(wire.TimbreRequest(wire.VERSION, digest, left, job))


@dataclass(frozen=True, slots=True)
class ReadTimbre:
    """A bank that is asked for.

    Attributes:
        kind: of timbre.
        settings: of it, with what this machine has.
        digest: of the bank.
        seconds_left: until nobody waits any more.
    """

    kind: TimbreKind[Any]
    settings: Settings
    digest: str
    seconds_left: float


def read_timbre(body: bytes, checkpoints: Sequence[Path] = (), kinds: Registry[TimbreKind] = TIMBRES) -> ReadTimbre:
    """What a request asks for.

    Args:
        body: as it came.
        checkpoints: folders that may be the one that the player's settings name.
        kinds: that there are.

    Raises:
        WireVersionError: of another version, or here it would be made of other weights.
        WireError: it is none; says what is wrong and where.
    """
    require_version(body)
    try:
        request = _REQUEST.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise WireError(*said(error)) from error
    job = request.job
    if job.kind not in kinds.names():
        raise WireError(f"there is no timbre {job.kind[:60]!r} here", "$.job.kind")
    try:
        kind = kinds.get(job.kind)
        if version_of(kind.settings) != job.version:
            raise WireVersionError(f"the settings of {job.kind} are of another version here", "$.job.version")
        places = [str(one) for one in checkpoints] if "checkpoint" in kind.settings.model_fields else [None]
        for place in places:
            settings = _as_said(read_settings(kind.settings, job.settings, place))
            _require_near(settings)
            try:
                kind.examine(settings)
                digest = bank_digest(kind.name, settings)
            except UnavailableError:  # a checkpoint that is none; another may be the one
                continue
            if digest == request.digest:
                return ReadTimbre(kind, settings, request.digest, request.seconds_left)
    except (UnfitError, ValueError) as error:
        raise WireError(str(error)[:500], "$.job.settings") from error
    except WireError:
        raise
    except PerpetuumError as error:  # a plug-in that is broken, or weights that cannot be read
        raise WireError(error.message, "$.job.kind") from error
    except Exception as error:  # a plug-in may raise anything
        raise WireError(f"{job.kind} cannot be looked into: {error!r}"[:500], "$.job.settings") from error
    raise WireVersionError(f"here {job.kind} would be made of other weights, or there are none", "$.digest")


def _as_said(settings: Settings) -> Settings:
    """Settings of which those count as said that differ from what is so without: kinds judge what goes together."""
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    said_so = {name for name, field in type(settings).model_fields.items() if values[name] != field.default}
    return type(settings).model_construct(said_so, **values)


def _require_near(settings: Settings) -> None:
    """Numbers that no seed and no pitch can be are refused before anything counts up to them."""
    values: dict[str, object] = settings.model_dump()
    for name, value in values.items():
        for one in cast("Sequence[object]", value) if isinstance(value, (tuple, list)) else (value,):
            if isinstance(one, int) and abs(one) > _FARTHEST:
                raise ValueError(f"`{name}` is far out of range")
            if isinstance(one, int) and one < 0:
                raise ValueError(f"`{name}` is negative")


def write_bank(digest: str, folder: Path, seconds: float) -> bytes:
    """An instrument's folder as the body of an answer.

    Raises:
        WireError: it is larger than one may be, or holds what cannot travel.
        OSError: it cannot be read.
    """
    files = tuple(wire.BankFile(path.name, path.read_bytes()) for path in sorted(folder.iterdir()))
    body = msgspec.json.encode(wire.TimbreAnswer(wire.VERSION, digest, __version__, files, seconds))
    read_bank(body, digest)  # what a player would refuse does not leave
    return body


def read_bank(body: bytes, digest: str) -> Mapping[str, bytes]:
    """Files by name of an answer. What is in them is for whoever keeps them to say.

    Args:
        body: as it came.
        digest: of the request.

    Raises:
        WireError: it is no answer to it.
    """
    if len(body) > wire.LARGEST_BANK:
        raise WireError(f"its answer has more than {wire.LARGEST_BANK} bytes")
    try:
        answer = _ANSWER.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise WireError(f"its answer is none: {str(error)[:200]}") from error
    if answer.digest != digest:
        raise WireError("it answered another question")
    # A file system may not tell capitals apart.
    if len({one.name.lower() for one in answer.files}) < len(answer.files):
        raise WireError("two of its files have one name")
    files = {one.name: one.data for one in answer.files}
    if [name for name in files if name.endswith(".yaml")] != [FOLDER_FILE]:
        raise WireError(f"it has no {FOLDER_FILE}, or more of the kind")
    return files
