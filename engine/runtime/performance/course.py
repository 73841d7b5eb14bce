# pyright: strict
"""What a performance is to be, and how it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.conductor.clocks import LEAD
from engine.conductor.daytime import TimeOfDay, WallDay
from engine.errors import PerpetuumError
from engine.form.plan import Plan
from engine.form.scene import Scene

if TYPE_CHECKING:  # `perpetuum plan` needs no conductor
    from engine.runtime.ending import Ending
    from engine.runtime.performance.mind.state import MindState

LoadScene = Callable[[Path], Scene]
"""Reads a scene file. Raises an exception that says in words why it cannot be played."""


def no_scenes(path: Path) -> Scene:
    """Reads none: where nobody commands."""
    raise PerpetuumError(f"{path} is not read here")


@dataclass(frozen=True, slots=True)
class Course:
    """What a performance is to be.

    Attributes:
        seed: of the performance.
        start: section to begin with; None for the scene's first.
        solo: only this part is heard; None for all.
        ending: where it ends; None for without end.
        day: the time of day.
        live: in real time; False as fast as possible.
        lead: a bar is sealed this many frames before it sounds.
        begin: the state in which it begins, whose seed is the course's; None for a section's first bar.
    """

    seed: int
    start: str | None = None
    solo: str | None = None
    ending: Ending | None = None
    day: TimeOfDay = field(default_factory=WallDay)
    live: bool = True
    lead: int = LEAD
    begin: MindState | None = None

    def plan(self, scene: Scene) -> Plan:
        """The plan of a scene, from where it begins.

        Raises:
            PerpetuumError: the scene has not what a hand held in the state with which it begins.
        """
        plan = Plan(scene, self.seed, self.start, self.day.at)
        if self.begin is None:
            return plan
        from engine.runtime.performance.mind.holds import with_holds

        plan = Plan(with_holds(scene, self.begin.held, self.begin.muted), self.seed, day=self.day.at)
        begin = self.begin.conductor
        return plan.taken_up(begin.position, edited=begin.scene != plan.scene_digest)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A performance at a moment.

    Attributes:
        title: of the scene.
        seed: of what is decided now.
        section: that is being decided.
        pass_index: passes before it.
        next_bar: the first bar that is not decided.
        made: frames of sound that were made.
        heard: frames that the output has taken.
        parts: names of the parts that play in that section.
        muted: names of the parts that a hand has silenced.
        solo: the only part that is heard; None for all.
    """

    title: str
    seed: int
    section: str
    pass_index: int
    next_bar: int
    made: int
    heard: int
    parts: tuple[str, ...]
    muted: tuple[str, ...]
    solo: str | None
