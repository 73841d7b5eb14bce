# pyright: strict
"""Bounded names for labels: a metric has as many series as this file says, whatever happens for years."""

from __future__ import annotations

PREFIX = "perpetuum"

STATIONS = ("sealed", "rendered", "taken")
"""Where the music passes."""

COMPONENTS = ("keeper", "mind", "audio", "spare", "worker", "player", "recorder", "steering", "other")
"""Processes of an installation; all workers are one component."""

OTHER = "other"
"""What stands for names that nobody foresaw."""

MOST_GENERATORS = 40
"""Kinds of generators that have series of their own; plug-ins bring more kinds, and names are not ours to bound."""


def component_of(process: str) -> str:
    """The component that a process belongs to, by the name that events and snapshots give it ("worker 1")."""
    word = process.partition(" ")[0]
    return word if word in COMPONENTS else OTHER


class Bounded:
    """Lets so many names through, and gives the rest one name.

    Args:
        most: names.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, name: str) -> str:
        """The label for a name."""
        if name not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(name)
        return name
