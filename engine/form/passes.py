# pyright: strict
"""What a plan is laid out in: passes of sections, and in each the slots of parts, which phrases fill."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.form.position import StoredKey, StoredPass, StoredSection
from engine.form.scene import Section
from engine.score.harmony.keys import Key


@dataclass(frozen=True, slots=True)
class Pass:
    """One time through a section.

    Attributes:
        index: passes before it.
        section: what plays.
        first_bar: its first bar, counted from the start of the performance.
        bars: its length.
        qpms: tempo of each bar.
        key: its key.
        repeats_left: how many more times the section follows itself.
    """

    index: int
    section: Section
    first_bar: int
    bars: int
    qpms: tuple[float, ...]
    key: Key
    repeats_left: int

    @property
    def end_bar(self) -> int:
        """First bar after it."""
        return self.first_bar + self.bars

    def progress(self, bar: int) -> float:
        """Where a bar line stands in the pass, 0 at its start to 1 at its end; for curves."""
        return (bar - self.first_bar) / self.bars

    @classmethod
    def restored(cls, stored: StoredPass, section: Section) -> Pass:
        """The pass that was stored; its section is looked up by whoever knows the scene."""
        qpms = stored.qpms
        return cls(stored.index, section, stored.first_bar, len(qpms), qpms, stored.key.key, stored.repeats_left)

    def stored(self) -> StoredPass:
        """As plain data."""
        return StoredPass(
            section=self.section.name,
            next=tuple(self.section.next.items()),
            repeats_left=self.repeats_left,
            index=self.index,
            first_bar=self.first_bar,
            qpms=self.qpms,
            key=StoredKey(tonic=self.key.tonic, mode=self.key.mode),
        )

    def stored_section(self) -> StoredSection:
        """What decides the next pass, as plain data."""
        return StoredSection(
            section=self.section.name, next=tuple(self.section.next.items()), repeats_left=self.repeats_left
        )


@dataclass(frozen=True, slots=True)
class Slot:
    """Some bars of one part, to be filled by one phrase.

    Attributes:
        part: name of the part.
        visit: the pass that it lies in.
        first_bar: counted from the start of the performance.
        bars: at least 1.
        seed: of the phrase.
        opening: a network part that rules play, because the scene gives its networks so many bars to load.
    """

    part: str
    visit: Pass
    first_bar: int
    bars: int
    seed: int
    opening: bool

    @property
    def end_bar(self) -> int:
        """First bar after it."""
        return self.first_bar + self.bars

    def cut(self, bar: int) -> Slot:
        """What is left of it from a bar on; it keeps its seed."""
        return self if bar <= self.first_bar else replace(self, first_bar=bar, bars=self.end_bar - bar)
