# pyright: strict
"""Themes of a scene: the few ideas that it is known by, written by its author or found while it plays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.ideas.idea import Idea

PASSES = 60
"""Passes of sections after which a theme that was found gives way to a new one: with passes of a minute, an
hour. Each of the themes has its own moment, so that the others hold on."""


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme of a scene.

    Attributes:
        name: as the scene writes it.
        written: its ideas, by role; in other roles it is found: it is what is played first under its name.
    """

    name: str
    written: Mapping[str, Idea] = field(default_factory=dict[str, Idea])

    @property
    def found(self) -> bool:
        """Whether the engine finds all of it."""
        return not self.written

    def called(self, pass_index: int, place: int, count: int) -> str:
        """Its name in a pass: one that is found is another after every `PASSES` passes, and says the how manyeth.

        Args:
            pass_index: passes before that one.
            place: of the theme among all.
            count: of all themes.
        """
        if not self.found:
            return self.name
        turn = (pass_index + place * PASSES // count) // PASSES
        return f"{self.name}.{turn + 1}"


FOUND = (Theme("A"), Theme("B"), Theme("C"), Theme("D"))
"""Of a scene that names none."""
