# pyright: strict
"""The memory of ideas as plain data."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from engine.conductor.phrases.stored_phrases import StoredPhrase
from engine.form.position import Bars, Count, StoredKey
from engine.form.stored import Stored
from engine.ideas.idea import Idea, IdeaKind
from engine.ideas.memory import MOST_KEPT, HeardIdea, IdeaMemory

MOST_HEARD = 1 << 14
"""Ideas that may be heard before the oldest of them counts: a hundred bars of the most parts, and more."""


class StoredIdea(Stored):
    """An `Idea`."""

    kind: IdeaKind
    theme: str
    part: str
    first_bar: Count
    key: StoredKey
    beats_per_bar: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
    phrase: StoredPhrase

    @classmethod
    def of(cls, idea: Idea) -> Self:
        """An idea as plain data."""
        return cls(
            kind=idea.kind,
            theme=idea.theme,
            part=idea.part,
            first_bar=idea.first_bar,
            key=StoredKey(tonic=idea.key.tonic, mode=idea.key.mode),
            beats_per_bar=idea.beats_per_bar,
            phrase=StoredPhrase.of(idea.phrase),
        )

    @property
    def idea(self) -> Idea:
        """The same idea."""
        return Idea(
            self.kind, self.theme, self.part, self.first_bar, self.key.key, self.beats_per_bar, self.phrase.phrase
        )


class StoredHeard(Stored):
    """A `HeardIdea`."""

    end_bar: Bars
    idea: StoredIdea


class StoredMemory(Stored):
    """A `IdeaMemory`.

    Attributes:
        version: of this form.
        bar: up to which it is folded; before the start of a performance, too.
        kept: in the order in which they were last heard.
        since: heard after that bar, in the order of the fold.
    """

    version: Literal[1] = 1
    bar: int = Field(gt=-(1 << 20), lt=1 << 53)
    kept: tuple[StoredIdea, ...] = Field(max_length=MOST_KEPT)
    since: tuple[StoredHeard, ...] = Field(max_length=MOST_HEARD)

    @classmethod
    def of(cls, memory: IdeaMemory) -> Self:
        """A memory as plain data."""
        return cls(
            bar=memory.bar,
            kept=tuple(map(StoredIdea.of, memory.kept)),
            since=tuple(StoredHeard(end_bar=one.end_bar, idea=StoredIdea.of(one.idea)) for one in memory.since),
        )

    @property
    def memory(self) -> IdeaMemory:
        """The same memory."""
        return IdeaMemory(
            self.bar,
            tuple(one.idea for one in self.kept),
            tuple(HeardIdea(one.end_bar, one.idea.idea) for one in self.since),
        )
