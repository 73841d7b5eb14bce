# pyright: strict
"""The memory of ideas: a fold over the phrases that were decided.

What a phrase that begins with bar b may remember is `IdeaMemory.at(b - lag)`: a pure function of the phrases that end
at or
before that bar, folded by (bar in which they end, part), never in the order in which they came about. How long
a network took, who asked first, and where a performance was stopped and taken up again change nothing of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from engine.ideas.idea import Idea, IdeaKind
from engine.ideas.wear import HeardFigures, Wear

MOST_KEPT = 96
"""Themes of parts that are remembered; of more those are forgotten that were heard longest ago."""


@dataclass(frozen=True, slots=True)
class HeardIdea:
    """An idea that was heard.

    Attributes:
        end_bar: first bar after the phrase that it stood in.
        idea: what was heard.
    """

    end_bar: int
    idea: Idea


@dataclass(frozen=True, slots=True)
class IdeaMemory:
    """What is remembered at a bar line, and what was heard since.

    Attributes:
        bar: all phrases that end at or before it are folded.
        kept: themes as each part first played them, in the order in which they were last heard.
        since: heard after that bar, by (end, part).
        wear: how often which figures were heard in the last hours.
    """

    bar: int = 0
    kept: tuple[Idea, ...] = ()
    since: tuple[HeardIdea, ...] = ()
    wear: Wear = field(default_factory=Wear)

    def hearing(self, heard: Iterable[HeardIdea], figures: Iterable[HeardFigures] = ()) -> IdeaMemory:
        """The same memory, that has heard more; what ends at or before its bar comes too late and is not heard."""
        more = [one for one in heard if one.end_bar > self.bar]
        since = sorted((*self.since, *more), key=lambda one: (one.end_bar, one.idea.part))
        return IdeaMemory(self.bar, self.kept, tuple(since), self.wear.hearing(figures))

    def at(self, bar: int) -> IdeaMemory:
        """The memory folded up to a bar line; what comes after it is still to be folded."""
        kept = list(self.kept)
        for one in self.since:
            if one.end_bar <= bar:
                _fold(kept, one.idea)
        later = tuple(one for one in self.since if one.end_bar > bar)
        return IdeaMemory(max(bar, self.bar), tuple(kept), later, self.wear.at(bar))

    def theme(self, name: str, kind: IdeaKind, part: str, peers: Collection[str]) -> Idea | None:
        """A theme as a part first played it, or else as the first of its peers did."""
        found = [one for one in self.kept if one.theme == name and one.kind is kind and one.part in {part, *peers}]
        own = [idea for idea in found if idea.part == part]
        return min(own or found, key=lambda idea: (idea.first_bar, idea.part), default=None)


def _fold(kept: list[Idea], idea: Idea) -> None:
    """Remember an idea, or that a theme that is known was heard again."""
    known = [place for place, one in enumerate(kept) if _same_theme(one, idea)]
    kept.append(kept.pop(known[0]) if known else idea)
    del kept[:-MOST_KEPT]


def _same_theme(one: Idea, other: Idea) -> bool:
    return (one.theme, one.part, one.kind) == (other.theme, other.part, other.kind)
