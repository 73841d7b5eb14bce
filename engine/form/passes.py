# pyright: strict
"""What a plan is laid out in: passes of sections, and in each the slots of parts, which phrases fill."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.form.position import Called, FormCourse, StoredKey, StoredPass, StoredSection
from engine.form.scene import Section
from engine.generators.contract import Cadence
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
        players: the parts that are heard.
        dynamics: levels of playing at its bar lines, the last one included; empty for mf.
        intensity: how full the form wants it, 0..1.
        cadences: those that are due, each with the bars from its start until it closes there.
        called: what the form has called the section for; empty where it came by itself.
        course: where the form stands.
    """

    index: int
    section: Section
    first_bar: int
    bars: int
    qpms: tuple[float, ...]
    key: Key
    repeats_left: int
    players: tuple[str, ...]
    dynamics: tuple[float, ...]
    intensity: float
    cadences: tuple[tuple[int, Cadence], ...]
    called: Called
    course: FormCourse

    @property
    def end_bar(self) -> int:
        """First bar after it."""
        return self.first_bar + self.bars

    @property
    def quiet(self) -> bool:
        """Whether it is a planned quiet."""
        return self.called == "quiet"

    def progress(self, bar: int) -> float:
        """Where a bar line stands in the pass, 0 at its start to 1 at its end; for curves."""
        return (bar - self.first_bar) / self.bars

    def levels(self, first_bar: int, end_bar: int) -> tuple[float, ...]:
        """Levels of playing at the bar lines from one to another, both included; empty for mf."""
        return self.dynamics[first_bar - self.first_bar : end_bar - self.first_bar + 1]

    def stored(self) -> StoredPass:
        """The same as plain data."""
        return StoredPass(
            section=self.section.name,
            next=tuple(self.section.next.items()),
            repeats_left=self.repeats_left,
            course=self.course,
            called=self.called,
            index=self.index,
            first_bar=self.first_bar,
            qpms=self.qpms,
            key=StoredKey.of(self.key),
            players=self.players,
            dynamics=self.dynamics,
            intensity=self.intensity,
        )

    def stored_section(self) -> StoredSection:
        """What of it decides what follows, as plain data."""
        return StoredSection(
            section=self.section.name,
            next=tuple(self.section.next.items()),
            repeats_left=self.repeats_left,
            course=self.course,
            called=self.called,
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
