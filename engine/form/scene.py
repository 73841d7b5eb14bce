# pyright: strict
"""A scene, resolved: what the plan and the conductor work from. Made by `engine.scenes.load`, free of YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.form.curves import Curve, DayCurve, DayMove, DaySteps, Move
from engine.form.hearing import Hearing
from engine.generators.contract import GENERATORS, TRANSFORMS, Link, Role, Settings
from engine.ideas.themes import FOUND, Theme
from engine.score.harmony.keys import Key
from engine.score.harmony.progressions import Progression
from engine.score.phrase import Phrase
from engine.score.time import Meter
from engine.sound.messages import MixSound, PartSound
from engine.units import Range


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
        key: own key; None for the scene's.
        themes: names of the themes that its passes choose from; none means all.
    """

    name: str
    bars: Range
    parts: tuple[str, ...]
    repeat: Range
    next: Mapping[str, float]
    moves: tuple[Move, ...] = ()
    tempo: Tempo | None = None
    key: Key | None = None
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
    hearing: Hearing = field(default_factory=Hearing)
    themes: tuple[Theme, ...] = FOUND

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
