# pyright: strict
"""A player's job as the bytes of a request, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.errors import PerpetuumError
from engine.generators.contract import GENERATORS, TRANSFORMS, GeneratorKind, Request, Settings, TransformKind
from engine.ideas.wear import FIGURES
from engine.pool.wire import messages as wire
from engine.pool.wire.scores import (
    read_key,
    read_keys,
    read_phrase,
    read_place,
    read_taken,
    written_key,
    written_keys,
    written_phrase,
    written_place,
    written_taken,
)
from engine.pool.wire.settings import WEIGHTS, Described, read_settings, version_of, written_settings
from engine.registry import Registry
from engine.score.time import Meter

K = TypeVar("K", GeneratorKind, TransformKind)

_JOB = msgspec.json.Decoder(wire.WireJob)
_REQUEST = msgspec.json.Decoder(wire.PhraseRequest)
_ENCODER = msgspec.json.Encoder()


class WireError(PerpetuumError):
    """What cannot travel, or came and is no message.

    Attributes:
        where: in the message, as a path; empty for all of it.
    """

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.where = where


class WireVersionError(WireError):
    """The other side has another version of the format or of a kind's settings."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of generators and transforms that there are."""

    generators: Registry[GeneratorKind] = GENERATORS
    transforms: Registry[TransformKind] = TRANSFORMS


INSTALLED = Kinds()


@dataclass(frozen=True, slots=True)
class WrittenJob:
    """A job as bytes.

    Attributes:
        job: as a message.
        data: its bytes.
        key: of the request.
        weights: files that it needs, by digest.
    """

    job: wire.WireJob
    data: bytes
    key: str
    weights: Mapping[str, Path]

    def request(self, seconds_left: float) -> bytes:
        """The body of a request that is waited for so long."""
        left = min(max(seconds_left, 0.001), wire.LONGEST_WAIT)
        return _ENCODER.encode(wire.PhraseRequest(wire.VERSION, self.key, left, msgspec.Raw(self.data)))


def write_job(
    kind: str, request: Request, digest: Callable[[str], tuple[str, Path]], kinds: Kinds = INSTALLED
) -> WrittenJob:
    """A job as bytes.

    Args:
        kind: of the generator.
        request: what to make.
        digest: gives digest and path of a weights file by the name or path that settings say.
        kinds: that there are.

    Raises:
        WireError: it holds what cannot travel.
        PerpetuumError: a weights file is not there.
    """
    weights: dict[str, Path] = {}

    def written(described: Described, settings: Settings) -> wire.WireKind:
        found = None
        named = described.weights(settings) if described.weights is not None else None
        if named is not None:
            if WEIGHTS not in type(settings).model_fields:
                raise WireError(f"{described.name} names its weights in a way that another machine cannot follow")
            found, path = digest(named)
            weights[found] = path
        try:
            data = msgspec.Raw(written_settings(settings))
        except ValueError as error:
            raise WireError(f"{described.name}: {error}") from error
        return wire.WireKind(described.name, version_of(type(settings)), data, found)

    job = wire.WireJob(
        generator=written(kinds.generators.get(kind), request.settings),
        part=request.part,
        role=request.role,
        bars=request.bars,
        meter=(request.meter.numerator, request.meter.denominator),  # pyright: ignore[reportArgumentType]
        qpm=request.qpm,
        key=written_key(request.key),
        seed=request.seed,
        theme=request.theme,
        place=written_place(request.place),
        history=written_phrase(request.history) if request.history is not None else None,
        keys=written_keys(request.keys),
        sources={link: written_phrase(phrase) for link, phrase in sorted(request.sources.items())},
        primer=written_phrase(request.primer) if request.primer is not None else None,
        transforms=tuple(written(kinds.transforms.get(name), settings) for name, settings in request.transforms),
        taken=written_taken(request.taken) if request.taken is not None else None,
        dynamics=request.dynamics,
        worn=request.worn,
    )
    data = _ENCODER.encode(job)
    if len(data) > wire.LARGEST_REQUEST - 1024:
        raise WireError(f"the request has {len(data)} bytes, more than {wire.LARGEST_REQUEST}")
    _decoded(data)  # what the pool would refuse does not leave
    return WrittenJob(job, data, wire.key_of(data), weights)


@dataclass(frozen=True, slots=True)
class ReadJob:
    """A job as it came.

    Attributes:
        job: checked but for its settings.
        data: its bytes.
        key: of the request.
        seconds_left: until nobody waits any more.
    """

    job: wire.WireJob
    data: bytes
    key: str
    seconds_left: float

    @property
    def weights(self) -> tuple[str, ...]:
        """Digests of the weights that it needs."""
        named = (self.job.generator, *self.job.transforms)
        return tuple(dict.fromkeys(one.weights for one in named if one.weights is not None))


