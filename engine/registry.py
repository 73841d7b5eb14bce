"""Kinds of generators, transforms, instruments and outputs, by entry points: the built-in ones like a plug-in's."""

from __future__ import annotations

import functools
import importlib
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from engine.errors import PerpetuumError

GROUPS = ("perpetuum.generators", "perpetuum.transforms", "perpetuum.instruments", "perpetuum.outputs")


@functools.cache
def _entries(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in sorted(entry_points(group=group), key=lambda e: (e.name, e.value))}


def names(group: str) -> list[str]:
    """Names of the registered kinds of a group, sorted."""
    return list(_entries(group))


@functools.cache
def kind(group: str, name: str) -> Any:
    """The descriptor of a kind.

    Raises:
        PerpetuumError: there is none of that name, or a plug-in's does not import.
    """
    entry = _entries(group).get(name)
    if entry is None:
        what = group.partition(".")[2].removesuffix("s")
        raise PerpetuumError(f"no kind of {what} is called {name!r}", f"known are: {', '.join(names(group))}")
    try:
        return entry.load()
    except Exception as error:  # a plug-in may raise anything; it must not take the engine down
        raise PerpetuumError(
            f"the plug-in {entry.value} for {name!r} does not load: {error!r}", "reinstall or remove it"
        ) from error


def kinds(group: str) -> dict[str, Any]:
    """All kinds of a group by name."""
    return {name: kind(group, name) for name in names(group)}


def load(target: str) -> Any:
    """The object that "module:attribute" names."""
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)
