# pyright: strict
"""A place in a performance, as plain data: all that a plan needs to be taken up there."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from engine.form.stored import Stored
from engine.score.dynamics import LOUDEST, SOFTEST
from engine.score.harmony.keys import MODES, Key
from engine.score.time import BarLine

Count = Annotated[int, Field(ge=0, lt=1 << 53)]
"""A number of bars, passes or frames; every JSON reader holds it exactly."""
Bars = Annotated[int, Field(ge=1, lt=1 << 53)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Level = Annotated[float, Field(ge=SOFTEST, le=LOUDEST, allow_inf_nan=False)]
Called = Literal["", "opening", "closing", "refrain", "tutti", "quiet"]
"""What the form calls a section for."""
Qpm = Annotated[float, Field(ge=1, le=1000, allow_inf_nan=False)]


class StoredKey(Stored):
    """A key: tonic 0..11, and the name of its mode."""

    tonic: int = Field(ge=0, le=11)
    mode: str

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.mode not in MODES:
            raise ValueError(f"there is no mode {self.mode!r}")
        return self

    @classmethod
    def of(cls, key: Key) -> Self:
        """A key as plain data."""
        return cls(tonic=key.tonic, mode=key.mode)

    @property
    def key(self) -> Key:
        """The same as a key."""
        return Key(self.tonic, self.mode)


class Home(Stored):
    """The home key, which wanders.

    Attributes:
        key: where it stands.
        written: the scene's key, which it set out from.
        away: steps that it has gone since.
        moves: frame from which the next pass takes it on.
        up: whether its tonic rises on the way that it is on, or was on last; None before the first.
    """

    key: StoredKey
    written: StoredKey
    away: Count
    moves: Count
    up: bool | None = None


class Movement(Stored):
    """The movement that a pass belongs to.

    Attributes:
        index: movements before it.
        shape: its name.
        begins: its first frame.
        frames: how long it is to last; its closing section, or else its end, comes with the next pass then.
        summit: whether its tutti has been called for.
    """

    index: Count
    shape: str
    begins: Count
    frames: Bars
    summit: bool


class FormCourse(Stored):
    """Where the form stands while a pass plays: all that was drawn for more than the pass.

    Attributes:
        home: the home key; None where it does not wander.
        movement: None in scenes without a form.
        quiet: frame from which the next planned quiet is due; None where none is planned.
    """

    home: Home | None = None
    movement: Movement | None = None
    quiet: Count | None = None


class StoredSection(Stored):
    """A section that was played, as far as it decides what follows it; a scene that was edited may lack it.

    Attributes:
        section: its name.
        next: pairs of a section that may follow, and its weight.
        repeats_left: how many more times it follows itself.
        course: where the form stood.
        called: what the form had called it for; empty where it came by itself.
    """

    section: str
    next: tuple[tuple[str, Weight], ...]
    repeats_left: Count
    course: FormCourse
    called: Called


class StoredPass(StoredSection):
    """A pass of a section, as it was drawn or as an edit left it.

    Attributes:
        index: passes before it.
        first_bar: counted from the start of the performance.
        qpms: tempo of each of its bars.
        key: its key.
        players: names of the parts that are heard.
        dynamics: levels of playing at its bar lines, the last one included; empty for mf.
        intensity: how full the form wants it.
    """

    index: Count
    first_bar: Count
    qpms: tuple[Qpm, ...] = Field(min_length=1, max_length=1 << 20)
    key: StoredKey
    players: tuple[str, ...] = Field(min_length=1)
    dynamics: tuple[Level, ...]
    intensity: Annotated[float, Field(ge=0, le=1)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.dynamics and len(self.dynamics) != len(self.qpms) + 1:
            raise ValueError("a pass has a level of playing at each of its bar lines")
        return self


class Position(Stored):
    """A bar line in a performance, and what was drawn before it that still counts after it.

    Attributes:
        version: of this form.
        bar: index of the bar that begins there.
        frame: its first frame.
        carry: what rounding bars to whole frames has left over, in frames.
        running: the pass that the bar belongs to.
        preceding: what was played before that pass, where the bar is its first; None at the very start.
        edited: where the scene was edited at this very bar line: the position that the edit found, from which another
            edit goes on.
    """

    described: ClassVar[str] = "the position"

    version: Literal[1] = 1
    bar: Count
    frame: Count
    carry: float = Field(ge=0, lt=1, allow_inf_nan=False)
    running: StoredPass
    preceding: StoredSection | None = None
    edited: Position | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        first = self.running.first_bar
        if not first <= self.bar < first + len(self.running.qpms):
            raise ValueError(f"bar {self.bar} is not in the pass from bar {first} on")
        if self.edited is not None and (self.edited.line != self.line or self.edited.edited is not None):
            raise ValueError("an edit is found at the very bar line, and once")
        return self

    @property
    def line(self) -> BarLine:
        """The bar line on the frame grid."""
        return BarLine(self.bar, self.frame, self.carry)