def read_envelope(body: bytes) -> ReadJob:
    """What a request asks for, before any file is looked for.

    Raises:
        WireError: it is no request; says what is wrong and where.
        WireVersionError: it is one of another version.
    """
    require_version(body)
    try:
        request = _REQUEST.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise WireError(*said(error)) from error
    data = bytes(request.job)
    job = _decoded(data)
    if wire.key_of(data) != request.key:
        raise WireError("it is not the digest of the job as it is written", "$.key")
    return ReadJob(job, data, request.key, request.seconds_left)


def read_job(data: bytes, paths: Mapping[str, Path], kinds: Kinds = INSTALLED) -> tuple[str, Request]:
    """Kind and request of a job; whatever is wrong with it is found here, before a generator sees it.

    Args:
        data: a `wire.WireJob`.
        paths: weights files here, by digest.
        kinds: that there are.

    Raises:
        WireError: it is none; says what is wrong and where.
        WireVersionError: a kind's settings are of another version here.
    """
    job = _decoded(data)
    generator = _found(kinds.generators, job.generator, "$.job.generator")
    if job.role not in generator.roles:
        raise WireError(f"{generator.name} plays {' or '.join(generator.roles)}, and not {job.role}", "$.job.role")
    settings = _settings(generator, job.generator, paths, "$.job.generator")
    transforms: list[tuple[str, Settings]] = []
    for number, one in enumerate(job.transforms):
        where = f"$.job.transforms[{number}]"
        transforms.append((one.name, _settings(_found(kinds.transforms, one, where), one, paths, where)))

    def at(place: str, phrase: wire.WirePhrase):
        with _Located(f"$.job.{place}"):
            return read_phrase(phrase)

    with _Located("$.job.key"):
        key = read_key(job.key)
    with _Located("$.job.keys"):
        keys = read_keys(job.keys)
    if len(job.worn) not in (0, FIGURES):
        raise WireError(f"{len(job.worn)} counts, and not {FIGURES}", "$.job.worn")
    with _Located("$.job.taken"):
        taken = read_taken(job.taken) if job.taken is not None else None
    return generator.name, Request(
        part=job.part,
        role=job.role,
        bars=job.bars,
        meter=Meter(*job.meter),
        qpm=job.qpm,
        key=key,
        seed=job.seed,
        settings=settings,
        place=read_place(job.place),
        history=at("history", job.history) if job.history is not None else None,
        sources={link: at(f"sources.{link}", phrase) for link, phrase in job.sources.items()},
        primer=at("primer", job.primer) if job.primer is not None else None,
        transforms=tuple(transforms),
        theme=job.theme,
        taken=taken,
        keys=keys,
        dynamics=job.dynamics,
        worn=job.worn,
    )


class _Located:
    """Says where in a message something is wrong."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ValueError):
            raise WireError(str(error)[:500], self._where) from error


def _found(registry: Registry[K], named: wire.WireKind, where: str) -> K:
    if named.name not in registry.names():
        raise WireError(f"there is no {named.name[:60]!r} here", f"{where}.name")
    try:
        found = registry.get(named.name)
    except PerpetuumError as error:  # a plug-in that is broken
        raise WireError(error.message, f"{where}.name") from error
    if version_of(found.settings) != named.version:
        raise WireVersionError(f"the settings of {named.name} are of another version here", f"{where}.version")
    return found


def _settings(found: Described, named: wire.WireKind, paths: Mapping[str, Path], where: str) -> Settings:
    path: str | None = None
    if found.weights is not None and named.weights is None:
        raise WireError(f"{found.name} needs weights", f"{where}.weights")
    if named.weights is not None:
        if found.weights is None:
            raise WireError(f"{found.name} has no weights", f"{where}.weights")
        path = str(paths[named.weights])
    with _Located(f"{where}.settings"):
        return read_settings(found.settings, named.settings, path)


def require_version(body: bytes) -> None:
    """Tell another version from what is no request at all.

    Raises:
        WireError: it is no request.
        WireVersionError: it is one of another version.
    """

    class Versioned(msgspec.Struct):
        version: int

    try:
        version = msgspec.json.decode(body, type=Versioned).version
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise WireError(*said(error)) from error
    if version != wire.VERSION:
        raise WireVersionError(f"version {version} of the format is not known here; it is {wire.VERSION}", "$.version")


def _decoded(data: bytes) -> wire.WireJob:
    try:
        return _JOB.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise WireError(*said(error, "$.job")) from error


def said(error: Exception, root: str = "$") -> tuple[str, str]:
    """What is wrong and where, of an error of msgspec."""
    text, _, place = str(error)[:500].partition(" - at `")
    return text or "it is no JSON", root + place.rstrip("`").removeprefix("$") if place or root != "$" else ""
