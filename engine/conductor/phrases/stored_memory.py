# pyright: strict
"""The memory of ideas as plain data."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from engine.conductor.phrases.stored_phrases import StoredPhrase
from engine.form.position import Bars, Count, StoredKey
from engine.form.stored import Stored
from engine.ideas.idea import Idea, IdeaKind
from engine.ideas.memory import MOST_KEPT, HeardIdea, IdeaMemory
from engine.ideas.wear import FIGURES, HeardFigures, Wear

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


class StoredFigures(Stored):
    """A `HeardFigures`."""

    end_bar: Bars
    part: str
    figures: tuple[Annotated[int, Field(ge=0, lt=FIGURES)], ...] = Field(max_length=1 << 12)


class StoredTable(Stored):
    """The counts of a part's figures, in base 64."""

    part: str
    counts: str = Field(max_length=FIGURES * 2)

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            whole = len(base64.b64decode(self.counts, validate=True)) == FIGURES
        except (binascii.Error, ValueError):
            whole = False
        if not whole:
            raise ValueError(f"{FIGURES} counts in base 64 are expected")
        return self


class StoredWear(Stored):
    """A `Wear`, but for the bar, which is that of the memory."""

    tables: tuple[StoredTable, ...] = ()
    since: tuple[StoredFigures, ...] = Field(default=(), max_length=MOST_HEARD)

    @classmethod
    def of(cls, wear: Wear) -> Self:
        """A wear as plain data."""
        return cls(
            tables=tuple(StoredTable(part=p, counts=base64.b64encode(t).decode()) for p, t in wear.tables),
            since=tuple(StoredFigures(end_bar=o.end_bar, part=o.part, figures=o.figures) for o in wear.since),
        )

    def at(self, bar: int) -> Wear:
        """The same wear, that is folded up to a bar."""
        tables = tuple((one.part, base64.b64decode(one.counts)) for one in self.tables)
        return Wear(bar, tables, tuple(HeardFigures(one.end_bar, one.part, one.figures) for one in self.since))


class StoredMemory(Stored):
    """A `IdeaMemory`.

    Attributes:
        version: of this form.
        bar: up to which it is folded; before the start of a performance, too.
        kept: in the order in which they were last heard.
        since: heard after that bar, in the order of the fold.
        wear: how often which figures were heard.
    """

    version: Literal[1] = 1
    bar: int = Field(gt=-(1 << 20), lt=1 << 53)
    kept: tuple[StoredIdea, ...] = Field(max_length=MOST_KEPT)
    since: tuple[StoredHeard, ...] = Field(max_length=MOST_HEARD)
    wear: StoredWear = StoredWear()

    @classmethod
    def of(cls, memory: IdeaMemory) -> Self:
        """A memory as plain data."""
        return cls(
            bar=memory.bar,
            kept=tuple(map(StoredIdea.of, memory.kept)),
            since=tuple(StoredHeard(end_bar=one.end_bar, idea=StoredIdea.of(one.idea)) for one in memory.since),
            wear=StoredWear.of(memory.wear),
        )

    @property
    def memory(self) -> IdeaMemory:
        """The same memory."""
        return IdeaMemory(
            self.bar,
            tuple(one.idea for one in self.kept),
            tuple(HeardIdea(one.end_bar, one.idea.idea) for one in self.since),
            self.wear.at(self.bar),
        )
