# pyright: strict
"""The plan: which section plays when, with which tempo and key, and what is asked of which part. Without end.

Every choice is drawn from (seed, number of the pass) and from where the form stands, which a `Position` says in full: a
plan can be taken up at any bar of any pass, and the same seed always gives the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from engine.errors import PerpetuumError
from engine.form.digest import scene_digest
from engine.form.passes import Pass, Slot
from engine.form.position import Position, StoredSection
from engine.form.scene import Scene, Section, Tempo
from engine.form.seeds import derive_seed
from engine.score.harmony.keys import Key
from engine.score.time import DAY, Bar, TempoMap
from engine.units import Range


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
        self._passes: list[Pass] = []
        self._next_index = 0
        self._preceding: StoredSection | None = None  # what was played before the first pass that is remembered
        self._found: Position | None = None  # by the edit that this plan came from
        self._first = scene.sections[start] if start is not None else next(iter(scene.sections.values()))

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
        plan = cls(scene, seed, day=day)
        plan.tempo_map = TempoMap(position.line)
        plan._preceding, plan._found = position.preceding, position.edited
        plan._append(Pass.restored(running, section), already=position.bar - running.first_bar)
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
            plan._first = section or plan._first
        elif section is not None and played < section.bars.high:
            bars = max(int(section.bars.low), min(len(running.qpms), int(section.bars.high)), played + 1)
            time_of_day = plan._time_of_day(found.frame)
            qpms, key = plan._tempos(section, running.index, bars, time_of_day), plan._key(section, time_of_day)
            visit = replace(Pass.restored(running, section), bars=bars, qpms=qpms, key=key)
            plan._append(visit, already=played)
        else:
            plan._preceding, plan._next_index = running, running.index + 1
        return plan

    def bar(self, index: int) -> Bar:
        """A bar on the clock; the plan is laid out up to it."""
        while self.tempo_map.next_index <= index:
            self._append(self._draw())
        return self.tempo_map.bar(index)

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

    def sounding(self, visit: Pass) -> frozenset[str]:
        """Parts that are heard in a pass."""
        return frozenset(visit.section.parts)

    def active(self, visit: Pass) -> frozenset[str]:
        """Parts that make phrases in a pass: those heard, and those that they listen to, be they heard or not."""
        found: set[str] = set()
        todo = list(visit.section.parts)
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
        return self._begun(Plan(self.scene, self.seed, section, self._day), bar)

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
        index = self._next_index
        rng = np.random.default_rng(derive_seed(self.seed, "form", index))
        before = self._passes[-1].stored_section() if self._passes else self._preceding
        again = self.scene.sections.get(before.section) if before is not None else None
        if before is not None and again is not None and before.repeats_left > 0:
            section, repeats_left = again, before.repeats_left - 1
        else:
            # What follows it now: it may have been played before an edit.
            section = self._successor(again.next if again else dict(before.next), rng) if before else self._first
            repeats_left = int(rng.integers(int(section.repeat.low), int(section.repeat.high) + 1)) - 1
        bars = _draw_bars(section.bars, rng)
        first_bar = self.tempo_map.next_index
        time_of_day = self._time_of_day(self.tempo_map.end)
        tempos, key = self._tempos(section, index, bars, time_of_day), self._key(section, time_of_day)
        return Pass(index, section, first_bar, bars, tempos, key, repeats_left)

    def _time_of_day(self, frame: int) -> float:
        """Seconds since midnight at a frame; nobody asks the clock in scenes whose tempo and key do not follow it."""
        follows = self.scene.day_tempo is not None or self.scene.day_key is not None
        return self._day(frame) if follows else 0.0

    def _key(self, section: Section, time_of_day: float) -> Key:
        daily = self.scene.day_key.at(time_of_day) if self.scene.day_key is not None else self.scene.key
        return section.key or daily

    def _successor(self, following: Mapping[str, float], rng: np.random.Generator) -> Section:
        follows = {name: weight for name, weight in following.items() if name in self.scene.sections and weight > 0}
        if not follows:
            return next(iter(self.scene.sections.values()))
        names, weights = list(follows), np.array(list(follows.values()), float)
        return self.scene.sections[names[int(rng.choice(len(names), p=weights / weights.sum()))]]

    def _tempos(self, section: Section, index: int, bars: int, time_of_day: float) -> tuple[float, ...]:
        if section.tempo is None and self.scene.day_tempo is not None:
            return (round(self.scene.day_tempo.at(time_of_day), 1),) * bars
        tempo: Tempo = section.tempo or self.scene.tempo
        if tempo.drift is not None:
            return tuple(round(tempo.drift.at(bar / bars), 3) for bar in range(bars))
        rng = np.random.default_rng(derive_seed(self.seed, "tempo", index))
        return (round(float(rng.uniform(tempo.qpm.low, tempo.qpm.high)), 1),) * bars


def _draw_bars(span: Range, rng: np.random.Generator) -> int:
    """A length out of a range; whole groups of four bars, or of two, are preferred, as in most music."""
    low, high = int(span.low), int(span.high)
    for group in (4, 2):
        choices = [bars for bars in range(low, high + 1) if bars % group == 0]
        if len(choices) >= 2 or (choices and low == high):
            return int(rng.choice(choices))
    return int(rng.integers(low, high + 1))
