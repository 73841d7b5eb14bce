# pyright: strict
"""What is done about a fault: graded, one thing after another, each given time to work, and never many at once."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from engine.ear.faults import EarFault, EarFinding
from engine.form.scene import Part, Scene
from engine.form.seeds import derive_seed
from engine.generators.chain import rules_for
from engine.runtime.performance.commands import ChangeScene, Command, GoToSection, Reseed, SetControl, When

TEMPERATURE_STEP = 0.15
"""By which a temperature is raised where a part is stuck, and lowered where it plays noise."""

MOST_ANSWERS = 24
"""In an hour; then faults are told and nothing is done, until some of that hour is over."""


class Step(Enum):
    """A thing that can be done."""

    TEMPERATURE = "temperature"
    SEED = "seed"
    """Another seed, and another temperature where there is one."""
    RULES = "rules"
    """Rules play in place of the generator, for a while: it then goes on from what they played, a new primer."""
    SECTION = "section"
    SCENE = "scene"


@dataclass(frozen=True, slots=True)
class GradedStep:
    """A step, and how long it may take to show that it worked.

    Attributes:
        step: what is done.
        seconds: of music before the next one.
    """

    step: Step
    seconds: float


_STUCK = (
    GradedStep(Step.SEED, 20.0),
    GradedStep(Step.RULES, 30.0),
    GradedStep(Step.SECTION, 60.0),
    GradedStep(Step.SCENE, 600.0),
)
_DULL = (
    GradedStep(Step.TEMPERATURE, 300.0),
    GradedStep(Step.SEED, 300.0),
    GradedStep(Step.RULES, 300.0),
    GradedStep(Step.SECTION, 300.0),
    GradedStep(Step.SCENE, 1800.0),
)
_SOUND = (GradedStep(Step.SECTION, 30.0), GradedStep(Step.SCENE, 600.0))

GRADES: dict[EarFault, Sequence[GradedStep]] = {
    EarFault.EMPTY: _STUCK,
    EarFault.ONE_PITCH: _STUCK,
    EarFault.LOOP: _STUCK,
    EarFault.CROWD: _STUCK,
    EarFault.NOISE: _STUCK,
    EarFault.REPETITION: _DULL,
    EarFault.DEAD_AIR: _SOUND,
    EarFault.TONE: _SOUND,
    EarFault.OFFSET: _SOUND,
    EarFault.PEAK: (),
    EarFault.LOUDNESS: (),
}
"""What is done about each fault, in this order."""


class Commands:
    """Chooses the commands of a step.

    Args:
        scene: that plays.
        seed: of what is drawn here.
    """

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene = scene
        self._seed = seed
        self._given: deque[float] = deque()

    def allowed(self, now: float) -> bool:
        """Whether anything may still be done in this hour of music."""
        while self._given and self._given[0] < now - 3600:
            self._given.popleft()
        return len(self._given) < MOST_ANSWERS

    def of(self, step: Step, finding: EarFinding, now: float, section: str, other: str | None) -> tuple[Command, ...]:
        """The commands of a step; none where it cannot be done here.

        Args:
            step: what is done.
            finding: why.
            now: seconds of music.
            section: that plays.
            other: a scene that could play instead; None: there is none.
        """
        part = self.scene.parts.get(finding.part)
        found: tuple[Command, ...] = ()
        match step:
            case Step.TEMPERATURE:
                found = self._temperature(part, finding)
            case Step.SEED:
                seed = derive_seed(self._seed, "ear", round(now))
                found = (*self._temperature(part, finding), Reseed(seed))
            case Step.RULES:
                rules = rules_for(part.role).name if part is not None else ""
                if part is not None and part.generator != rules:
                    found = (SetControl(part.name, "generator", rules),)
            case Step.SECTION:
                target = self._elsewhere(section, finding.part)
                found = (GoToSection(target, When.BAR),) if target is not None else ()
            case Step.SCENE:
                found = (ChangeScene(other, When.BAR, derive_seed(self._seed, "scene", round(now))),) if other else ()
        if found:
            self._given.append(now)
        return found

    @staticmethod
    def _temperature(part: Part | None, finding: EarFinding) -> tuple[Command, ...]:
        value = getattr(part.settings, "temperature", None) if part is not None else None
        if part is None or not isinstance(value, float):
            return ()
        field = type(part.settings).model_fields["temperature"]
        low = max((one.ge for one in field.metadata if hasattr(one, "ge")), default=0.1)
        high = min((one.le for one in field.metadata if hasattr(one, "le")), default=2.0)
        wanted = value + (-TEMPERATURE_STEP if finding.fault is EarFault.NOISE else TEMPERATURE_STEP)
        wanted = min(max(wanted, low), high)
        return () if math.isclose(wanted, value) else (SetControl(part.name, "temperature", round(wanted, 3)),)

    def _elsewhere(self, section: str, part: str) -> str | None:
        """Another section, without the part if there is one."""
        others = [one for name, one in self.scene.sections.items() if name != section]
        without = [one for one in others if part not in one.parts]
        following = dict(self.scene.sections[section].next) if section in self.scene.sections else {}
        names = [one.name for one in without or others]
        return max(names, key=lambda name: following.get(name, 0.0), default=None)
