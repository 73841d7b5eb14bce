"""What a generator is: musical context in, Phrase out. Light: the conductor and `check` import this.

A *kind* of generator or transform is described by a `GeneratorKind` or `TransformKind`, registered under the entry
point group `perpetuum.generators` or `perpetuum.transforms`, and found in `GENERATORS` or `TRANSFORMS`; the built-in
ones too.

Requests, generators and kinds are typed by their settings: the type checker sees that a kind's factory builds what
takes the kind's own settings. A registry knows its kinds as kinds of `Settings` only: who takes one from there and
hands settings to it has checked, once, that they are of `kind.settings` (`engine.generators.chain` does).
"""

# pyright: strict

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Generic, Protocol, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeVar

from engine.errors import PerpetuumError
from engine.generators.drum_names import Drums
from engine.ideas.idea import TakenUp
from engine.registry import Registry
from engine.score.harmony.keys import Key
from engine.score.harmony.relations import KeySpan
from engine.score.phrase import Phrase
from engine.score.time import Meter
from engine.units import EveryBars, Percent

HISTORY_BARS = 8
"""Bars of a part's past that are kept: those that its own generator is shown, or one that follows it."""


class Role(StrEnum):
    """What a part does in the music; each role has a rule-based generator that can always stand in."""

    DRUMS = "drums"
    MELODY = "melody"
    CHORDS = "chords"
    BASS = "bass"


class Link(StrEnum):
    """The ways in which a part may take another part's phrase."""

    CHORDS = "chords"
    RHYTHM = "rhythm"
    PRIMER = "primer"
    LEADER = "leader"
    """As it was the setting `after` beats ago, in the key of now."""


class Cadence(StrEnum):
    """How a period closes."""

    AUTHENTIC = "authentic"
    """Home, from the dominant."""
    HALF = "half"
    """On the dominant."""
    PLAGAL = "plagal"
    """Home, from the subdominant."""


class Settings(BaseModel):
    """Base of all settings: unknown keys are errors, and a moment's settings never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


S = TypeVar("S", bound=Settings)
S_co = TypeVar("S_co", bound=Settings, default=Settings, covariant=True)
S_contra = TypeVar("S_contra", bound=Settings, default=Settings, contravariant=True)


class TransformSettings(Settings):
    """Base of the settings of transforms: where they act."""

    chance: Percent = Field(default=1.0, description="how often it acts: each bar has this chance anew")
    every: EveryBars | None = Field(
        default=None,
        description="the bars in which it acts, counted from the start of the section: `4 bars` is the last of every "
        "four, `1:4 bars` the first; without, all",
    )
    only: Drums | None = Field(
        default=None,
        description="the drums that it changes, one or a list: `kicks`, `snares`, `hats`, `toms`, `cymbals`, or single "
        "ones like `closed_hat`; without, all",
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the form a phrase stands.

    Attributes:
        section: name of the section.
        pass_index: how many sections were played before, counted from 0.
        bar: first bar of the phrase, counted from the start of the section.
        section_bars: bars of this pass of the section.
        first_bar: first bar of the phrase, counted from the start of the performance.
        time_of_day: seconds since midnight that the scene's curves of the day were read at; kept with the phrase, so
            that what was heard at an hour can be made again at any other.
        cadences: that are due in the phrase, each with the bars from its start until the period ends there, ascending.
        movement: how many movements were played before this one.
        intensity: how full the form wants the music here, 0..1.
    """

    section: str
    pass_index: int
    bar: int
    section_bars: int
    first_bar: int
    time_of_day: float = 0.0
    cadences: tuple[tuple[int, Cadence], ...] = ()
    movement: int = 0
    intensity: float = 0.5


