# pyright: strict
"""Faults that are known, what was done about each, and what is to be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.ear.answers import GRADES, Commands, Step
from engine.ear.faults import EarFault, EarFinding
from engine.runtime.performance.commands import Command, Reseed, SetControl

WELL = 60.0
"""Seconds of music without the fault after which it is over."""

LEAST_HELD = 180.0
"""Seconds for which what was held stays so; each time that the fault comes back it is twice as long."""

MOST_HELD = 3600.0

APART = 8.0
"""Seconds of music between two answers, whatever they are for."""


@dataclass(slots=True)
class Case:
    """A fault that is known.

    Attributes:
        finding: the last one.
        steps: that were taken.
        wait_until: seconds of music until which the last one may show that it works.
        seen: when it was found last.
        held: settings that are held because of it.
        held_until: seconds of music at which they are given back.
        patience: seconds for which they are held.
    """

    finding: EarFinding
    steps: int = 0
    wait_until: float = 0.0
    seen: float = 0.0
    held: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    held_until: float = 0.0
    patience: float = LEAST_HELD


@dataclass(frozen=True, slots=True)
class EarAnswer:
    """What is to be told, and done, about a fault.

    Attributes:
        finding: the figure that it is about.
        commands: what is done; none: only told.
        over: whether the fault is over.
    """

    finding: EarFinding
    commands: tuple[Command, ...]
    over: bool = False


class Cases:
    """All faults that are known.

    Args:
        commands: chooses what is done.
    """

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self._cases: dict[tuple[str, EarFault], Case] = {}
        self._answered = self._reseeded = -1e9

    @property
    def on_trial(self) -> frozenset[tuple[str, EarFault]]:
        """Faults that something was done about."""
        return frozenset(key for key, case in self._cases.items() if case.steps)

    def look(
        self, findings: Sequence[EarFinding], among: frozenset[EarFault], now: float, section: str, other: str | None
    ) -> list[EarAnswer]:
        """What is to be done now.

        Args:
            findings: what is wrong.
            among: faults that were looked for.
            now: seconds of music.
            section: that plays.
            other: a scene that could play instead.
        """
        found: list[EarAnswer] = []
        for finding in findings:
            case = self._cases.get((finding.part, finding.fault))
            new = case is None
            if case is None:
                case = self._cases[finding.part, finding.fault] = Case(finding)
            case.finding, case.seen = finding, now
            commands = self._next(case, now, section, other)
            if new or commands:
                found.append(EarAnswer(finding, commands))
        wrong = {(finding.part, finding.fault) for finding in findings}
        for key, case in list(self._cases.items()):
            if key[1] in among and key not in wrong:
                found += self._well(key, case, now)
        return found

    def _next(self, case: Case, now: float, section: str, other: str | None) -> tuple[Command, ...]:
        """What is done next about a case; nothing while the last answer, to whatever it was, may still work."""
        fault = case.finding.fault
        grades = GRADES[fault]
        if now < case.wait_until or now < self._answered + APART or not self.commands.allowed(now):
            return ()
        while case.steps < len(grades):
            grade = grades[case.steps]
            case.steps += 1
            commands = self.commands.of(grade.step, case.finding, now, section, other)
            if grade.step is Step.SEED and now < self._reseeded + grade.seconds:
                # Another part was stuck, too; one seed is for all.
                commands = tuple(one for one in commands if not isinstance(one, Reseed))
            if not commands:
                continue
            case.wait_until = now + grade.seconds
            self._answered = now
            for command in commands:
                if isinstance(command, Reseed):
                    self._reseeded = now
                if isinstance(command, SetControl):
                    case.held.add((command.part, command.control))
                    case.held_until = now + case.patience
            return commands
        return ()

    def _well(self, key: tuple[str, EarFault], case: Case, now: float) -> list[EarAnswer]:
        """A fault is not there now: in time what is held is given back, and then it is over."""
        if case.held:
            if now < case.held_until:
                return []
            given = tuple(SetControl(part, control, None) for part, control in sorted(case.held))
            case.held.clear()
            case.patience = min(2 * case.patience, MOST_HELD)
            # If it comes back, seeds have been tried already.
            case.steps, case.seen = min(case.steps, 1), now
            return [EarAnswer(case.finding, given)]
        if now < case.seen + WELL:
            return []
        del self._cases[key]
        return [EarAnswer(case.finding, (), over=True)]
