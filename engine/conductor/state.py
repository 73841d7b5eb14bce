# pyright: strict
"""The state of a conductor as plain data: with it another process goes on with the very same notes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from engine.conductor.makers.breaker import CircuitBreaker
from engine.conductor.makers.ladder import Standing
from engine.conductor.phrases.lines import DecidedPhrase, PlayedLine, until
from engine.conductor.phrases.lookahead import Lookahead
from engine.conductor.phrases.stored_memory import StoredMemory
from engine.conductor.phrases.stored_phrases import Finite, StoredPhrase
from engine.conductor.sealing import Controls
from engine.errors import PerpetuumError
from engine.form.passes import Slot
from engine.form.plan import Plan
from engine.form.position import Bars, Count, Position, StoredKey
from engine.form.stored import Stored
from engine.generators.contract import Role
from engine.ideas.memory import IdeaMemory
from engine.sound.messages import Control

FARTHEST = 4096
"""Bars ahead of the next one that a phrase may be asked for; a horizon of a minute of the shortest bars is less."""


class StoredDecision(Stored):
    """A `DecidedPhrase`: bars of a part whose phrase is decided; without `phrase`, what is heard is `raw`."""

    first_bar: Count
    bars: Bars
    raw: StoredPhrase
    phrase: StoredPhrase | None
    key: StoredKey

    @classmethod
    def of(cls, decided: DecidedPhrase) -> Self:
        """A decided phrase as plain data."""
        raw = StoredPhrase.of(decided.raw)
        phrase = StoredPhrase.of(decided.phrase)
        heard = None if phrase == raw else phrase
        key = StoredKey.of(decided.key)
        return cls(first_bar=decided.first_bar, bars=decided.bars, raw=raw, phrase=heard, key=key)

    @property
    def decided(self) -> DecidedPhrase:
        """The same decision."""
        raw = self.raw.phrase
        heard = self.phrase.phrase if self.phrase else raw
        return DecidedPhrase(self.first_bar, self.bars, raw, heard, self.key.key)


class StoredLine(Stored):
    """What a part has played lately, and plays next as far as that is decided.

    Attributes:
        part: its name.
        role: that it plays.
        decided: in order.
    """

    part: str
    role: Role
    decided: tuple[StoredDecision, ...]

    @classmethod
    def of(cls, part: str, line: PlayedLine) -> Self:
        """A line as plain data."""
        return cls(part=part, role=line.role, decided=tuple(map(StoredDecision.of, line.decided)))

    @property
    def line(self) -> PlayedLine:
        """The same line."""
        return PlayedLine(self.role, tuple(one.decided for one in self.decided))


class StoredJob(Stored):
    """A phrase that was being made; its request is made again out of the rest of the state.

    Attributes:
        part: for which.
        first_bar, bars: where it stands.
        time_of_day: seconds since midnight that were read for it.
        rung: of the ladder, that had it.
        problems: of the rungs above.
    """

    part: str
    first_bar: Count
    bars: Bars
    time_of_day: Finite
    rung: str
    problems: tuple[str, ...]


class StoredControl(Stored):
    """Where a control of a part stands at the bar line; None for dB of what is off."""

    part: str
    control: Control
    value: Finite | None


class StoredBreaker(Stored):
    """A `CircuitBreaker` that has counted failures."""

    rung: str
    part: str
    failures: Annotated[int, Field(ge=1)]
    open_until: int | None
    reason: str


class ConductorState(Stored):
    """All that decides how a performance goes on, but for the scene itself.

    Attributes:
        version: of this form.
        title: of the scene, for messages.
        scene: digest of the scene.
        seed: of the performance.
        position: of the next bar that is not sealed.
        lines: of the parts, in the order of playing.
        decided_before_edit: the lines that an edit at this very bar line found; None if there was none.
        jobs: phrases that were being made, in the order in which they were asked for.
        controls: levels, pans and sends at the bar line.
        breakers: of the rungs that have failed.
        memory: of the ideas that were heard.
    """

    described: ClassVar[str] = "the conductor's state"

    version: Literal[1] = 1
    title: str
    scene: str
    seed: int
    position: Position
    lines: tuple[StoredLine, ...]
    decided_before_edit: tuple[StoredLine, ...] | None
    jobs: tuple[StoredJob, ...]
    controls: tuple[StoredControl, ...]
    breakers: tuple[StoredBreaker, ...]
    memory: StoredMemory

    @property
    def next_bar(self) -> int:
        """The first bar that is not sealed."""
        return self.position.bar


def stored_state(
    phrases: Lookahead,
    next_bar: int,
    controls: Controls,
    before_edit: Mapping[str, PlayedLine] | None,
    breakers: Mapping[tuple[str, str], CircuitBreaker],
) -> ConductorState:
    """The state of a conductor that seals `next_bar` next."""
    plan = phrases.plan
    return ConductorState(
        title=plan.scene.title,
        scene=plan.scene_digest,
        seed=plan.seed,
        position=plan.position(next_bar),
        lines=_stored_lines(phrases.played()),
        decided_before_edit=None if before_edit is None else _stored_lines(before_edit),
        jobs=tuple(
            StoredJob(
                part=asked.slot.part,
                first_bar=asked.slot.first_bar,
                bars=asked.slot.bars,
                time_of_day=asked.job.request.place.time_of_day,
                rung=standing.rung,
                problems=standing.problems,
            )
            for asked, standing in phrases.asked()
        ),
        controls=tuple(
            StoredControl(part=part, control=control, value=value if math.isfinite(value) else None)
            for (part, control), value in controls.items()
        ),
        breakers=tuple(
            StoredBreaker(rung=rung, part=part, failures=one.failures, open_until=one.open_until, reason=one.reason)
            for (rung, part), one in breakers.items()
        ),
        memory=StoredMemory.of(phrases.memory),
    )


class Restored:
    """A state, read for a plan of the scene that is to go on.

    Args:
        state: of a conductor.
        plan: of the scene, with the seed of the performance.
        edited: the scene may be another than the state's, because it was edited.

    Attributes:
        plan: taken up where the state is; if the scene is another, it takes over there.
        edited: whether the scene is another.

    Raises:
        PerpetuumError: the state is of another performance.
    """

    def __init__(self, state: ConductorState, plan: Plan, edited: bool) -> None:
        if state.seed != plan.seed:
            raise PerpetuumError(
                f"the conductor's state is of a performance with seed {state.seed}, not {plan.seed}",
                "begin with that seed, or without the state",
            )
        self.edited = state.scene != plan.scene_digest
        if self.edited and not edited:
            raise PerpetuumError(
                f"the conductor's state is of another scene ({state.title!r}) than {plan.scene.title!r}, "
                "or the scene has been edited since",
                "restore it with the scene that it is of, or let the edited scene take over",
            )
        self.plan = plan.taken_up(state.position, self.edited)
        self._state = state
        unknown = {line.part for line in state.lines} ^ set(plan.scene.parts)
        if unknown and not self.edited:
            raise PerpetuumError(
                f"the conductor's state does not fit the parts of its scene: {', '.join(sorted(unknown))}"
            )

    @property
    def lines(self) -> dict[str, PlayedLine]:
        """What the parts have played, and what is decided of what they play next."""
        return {line.part: line.line for line in self._state.lines}

    @property
    def before_edit(self) -> dict[str, PlayedLine]:
        """What the parts had played at the bar line, and before any edit of the scene there."""
        if self._state.decided_before_edit is not None:
            return {line.part: line.line for line in self._state.decided_before_edit}
        bar = self._state.next_bar
        return {name: PlayedLine(line.role, tuple(until(line.decided, bar))) for name, line in self.lines.items()}

    @property
    def controls(self) -> Controls:
        """Where the controls stand."""
        return {(one.part, one.control): -math.inf if one.value is None else one.value for one in self._state.controls}

    @property
    def breakers(self) -> dict[tuple[str, str], CircuitBreaker]:
        """Those of the rungs that have failed."""
        return {
            (one.rung, one.part): CircuitBreaker(one.failures, one.open_until, one.reason)
            for one in self._state.breakers
        }

    @property
    def memory(self) -> IdeaMemory:
        """Of the ideas that were heard."""
        return self._state.memory.memory

    def ask_again(self, phrases: Lookahead) -> None:
        """Ask for what was being made.

        Raises:
            PerpetuumError: the state does not have all that its requests need.
        """
        for job in self._state.jobs:
            slot = self._slot(job)
            if slot is None or not phrases.ask_again(slot, job.time_of_day, Standing(job.rung, job.problems)):
                raise PerpetuumError(
                    f"the conductor's state is damaged: what {job.part!r} is asked for from bar {job.first_bar + 1} on "
                    "does not fit the rest",
                    "begin without it",
                )

    def _slot(self, job: StoredJob) -> Slot | None:
        ahead = job.first_bar - self._state.next_bar
        if job.part not in self.plan.scene.parts or not 0 <= ahead <= FARTHEST:
            return None
        slot = self.plan.slot(job.part, job.first_bar)
        if slot is None or job.first_bar + job.bars != slot.end_bar:
            return None
        return slot.cut(job.first_bar)


def _stored_lines(lines: Mapping[str, PlayedLine]) -> tuple[StoredLine, ...]:
    return tuple(StoredLine.of(name, line) for name, line in lines.items())


def taken_along(before: Mapping[str, PlayedLine], roles: Mapping[str, Role]) -> dict[str, Iterable[DecidedPhrase]]:
    """What the parts of an edited scene remember: what they have played, unless they play another role now."""
    return {name: line.decided for name, line in before.items() if roles.get(name) == line.role}
