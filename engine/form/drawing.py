# pyright: strict
"""Drawing passes of sections: one after another, each out of the seed, its number and what came before."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.form.course import after_a_quiet, at_the_summit, between, intensity, next_course, progress
from engine.form.passes import Pass
from engine.form.periods import cadences, drawn_length, eased
from engine.form.position import Called, FormCourse, StoredPass, StoredSection
from engine.form.scene import Form, Scene, Section, Tempo
from engine.form.seeds import derive_seed
from engine.form.shapes import SHAPES
from engine.score.dynamics import LEVELS, clipped
from engine.score.harmony.keys import Key
from engine.score.harmony.relations import Relation
from engine.score.time import SAMPLE_RATE
from engine.units import QPM

_CHARACTER = 2.5
"""How strongly sections whose level is that of the moment are preferred to those that are far from it."""
_SLOWEST = QPM.low
"""Tempo under which no form and no rubato slows down."""
_QUIETEST = LEVELS["pp"]
"""Level of a planned quiet whose section says none."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Draws the passes of a scene.

    Attributes:
        scene: what plays.
        seed: of the performance.
        day: tells the time of day, in seconds since midnight, that counts for a frame of the output.
    """

    scene: Scene
    seed: int
    day: Callable[[int], float]

    def next_pass(
        self,
        before: StoredSection | None,
        past: FormCourse | None,
        start: Section | None,
        index: int,
        bar: int,
        frame: int,
    ) -> Pass:
        """The pass that follows.

        Args:
            before: the pass before it; None at the start of a performance.
            past: where the form stood before; None at the start.
            start: the section to begin with, where there is none before; None for the one that the form or the file
                begins with.
            index: of the pass.
            bar: its first.
            frame: that it begins at.
        """
        rng = np.random.default_rng(derive_seed(self.seed, "form", index))
        closed = before is not None and before.called == "closing"
        course = next_course(self.scene, past, closed, self.seed, index, frame)
        form, again = self.scene.form, self.scene.sections.get(before.section) if before is not None else None
        called: Called = (
            "" if form is None or (before is None and start is not None) else self._call(form, before, course, frame)
        )
        repeats_left = 0
        if form is not None and called:
            section = self._called(form, called)
            course = after_a_quiet(form, course, self.seed, index, frame) if called == "quiet" else course
            course = at_the_summit(course) if called == "tutti" else course
        elif before is not None and again is not None and before.repeats_left > 0:
            section, repeats_left = again, before.repeats_left - 1
        else:
            # What follows it now: it may have been played before an edit.
            follows = (again.next if again else dict(before.next)) if before is not None else {}
            section = self._successor(follows, rng, course, frame) if before is not None else (start or self._first())
            repeats_left = int(rng.integers(int(section.repeat.low), int(section.repeat.high) + 1)) - 1
        bars = drawn_length(section.bars, self.scene.period, rng)
        return self.laid_out(section, index, bar, bars, frame, course, called, repeats_left)

    def laid_out(
        self,
        section: Section,
        index: int,
        first_bar: int,
        bars: int,
        frame: int,
        course: FormCourse,
        called: Called,
        repeats_left: int,
    ) -> Pass:
        """A pass of a section, whose tempo, key, levels and players are drawn.

        Args:
            section: what plays.
            index: of the pass.
            first_bar: of it.
            bars: its length.
            frame: that it begins at.
            course: where the form stands.
            called: what the form has called the section for.
            repeats_left: how many more times it follows itself.
        """
        scene, form = self.scene, self.scene.form
        now = self._time_of_day(frame)
        refrain = form is not None and section.name == self._called(form, "refrain").name
        full = 1.0 if called == "tutti" else 0.0 if called == "quiet" else intensity(course, frame, refrain, now)
        qpms = self._tempos(section, index, bars, now)
        if form is not None:
            qpms = tuple(round(qpm * between(form.tempo, full), 3) for qpm in qpms)
        closes = cadences(self.seed, section.name, bars, scene.period)
        qpms = tuple(max(_SLOWEST, qpm) for qpm in eased(qpms, closes, scene.rubato))
        return Pass(
            index=index,
            section=section,
            first_bar=first_bar,
            bars=bars,
            qpms=qpms,
            key=self._key(section, course, now),
            repeats_left=repeats_left,
            players=self._players(section, called, full),
            dynamics=self._dynamics(section, called, course, frame, qpms, refrain) if scene.has_dynamics else (),
            intensity=full,
            cadences=closes,
            called=called,
            course=course,
        )

    def restored(self, stored: StoredPass, section: Section) -> Pass:
        """A pass out of plain data."""
        bars = len(stored.qpms)
        return Pass(
            index=stored.index,
            section=section,
            first_bar=stored.first_bar,
            bars=bars,
            qpms=stored.qpms,
            key=stored.key.key,
            repeats_left=stored.repeats_left,
            players=stored.players,
            dynamics=stored.dynamics,
            intensity=stored.intensity,
            cadences=cadences(self.seed, section.name, bars, self.scene.period),
            called=stored.called,
            course=stored.course,
        )

    # Which section

    def _first(self) -> Section:
        return next(iter(self.scene.sections.values()))

    def _call(self, form: Form, before: StoredSection | None, course: FormCourse, frame: int) -> Called:
        """What the form wants a section for; nothing where the music goes its own way."""
        movement = course.movement
        if movement is None:
            return ""
        if before is None or movement.begins == frame:
            return "opening"
        if course.quiet is not None and frame >= course.quiet and before.called != "opening":
            return "quiet"
        done = progress(movement, frame)
        if not movement.summit and movement.shape in SHAPES and done >= SHAPES[movement.shape].summit:
            return "tutti"
        if form.closing is not None:
            section = self._called(form, "closing")
            seconds = section.bars.high * self.scene.meter.beats_per_bar * 60 / self.scene.tempo.qpm.low
            if frame + seconds * SAMPLE_RATE >= movement.begins + movement.frames:
                return "closing"
        refrain = self._called(form, "refrain").name
        if movement.shape == "rondo" and before.section != refrain and before.repeats_left == 0 and before.called == "":
            return "refrain"
        return ""

    def _called(self, form: Form, called: Called) -> Section:
        """The section that a form means by a word; the first of the file where an edit has taken it away."""
        sections = self.scene.sections
        name = form.sections.get(called)
        if name is None and called == "refrain":
            name = form.opening
        if name is None and called == "tutti":
            name = max(sections, key=lambda one: len(sections[one].parts))
        return sections.get(name or "", self._first())

    def _successor(
        self, following: Mapping[str, float], rng: np.random.Generator, course: FormCourse, frame: int
    ) -> Section:
        """One of the sections that may follow; where there is a form, rather one whose level is that of the moment."""
        sections = self.scene.sections
        follows = {name: weight for name, weight in following.items() if name in sections and weight > 0}
        if not follows:
            return self._first()
        names, weights = list(follows), np.array(list(follows.values()), float)
        form = self.scene.form
        if form is not None and any(sections[name].dynamics for name in names):
            wanted = intensity(course, frame, False, self._time_of_day(frame))
            middles = np.array([_mean_level(sections[name]) for name in names])
            low, high = min(map(_mean_level, sections.values())), max(map(_mean_level, sections.values()))
            place = (middles - low) / (high - low) if high > low else np.full(len(names), wanted)
            weights = weights * np.exp(-_CHARACTER * np.abs(place - wanted))
        return sections[names[int(rng.choice(len(names), p=weights / weights.sum()))]]

    # How it is played

    def _time_of_day(self, frame: int) -> float:
        """Seconds since midnight at a frame; nobody asks the clock in scenes whose form does not follow it."""
        scene = self.scene
        follows = (
            scene.day_tempo is not None
            or scene.day_key is not None
            or scene.day_dynamics is not None
            or (scene.form is not None and "day" in scene.form.shapes)
        )
        return self.day(frame) if follows else 0.0

    def _key(self, section: Section, course: FormCourse, time_of_day: float) -> Key:
        if isinstance(section.key, Key):
            return section.key
        home = self.scene.key
        if course.home is not None and self.scene.modulation is not None:
            home = course.home.key.key
        elif self.scene.day_key is not None:
            home = self.scene.day_key.at(time_of_day)
        return section.key.of(home) if isinstance(section.key, Relation) else home

    def _tempos(self, section: Section, index: int, bars: int, time_of_day: float) -> tuple[float, ...]:
        if section.tempo is None and self.scene.day_tempo is not None:
            return (round(self.scene.day_tempo.at(time_of_day), 1),) * bars
        tempo: Tempo = section.tempo or self.scene.tempo
        if tempo.drift is not None:
            return tuple(round(tempo.drift.at(bar / bars), 3) for bar in range(bars))
        rng = np.random.default_rng(derive_seed(self.seed, "tempo", index))
        return (round(float(rng.uniform(tempo.qpm.low, tempo.qpm.high)), 1),) * bars

    def _players(self, section: Section, called: Called, full: float) -> tuple[str, ...]:
        """The parts that are heard: those that the section lists first, as many as the form wants."""
        form = self.scene.form
        if form is None or called in ("tutti", "quiet"):
            return section.parts
        count = round(len(section.parts) * between(form.parts, full))
        return section.parts[: max(1, count)]

    def _dynamics(
        self, section: Section, called: Called, course: FormCourse, frame: int, qpms: tuple[float, ...], refrain: bool
    ) -> tuple[float, ...]:
        """Levels at the bar lines: the section's own, moved by the form and by the time of day."""
        scene, form, beats = self.scene, self.scene.form, self.scene.meter.beats_per_bar
        lines = itertools.accumulate((beats * 60 / qpm * SAMPLE_RATE for qpm in qpms), initial=float(frame))
        own, levels = section.dynamics, list[float]()
        for place, line in enumerate(lines):
            level = own.at(place / len(qpms)) if own is not None else 0.0
            if called == "quiet":
                levels.append(clipped(level if own is not None else _QUIETEST))
                continue
            if form is not None:
                moment = round(line)
                full = 1.0 if called == "tutti" else intensity(course, moment, refrain, self._time_of_day(frame))
                level += between(form.dynamics, full)
            if scene.day_dynamics is not None:
                level += scene.day_dynamics.at(self._time_of_day(frame))
            levels.append(round(clipped(level), 3))
        return tuple(levels)


def begin_of(qpms: Sequence[float], frame: int, beats: float) -> int:
    """The frame that a pass began at, to a frame.

    Args:
        qpms: tempi of its bars before a bar line.
        frame: of that bar line.
        beats: of a bar.
    """
    passed = sum(beats * 60 / qpm * SAMPLE_RATE for qpm in qpms)
    return max(0, frame - round(passed))


def _mean_level(section: Section) -> float:
    return float(np.mean(section.dynamics.points)) if section.dynamics is not None else 0.0