@dataclass(frozen=True, slots=True)
class Request(Generic[S_co]):
    """What a generator (or a whole chain) is asked for: the next bars of one part.

    Attributes:
        part: name of the part.
        role: what the part does.
        bars: length of the phrase in bars.
        meter: of these bars.
        qpm: tempo at the start of the phrase.
        key: key of these bars.
        seed: decides every random choice; the same request always gives the same phrase.
        settings: of the generator at this moment (curves applied).
        place: where in the form it stands.
        history: what this part's generator made just before (before its transforms), ending where this phrase
            begins; None at the start, or after a part has rested.
        keys: in which that was made, in beats from its start; empty for the key of the request.
        sources: other parts' phrases over exactly these bars, by the way they are taken; a leader's over as many
            beats, some beats earlier. A primer's phrase may be of any length.
        primer: the pattern or MIDI file of the part's primer as notes; None without.
        transforms: settings of each transform of the chain at this moment, in order: (kind, settings).
        theme: seed of what recurs: all phrases under one theme have the same (a groove, a motif); `seed` decides how
            it is varied.
        taken: the idea that it takes up, as it was heard or written, and how it is varied; None where it is free.
        worn: what the part has played in the last hours, as a table of counts (see `engine.ideas.wear`); empty where
            nothing is remembered of it.
        dynamics: levels of playing (mf is 0, p -2, ff 2; see `engine.score.dynamics`) at points that are spread evenly
            over the phrase; empty for mf.
    """

    part: str
    role: Role
    bars: int
    meter: Meter
    qpm: float
    key: Key
    seed: int
    settings: S_co
    place: Place
    history: Phrase | None = None
    sources: Mapping[Link, Phrase] = field(default_factory=dict[Link, Phrase])
    primer: Phrase | None = None
    transforms: tuple[tuple[str, Settings], ...] = ()
    theme: int = 0
    taken: TakenUp | None = None
    keys: tuple[KeySpan, ...] = ()
    dynamics: tuple[float, ...] = ()
    worn: bytes = b""

    def with_settings(self, settings: S) -> Request[S]:
        """The same request with settings of another kind."""
        return cast("Request[S]", replace(self, settings=settings))

    @property
    def ends_section(self) -> bool:
        """Whether it is the last phrase of its section."""
        return self.place.bar + self.bars >= self.place.section_bars

    @property
    def cadences(self) -> tuple[tuple[int, Cadence], ...]:
        """Those of its place; where a section ends it comes home in any case."""
        due = self.place.cadences
        return due if due or not self.ends_section else ((self.bars, Cadence.AUTHENTIC),)

    @property
    def closes(self) -> Cadence | None:
        """The cadence that is due at the very end of the phrase."""
        return dict(self.cadences).get(self.bars)

    @property
    def beats(self) -> float:
        """Length of the phrase in beats."""
        return self.bars * self.meter.beats_per_bar


class Generator(Protocol[S_contra]):
    """Makes phrases; holds networks, no musical state (that travels in requests).

    Built once per process and weights, so that parts share a network; without weights once per process and part.
    """

    def generate(self, request: Request[S_contra]) -> Phrase:
        """A phrase of exactly `request.beats`.

        Raises:
            PerpetuumError: it cannot, and a fallback should play.
        """
        ...


