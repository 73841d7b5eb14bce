# pyright: strict
"""The state of a mind as plain data: that of its conductor, and all that a hand holds."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from engine.conductor.state import ConductorState
from engine.form.stored import Stored
from engine.runtime.performance.holds import Holds

Value = str | int | Annotated[float, Field(allow_inf_nan=False)]


class StoredHold(Stored):
    """A setting of a part that a hand holds.

    Attributes:
        part: its name.
        setting: of its sound or of its generator.
        value: as a scene file writes it.
    """

    part: str
    setting: str
    value: Value


class MindState(Stored):
    """All that decides how a performance goes on, but for the scene as it was written.

    Attributes:
        version: of this form.
        conductor: its state; its scene is the one under the hand.
        holds: settings that a hand holds.
        muted: names of parts that a hand has silenced, sorted.
        solo: the only part that is heard; None for all.
        going_to: section that is gone to when the pass ends; None for none.
    """

    described: ClassVar[str] = "the performance's state"

    version: Literal[1] = 1
    conductor: ConductorState
    holds: tuple[StoredHold, ...] = ()
    muted: tuple[str, ...] = ()
    solo: str | None = None
    going_to: str | None = None

    @classmethod
    def of(
        cls, conductor: ConductorState, holds: Holds, muted: frozenset[str], solo: str | None, going_to: str | None
    ) -> Self:
        """A state as plain data."""
        held = tuple(StoredHold(part=part, setting=setting, value=value) for (part, setting), value in holds.items())
        return cls(conductor=conductor, holds=held, muted=tuple(sorted(muted)), solo=solo, going_to=going_to)

    @property
    def held(self) -> Holds:
        """The settings that a hand holds, in the order in which it took them."""
        return {(one.part, one.setting): one.value for one in self.holds}
