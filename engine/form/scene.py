# pyright: strict
"""A scene, resolved: what the plan and the conductor work from. Made by `engine.scenes.load`, free of YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.form.curves import Curve, DayCurve, DayMove, DaySteps, Move
from engine.form.hearing import SceneHearing
from engine.generators.contract import GENERATORS, TRANSFORMS, Link, Role, Settings
from engine.ideas.themes import FOUND, Theme
from engine.score.harmony.keys import Key
from engine.score.harmony.progressions import Progression
from engine.score.harmony.relations import Relation
from engine.score.phrase import Phrase
from engine.score.time import Meter
from engine.sound.messages import MixSound, PartSound
from engine.units import Range

PERIOD = 8
"""Bars of a period where a scene says nothing."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """The tempo of a scene or section.

    Attributes:
        qpm: fixed (low == high), or a range out of which each pass of a section draws its own tempo.
        drift: a curve of qpm over the section instead; None without.
    """

    qpm: Range
    drift: Curve | None = None


@dataclass(frozen=True, slots=True)
class Modulation:
    """How the key wanders.

    Attributes:
        by: "fifths", "thirds" (those of the key) or "mediants" (thirds that keep the mode).
        every: seconds between two steps.
        within: steps after which it comes home to the scene's key at the latest.
    """

    by: str
    every: Range
    within: int


@dataclass(frozen=True, slots=True)
class PlannedQuiet:
    """Planned quiets.

    Attributes:
        section: that plays then.
        every: seconds from one to the next.
    """

    section: str
    every: Range


@dataclass(frozen=True, slots=True)
class Form:
    """What stands above the sections: movements, each with a shape that moves the music between two ends.

    Attributes:
        movement: seconds of one.
        shapes: weights of those that it may have, by name.
        dynamics: levels of playing where the shape is lowest and highest.
        tempo: share of the tempo there.
        density: share of the density of generators that have one.
        parts: share of the parts of a section that play, the first of its list first.
        reach: semitones by which ranges reach less high where the shape is lowest.
        opening: section that each movement begins with; None for the first of the file.
        closing: section that each ends with; None for none.
        refrain: section that returns in a rondo; None for the opening.
        tutti: section of the summit, with all its parts; None for the one with the most parts.
        quiet: planned quiets; None without.
    """

    movement: Range
    shapes: Mapping[str, float]
    dynamics: Range
    tempo: Range
    density: Range
    parts: Range
    reach: int = 0
    opening: str | None = None
    closing: str | None = None
    refrain: str | None = None
    tutti: str | None = None
    quiet: PlannedQuiet | None = None

    @property
    def sections(self) -> dict[str, str]:
        """The sections that it calls for, by what for."""
        named = {"opening": self.opening, "closing": self.closing, "refrain": self.refrain, "tutti": self.tutti}
        named["quiet"] = self.quiet.section if self.quiet is not None else None
        return {word: name for word, name in named.items() if name is not None}


@dataclass(frozen=True, slots=True)
class PartSource:
    """Another part's phrase, taken as chords, rhythm or primer.

    Attributes:
        part: its name.
        drum: only the notes of this drum class index (a bass that follows the kick); None for all.
    """

    part: str
    drum: int | None = None


@dataclass(frozen=True, slots=True)
class Timbre:
    """A bank of notes that is made for a part; until then, and where that fails, its instrument stands in.

    Attributes:
        kind: of timbre.
        settings: of it, with absolute paths.
    """

    kind: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Part:
    """A chain: generator, transforms, instrument.

    Attributes:
        name: of the part.
        role: what it plays.
        generator: kind of its generator.
        settings: of the generator.
        sources: other parts that it listens to.
        primer: a pattern or MIDI file as notes; None without.
        phrase_bars: bars asked for at once.
        transforms: (kind, settings), in order.
        sound: instrument, level, pan, sends and brightness.
        chords: that are written for it, instead of another part's; None without.
        timbre: what its notes are to sound like; None: like its instrument.
    """

    name: str
    role: Role
    generator: str
    settings: Settings
    sources: Mapping[Link, PartSource]
    primer: Phrase | None
    phrase_bars: int
    transforms: tuple[tuple[str, Settings], ...]
    sound: PartSound
    chords: Progression | None = None
    timbre: Timbre | None = None

    @property
    def needs_network(self) -> bool:
        """Whether its generator or a transform is a network, so that a worker makes its phrases."""
        return GENERATORS.get(self.generator).network or any(
            TRANSFORMS.get(name).network for name, _ in self.transforms
        )


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the form.

    Attributes:
        name: of the section.
        bars: its length is drawn from this range.
        parts: who plays; the others rest.
        repeat: how many times in a row it is played, drawn from this range.
        next: weights of the sections that may follow.
        moves: settings that move or differ here.
        tempo: own tempo; None for the scene's.
        key: own key, or how it stands to the home key; None for that.
        dynamics: own levels of playing, over its course; None for mf.
        themes: names of the themes that its passes choose from; none means all.
    """

    name: str
    bars: Range
    parts: tuple[str, ...]
    repeat: Range
    next: Mapping[str, float]
    moves: tuple[Move, ...] = ()
    tempo: Tempo | None = None
    key: Key | Relation | None = None
    dynamics: Curve | None = None
    themes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole scene.

    Attributes:
        path: of its file.
        title: of the scene.
        credits: who made it; free text, may be empty.
        seed: its own seed; None for a new one each time it is played.
        meter: of all bars.
        tempo: unless a section has its own.
        key: unless a section has its own.
        opening: bars at the start in which network parts are played by rules, while networks load.
        parts: by name, in the file's order.
        sections: by name, in the file's order; the first is played first.
        mix: shared effects and master.
        day: settings that follow the time of day.
        day_tempo: qpm over the day, instead of `tempo`; None without.
        day_key: keys over the day, instead of `key`; None without.
        begin: file with the state of a performance in which it begins; None for its first section.
        hearing: what of it the ear takes for a fault.
        themes: the ideas that it is known by, in the file's order; at least one.
        day_dynamics: levels of playing over the day, which add to those of sections; None without.
        modulation: how the home key wanders; None where it stays.
        period: bars of a period, at whose end a cadence is due; 0 for none but at ends of sections.
        form: what stands above the sections; None without.
        rubato: share by which the tempo eases where a section closes.
    """

    path: Path
    title: str
    credits: str
    seed: int | None
    meter: Meter
    tempo: Tempo
    key: Key
    opening: int
    parts: Mapping[str, Part]
    sections: Mapping[str, Section]
    mix: MixSound = field(default_factory=MixSound)
    day: tuple[DayMove, ...] = ()
    day_tempo: DayCurve | None = None
    day_key: DaySteps | None = None
    begin: Path | None = None
    hearing: SceneHearing = field(default_factory=SceneHearing)
    themes: tuple[Theme, ...] = FOUND
    day_dynamics: DayCurve | None = None
    modulation: Modulation | None = None
    period: int = PERIOD
    form: Form | None = None
    rubato: float = 0.0

    @property
    def has_dynamics(self) -> bool:
        """Whether anything in it is played at another level than mf."""
        moved = self.form is not None and self.form.dynamics != Range(0.0, 0.0)
        return moved or self.day_dynamics is not None or any(one.dynamics for one in self.sections.values())

    def playing_order(self) -> tuple[str, ...]:
        """Names of the parts so that each comes after the parts that it listens to (the file's order otherwise)."""
        order: list[str] = []
        while len(order) < len(self.parts):
            ready = [
                name
                for name, part in self.parts.items()
                if name not in order and all(source.part in order for source in part.sources.values())
            ]
            if not ready:
                raise ValueError("parts listen to each other in a circle")
            order.append(ready[0])
        return tuple(order)
