"""Kinds of things that scenes and commands name, found by entry points: the built-in ones like a plug-in's.

Each registry stands beside the contract of its kinds: `GENERATORS` and `TRANSFORMS` in engine/generators/contract.py,
`INSTRUMENTS` in engine/sound/contract.py, `OUTPUTS` in engine/outputs/contract.py.
"""

# pyright: strict

from __future__ import annotations

import difflib
import functools
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, Protocol, TypeVar

from engine.errors import PerpetuumError


class Named(Protocol):
    """What every registry can hold."""

    @property
    def name(self) -> str:
        """As scenes and commands write it."""
        ...


K = TypeVar("K", bound=Named)


class Registry(Generic[K]):
    """Kinds by name, each imported when it is asked for first.

    Args:
        group: the entry point group under which packages register kinds.
        kind: the class that every one of them is an instance of.
        noun: what one is called in messages.
        further: kinds that are known without an entry point.
    """

    def __init__(self, group: str, kind: type[K], noun: str, further: tuple[K, ...] = ()) -> None:
        self.group = group
        self.noun = noun
        self._kind = kind
        self._further = {one.name: one for one in further}
        self._loaded: dict[str, K | PerpetuumError] = {}

    def names(self) -> list[str]:
        """Names of all kinds that are registered, sorted, those that do not load included."""
        return sorted({*self._entries, *self._further})

    def get(self, name: str) -> K:
        """The kind of a name.

        Raises:
            PerpetuumError: there is none of that name, or it does not load.
        """
        if name not in self._entries and name not in self._further:
            near = difflib.get_close_matches(name[:64], self.names(), 1)
            known = f"known are: {', '.join(self.names())}"
            hint = f"did you mean {near[0]}? {known}" if near else known
            raise PerpetuumError(f"no {self.noun} is called {name!r}", hint)
        found = self._load(name)
        if isinstance(found, PerpetuumError):
            raise found
        return found

    def kinds(self) -> dict[str, K]:
        """All kinds that load, by name; one that does not load hides no other, and is told by `broken`."""
        found = {name: self._load(name) for name in self.names()}
        return {name: kind for name, kind in found.items() if not isinstance(kind, PerpetuumError)}

    def broken(self) -> dict[str, PerpetuumError]:
        """Why kinds do not load, by name."""
        found = {name: self._load(name) for name in self.names()}
        return {name: error for name, error in found.items() if isinstance(error, PerpetuumError)}

    def having(self, *further: K) -> Registry[K]:
        """A registry with further kinds, in the place of those of the same names; this one stays as it is."""
        return Registry(self.group, self._kind, self.noun, (*self._further.values(), *further))

    @functools.cached_property
    def _entries(self) -> dict[str, list[EntryPoint]]:
        """Entry points by name, the engine's own before a package's; the same one may be found twice."""
        found: dict[str, dict[str, EntryPoint]] = {}
        for entry in sorted(entry_points(group=self.group), key=lambda entry: (not _is_own(entry), entry.value)):
            found.setdefault(entry.name, {}).setdefault(entry.value, entry)
        return {name: list(entries.values()) for name, entries in found.items()}

    def _load(self, name: str) -> K | PerpetuumError:
        if name not in self._loaded:
            self._loaded[name] = self._further.get(name) or self._imported(name)
        return self._loaded[name]

    def _imported(self, name: str) -> K | PerpetuumError:
        entries = self._entries[name]
        # A package does not take the place of what the engine brings along; of two packages neither is the right one.
        if len(entries) > 1 and not _is_own(entries[0]):
            both = " and ".join(entry.value for entry in entries)
            return PerpetuumError(f"two plug-ins register a {self.noun} {name!r}: {both}", "remove one of them")
        entry = entries[0]
        what = f"the plug-in {entry.value} for the {self.noun} {entry.name!r}"
        try:
            found: object = entry.load()
        # A plug-in may raise anything, and may even leave; it must not take the engine down.
        except (Exception, SystemExit) as error:
            return PerpetuumError(f"{what} does not load: {error!r}", "reinstall or remove it")
        if not isinstance(found, self._kind):
            wanted = self._kind.__name__
            return PerpetuumError(f"{what} is no {wanted} but {type(found).__name__}", f"register a {wanted}")
        if found.name != entry.name:
            return PerpetuumError(f"{what} calls itself {found.name!r}", "register it under the name that it has")
        return found


def _is_own(entry: EntryPoint) -> bool:
    return entry.module.partition(".")[0] == "engine"