class Transform(Protocol[S_contra]):
    """Makes another phrase out of a phrase; pure."""

    def __call__(self, phrase: Phrase, settings: S_contra, request: Request, rng: np.random.Generator, /) -> Phrase:
        """A phrase of the same length.

        Args:
            phrase: as it is so far.
            settings: of the transform at this moment.
            request: that the phrase was made for; its settings are the generator's.
            rng: the chance that decides.
        """
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What `examine` of a kind is told of a scene.

    Attributes:
        weights: the weights file, found; None for rules.
        folder: of the scene; relative paths begin there.
        meter: of the scene.
        role: of the part; None where that is wrong.
        links: those that the part names, primer included.
        hidden: the shipped weights of the same bare name, in whose place `weights` is played; None if there are none.
    """

    weights: Path | None
    folder: Path
    meter: Meter
    role: Role | None
    links: frozenset[Link] = frozenset()
    hidden: Path | None = None


@dataclass(frozen=True, slots=True)
class SettingsContext:
    """What settings that are written as music are read in: the context of their validation.

    Attributes:
        meter: of the scene.
        folder: of the scene; relative paths begin there.
        role: that the part says it plays; None where it does not say it.
    """

    meter: Meter
    folder: Path
    role: str | None = None


class UnfitError(PerpetuumError):
    """Settings that cannot be played with what they name.

    Attributes:
        setting: name of the setting that is wrong.
        item: which value of a list it is, counted from 0; None for the whole setting.
        others: what else is wrong with the settings, each at its own place.
    """

    def __init__(
        self, setting: str, message: str, hint: str = "", item: int | None = None, others: Sequence[UnfitError] = ()
    ) -> None:
        super().__init__(message, hint)
        self.setting = setting
        self.item = item
        self.others = tuple(others)


class Examine(Protocol[S_contra]):
    """Looks into the files that settings name, and whether settings go together, for `check`."""

    def __call__(self, settings: S_contra, surroundings: Surroundings, /) -> tuple[Settings, list[str]]:
        """The settings with absolute paths, and what may sound wrong: a list of sentences.

        Raises:
            UnfitError: they cannot be played.
            PerpetuumError: what they name is damaged.
        """
        ...


@dataclass(frozen=True, slots=True)
class GeneratorKind(Generic[S_co]):
    """A kind of generator that scenes can name.

    Attributes:
        name: as scenes write it.
        summary: one line for `perpetuum generators`.
        settings: its settings, a pydantic model.
        roles: what it can play; the first is the default.
        factory: builds a generator; called in a worker if `network`. What is slow to import is imported there.
        network: it needs a neural network: it may fail, so it runs in a worker process and a rule-based generator of
            its role stands in.
        takes: the links that shape what it makes.
        needs: those of them that it makes no sense without.
        weights: gives the name or path of the weights file for some settings; None for rules.
        examine: what `check` asks of settings; None where there is nothing to look into.
        own_chords: it makes harmony of its own where it follows no `chords`, whatever its role (those of
            `Role.CHORDS` do in any case).
        plays: gives the role that some settings play where the part does not say one, or None for the first of
            `roles`.
    """

    name: str
    summary: str
    settings: type[S_co]
    roles: tuple[Role, ...]
    factory: Callable[[S_co], Generator[S_co]]
    network: bool = False
    takes: frozenset[Link] = frozenset()
    needs: frozenset[Link] = frozenset()
    weights: Callable[[S_co], str] | None = None
    examine: Examine[S_co] | None = None
    own_chords: bool = False
    plays: Callable[[S_co], Role | None] | None = None


@dataclass(frozen=True, slots=True)
class TransformKind(Generic[S_co]):
    """A kind of transform: phrase in, phrase out.

    A part whose chain has a transform that needs a network is a network part, whatever its generator: its phrases are
    made in a worker, and where that fails `apply` plays.

    Attributes:
        name: as scenes write it.
        summary: one line for `perpetuum generators`.
        settings: its settings, a `TransformSettings` where it can be told in which bars and on which drums it acts.
        shorthand: the setting that a bare value stands for (`- transpose: 12`); None where there is none.
        apply: the transform, by rules: all of it, or what stands in for a network that fails. None: without its network
            it is left out.
        factory: builds the transform that needs a network; called in a worker. None for rules alone.
        heeds_bars: it heeds `chance` and `every` itself, since it looks beyond the bars that it changes.
        weights: as of a `GeneratorKind`.
        examine: as of a `GeneratorKind`.
    """

    name: str
    summary: str
    settings: type[S_co]
    shorthand: str | None
    apply: Transform[S_co] | None
    factory: Callable[[S_co], Transform[S_co]] | None = None
    heeds_bars: bool = False
    weights: Callable[[S_co], str] | None = None
    examine: Examine[S_co] | None = None

    @property
    def network(self) -> bool:
        """Whether it needs a neural network."""
        return self.factory is not None


GENERATORS: Registry[GeneratorKind] = Registry("perpetuum.generators", GeneratorKind, "generator")
TRANSFORMS: Registry[TransformKind] = Registry("perpetuum.transforms", TransformKind, "transform")
