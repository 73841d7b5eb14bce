# pyright: strict
"""Messages between the conductor's process and a generator worker, besides `Job` and `Reply`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel

from engine.codec import Codec, model_name
from engine.conductor.makers.contract import Job, Reply
from engine.generators.contract import GENERATORS, TRANSFORMS, Settings


@dataclass(frozen=True, slots=True)
class Load:
    """Build these generators now, so that no job has to wait for it: pairs of kind and settings."""

    generators: tuple[tuple[str, Settings], ...]


@dataclass(frozen=True, slots=True)
class Cancel:
    """Jobs that nobody waits for any more."""

    tickets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Loading:
    """A generator is being built.

    Attributes:
        kind: of the generator.
        done: how many are built.
        total: how many there are to build.
    """

    kind: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """All that was to be loaded is loaded, or has failed.

    Attributes:
        seconds: what it took.
        problems: what did not load, and why: pairs of kind and reason.
    """

    seconds: float
    problems: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Started:
    """A job has been begun."""

    ticket: int


ToWorker = Load | Job | Cancel
"""All that a worker can be told."""

FromWorker = Loading | Loaded | Started | Reply
"""All that it says."""


@cache
def settings_class(name: str) -> type[BaseModel]:
    """The settings of an installed kind of generator or transform, or such that stand in them, by their class's name
    on the wire.

    Raises:
        LookupError: no installed kind has such settings.
    """
    models: list[type[BaseModel]] = [kind.settings for kind in GENERATORS.kinds().values()]
    models += [kind.settings for kind in TRANSFORMS.kinds().values()]
    for model in models:  # grows: models within models
        if model_name(model) == name:
            return model
        inner = (field.annotation for field in model.model_fields.values())
        models += [one for one in inner if isinstance(one, type) and issubclass(one, BaseModel) and one not in models]
    raise LookupError(f"no installed generator or transform has the settings {name[:80]}")


TO_WORKER: Codec[ToWorker] = Codec(ToWorker, settings_class)
FROM_WORKER: Codec[FromWorker] = Codec(FromWorker)
