# pyright: strict
"""The state of a mind as plain data: that of its conductor, and all that a hand holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from engine.conductor.state import ConductorState
from engine.form.stored import Stored
from engine.runtime.performance.mind.banks import ComingBank
from engine.runtime.performance.mind.holds import Holds

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


class StoredBank(Stored):
    """A bank that plays a part, or is about to.

    Attributes:
        part: its name.
        instrument: file of the bank's instrument.
        frame: from which it plays; None: it plays.
    """

    part: str
    instrument: str
    frame: int | None = None


class MindState(Stored):
    """All that decides how a performance goes on, but for the scene as it was written.

    Attributes:
        version: of this form.
        conductor: its state; its scene is the one under the hand.
        holds: settings that a hand holds.
        muted: names of parts that a hand has silenced, sorted.
        solo: the only part that is heard; None for all.
        going_to: section that is gone to when the pass ends; None for none.
        banks: of parts with timbres.
    """

    described: ClassVar[str] = "the performance's state"

    version: Literal[1] = 1
    conductor: ConductorState
    holds: tuple[StoredHold, ...] = ()
    muted: tuple[str, ...] = ()
    solo: str | None = None
    going_to: str | None = None
    banks: tuple[StoredBank, ...] = ()

    @classmethod
    def of(
        cls,
        conductor: ConductorState,
        holds: Holds,
        muted: frozenset[str],
        solo: str | None,
        going_to: str | None,
        playing: Mapping[str, str],
        coming: Mapping[str, ComingBank],
    ) -> Self:
        """A state as plain data."""
        held = tuple(StoredHold(part=part, setting=setting, value=value) for (part, setting), value in holds.items())
        banks = (
            *(StoredBank(part=part, instrument=one) for part, one in playing.items()),
            *(StoredBank(part=part, instrument=one.instrument, frame=one.frame) for part, one in coming.items()),
        )
        return cls(
            conductor=conductor,
            holds=held,
            muted=tuple(sorted(muted)),
            solo=solo,
            going_to=going_to,
            banks=banks,
        )

    @property
    def playing_banks(self) -> dict[str, str]:
        """Instrument files of the banks that play, by part."""
        return {one.part: one.instrument for one in self.banks if one.frame is None}

    @property
    def coming_banks(self) -> dict[str, ComingBank]:
        """The changes that the sound has been told of, by part."""
        return {one.part: ComingBank(one.instrument, one.frame) for one in self.banks if one.frame is not None}

    @property
    def held(self) -> Holds:
        """The settings that a hand holds, in the order in which it took them."""
        return {(one.part, one.setting): one.value for one in self.holds}
