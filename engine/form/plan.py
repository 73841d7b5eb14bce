# pyright: strict
"""The plan: which section plays when, with which tempo and key, and what is asked of which part. Without end.

Every choice is drawn from (seed, number of the pass) and from where the form stands, which a `Position` says in full: a
plan can be taken up at any bar of any pass, and the same seed always gives the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from engine.errors import PerpetuumError
from engine.form.course import next_course
from engine.form.digest import scene_digest
from engine.form.drawing import Drawing, begin_of
from engine.form.passes import Pass, Slot
from engine.form.position import FormCourse, Position, StoredSection
from engine.form.scene import Scene
from engine.form.seeds import derive_seed
from engine.score.time import DAY, Bar, TempoMap


@dataclass(frozen=True, slots=True)
class QuietSpan:
    """A planned quiet: something sounds, far softer than the rest, and that is as it should be.

    Attributes:
        section: that plays.
        first_bar, end_bar: its first bar, and the first after it.
        begin, end: frames of the same; `begin` to a frame.
    """

    section: str
    first_bar: int
    end_bar: int
    begin: int
    end: int


def at_noon(frame: int) -> float:
    """What counts where nobody says which time of day it is."""
    return DAY / 2


class Plan:
    """The timeline of a scene, laid out as far as it is asked for.

    Args:
        scene: what plays.
        seed: of the whole performance.
        start: section to begin with; None for the first of the file.
        day: tells the time of day, in seconds since midnight, that counts for a frame of the output.

    Raises:
        KeyError: the scene has no section `start`.
    """

    def __init__(
        self, scene: Scene, seed: int, start: str | None = None, day: Callable[[int], float] = at_noon
    ) -> None:
        self.scene = scene
        self.seed = seed
        self.tempo_map = TempoMap()
        self._day = day
        self._drawing = Drawing(scene, seed, day)
        self._passes: list[Pass] = []
        self._next_index = 0
        self._preceding: StoredSection | None = None  # what was played before the first pass that is remembered
        self._course: FormCourse | None = None  # where the form stood before the first pass, if nothing precedes that
        self._found: Position | None = None  # by the edit that this plan came from
        self._first = scene.sections[start] if start is not None else None  # None: as the form or the file begins

    @classmethod
    def at(cls, position: Position, scene: Scene, seed: int, day: Callable[[int], float] = at_noon) -> Plan:
        """A plan that is taken up at a position: from there on it is the plan that the position is of.

        Args:
            position: in a performance of the same scene with the same seed.
            scene: what plays.
            seed: of the whole performance.
            day: tells the time of day.

        Raises:
            PerpetuumError: the scene does not have the section that runs there.
        """
        running = position.running
        section = scene.sections.get(running.section)
        if section is None:
            raise PerpetuumError(
                f"the performance cannot be taken up in section {running.section!r}: "
                f"the scene {scene.title!r} has no such section",
                "its sections are " + ", ".join(scene.sections),
            )
        if unknown := set(running.players) - set(section.parts):
            raise PerpetuumError(
                f"the performance cannot be taken up in section {running.section!r}: "
                f"in the scene {scene.title!r} {', '.join(sorted(unknown))} does not play there",
                "its parts are " + ", ".join(section.parts),
            )
        plan = cls(scene, seed, day=day)
        plan.tempo_map = TempoMap(position.line)
        plan._preceding, plan._found = position.preceding, position.edited
        plan._append(plan._drawing.restored(running, section), already=position.bar - running.first_bar)
        return plan

    @classmethod
    def edited(cls, position: Position, scene: Scene, seed: int, day: Callable[[int], float] = at_noon) -> Plan:
        """A plan of an edited scene that takes over at a position in a performance of the scene as it was.

        The pass that runs goes on if its section still exists and is long enough, else it is cut at the bar line and
        what follows it begins. Of several edits at one bar line only the last counts: it finds the pass as it ran
        before the first of them.

        Args:
            position: whose bar is the first that the edited scene decides.
            scene: edited.
            seed: of the whole performance.
            day: tells the time of day.
        """
        found = position.edited or position
        running, played = found.running, found.bar - found.running.first_bar
        plan = cls(scene, seed, day=day)
        plan.tempo_map = TempoMap(found.line)
        plan._found, plan._preceding, plan._next_index = found, found.preceding, running.index
        section = scene.sections.get(running.section)
        if played == 0:
            plan._first, plan._course = section or plan._first, running.course
        elif section is not None and played < section.bars.high:
            bars = max(int(section.bars.low), min(len(running.qpms), int(section.bars.high)), played + 1)
            begin = begin_of(running.qpms[:played], found.frame, scene.meter.beats_per_bar)
            visit = plan._drawing.laid_out(
                section,
                running.index,
                running.first_bar,
                bars,
                begin,
                next_course(scene, running.course, False, seed, running.index, begin),
                running.called,
                running.repeats_left,
            )
            plan._append(visit, already=played)
        else:
            plan._preceding, plan._next_index = running, running.index + 1
        return plan

    def bar(self, index: int) -> Bar:
        """A bar on the clock; the plan is laid out up to it."""
        while self.tempo_map.next_index <= index:
            self._append(self._draw())
        return self.tempo_map.bar(index)

    def time_of_day(self, bar: int) -> float:
        """Seconds since midnight at a bar line, as far as one knows now."""
        return self._day(self.bar(bar).start)

    def pass_at(self, bar: int) -> Pass:
        """The pass that a bar belongs to.

        Raises:
            KeyError: that bar was forgotten.
        """
        self.bar(bar)
        for visit in reversed(self._passes):
            if visit.first_bar <= bar:
                return visit
        raise KeyError(f"bar {bar} has been forgotten")

    def passes(self) -> Iterator[Pass]:
        """All passes from the first that is remembered, without end."""
        place = self.tempo_map.first_index
        while True:
            visit = self.pass_at(place)
            yield visit
            place = visit.end_bar

    def frame_at(self, bar: int, beat: float) -> int:
        """Frame of a beat counted from the start of a bar; it may lie bars later."""
        beats_per_bar = self.scene.meter.beats_per_bar
        later = max(0, int(beat // beats_per_bar))
        return self.bar(bar + later).frame_at(beat - later * beats_per_bar)

    def quiet_at(self, bar: int) -> QuietSpan | None:
        """The planned quiet that a bar lies in; None where none is planned."""
        visit = self.pass_at(bar)
        if not visit.quiet:
            return None
        # Its first bars may have been forgotten, but not where they began: the tempo map still has this one.
        begin = begin_of(visit.qpms[: bar - visit.first_bar], self.bar(bar).start, self.scene.meter.beats_per_bar)
        end = self.bar(visit.end_bar - 1).end
        return QuietSpan(visit.section.name, visit.first_bar, visit.end_bar, begin, end)

    def sounding(self, visit: Pass) -> frozenset[str]:
        """Parts that are heard in a pass."""
        return frozenset(visit.players)

    def active(self, visit: Pass) -> frozenset[str]:
        """Parts that make phrases in a pass: those heard, and those that they listen to, be they heard or not."""
        found: set[str] = set()
        todo = list(visit.players)
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += [source.part for source in self.scene.parts[name].sources.values()]
        return frozenset(found)

    def slot(self, part: str, bar: int) -> Slot | None:
        """The slot of a part that begins at or covers a bar; None if the part is not active then."""
        visit = self.pass_at(bar)
        if part not in self.active(visit):
            return None
        chain = self.scene.parts[part]
        opening_end = self.scene.opening if chain.needs_network else 0
        # The opening is cut off at a bar line, so that networks begin as soon as they may.
        cuts = sorted({visit.first_bar, *({opening_end} if visit.first_bar < opening_end < visit.end_bar else ())})
        origin = max(cut for cut in cuts if cut <= bar)
        limit = min([cut for cut in cuts if cut > bar] + [visit.end_bar])
        first = origin + (bar - origin) // chain.phrase_bars * chain.phrase_bars
        return Slot(
            part=part,
            visit=visit,
            first_bar=first,
            bars=min(chain.phrase_bars, limit - first),
            seed=derive_seed(self.seed, part, visit.index, first - visit.first_bar),
            opening=first < opening_end,
        )

    def forget_before(self, bar: int) -> None:
        """Drop what lies before a bar, so that days of music need no more memory than minutes."""
        self.bar(max(bar, self.tempo_map.first_index))
        while len(self._passes) > 1 and self._passes[0].end_bar <= bar:
            self._preceding = self._passes.pop(0).stored_section()
        self.tempo_map.forget_before(bar)

    def position(self, bar: int) -> Position:
        """The bar line that a bar begins at, as plain data from which `at` and `edited` go on.

        Raises:
            KeyError: that bar was forgotten.
        """
        visit, line = self.pass_at(bar), self.tempo_map.line(bar)
        preceding = None
        if visit.first_bar == bar:
            place = self._passes.index(visit)
            preceding = self._passes[place - 1].stored_section() if place else self._preceding
        return Position(
            bar=bar,
            frame=line.frame,
            carry=line.carry,
            running=visit.stored(),
            preceding=preceding,
            edited=self._found if self._found is not None and self._found.bar == bar else None,
        )

    def replaced_by(self, scene: Scene, bar: int) -> Plan:
        """A plan of an edited scene that takes over at a bar line, as `edited` says; this one stays as it is.

        Args:
            scene: edited.
            bar: the first bar that it decides.

        Raises:
            KeyError: that bar was forgotten.
        """
        return Plan.edited(self.position(bar), scene, self.seed, self._day)

    def led_to(self, section: str, bar: int) -> Plan:
        """A plan of the same scene that goes to a section at a bar line, cutting the pass that runs; this one stays.

        Args:
            section: its name.
            bar: the first of that section.

        Raises:
            KeyError: there is no such section, or that bar was forgotten.
        """
        plan = self._begun(Plan(self.scene, self.seed, section, self._day), bar)
        plan._course = self.pass_at(bar).course
        return plan

    def reseeded(self, seed: int, bar: int) -> Plan:
        """A plan of the same scene that draws with another seed from a bar line on; this one stays as it is."""
        return Plan.edited(self.position(bar), self.scene, seed, self._day)

    def begun_anew(self, scene: Scene, seed: int, bar: int) -> Plan:
        """A plan of another scene that begins with its first section at a bar line; this one stays as it is.

        Args:
            scene: the other one.
            seed: that it draws with.
            bar: the first that it decides.

        Raises:
            KeyError: that bar was forgotten.
        """
        return self._begun(Plan(scene, seed, day=self._day), bar)

    def taken_up(self, position: Position, edited: bool = False) -> Plan:
        """A plan of the same scene, seed and day that is taken up at a position, as `at` or `edited` says."""
        return (Plan.edited if edited else Plan.at)(position, self.scene, self.seed, self._day)

    def _begun(self, plan: Plan, bar: int) -> Plan:
        """A new plan that begins at a bar line of this one."""
        position = self.position(bar)
        plan.tempo_map = TempoMap(position.line)
        plan._next_index = position.running.index + (position.running.first_bar < bar)
        return plan

    @cached_property
    def scene_digest(self) -> str:
        """Digest of the scene."""
        return scene_digest(self.scene)

    def _append(self, visit: Pass, already: int = 0) -> None:
        self._passes.append(visit)
        self._next_index = visit.index + 1
        for qpm in visit.qpms[already:]:
            self.tempo_map.append(self.scene.meter.beats_per_bar, qpm)

    def _draw(self) -> Pass:
        before = self._passes[-1].stored_section() if self._passes else self._preceding
        line = self.tempo_map
        course = before.course if before is not None else self._course
        start = self._first if before is None else None
        return self._drawing.next_pass(before, course, start, self._next_index, line.next_index, line.end)
