"""A scene, resolved: what the plan and the conductor work from. Made by `engine.scenes.load`, free of YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.generators.contract import GENERATORS, TRANSFORMS, Link, Role, Settings
from engine.score.keys import Key
from engine.score.phrase import Phrase
from engine.score.progressions import Progression
from engine.score.time import Meter
from engine.sound.messages import MixSound, PartSound
from engine.units import DAY, Range


@dataclass(frozen=True, slots=True)
class Curve:
    """A value that moves over a section: evenly spaced points, straight lines between.

    One point is a constant, and may then be of any type (a style, a range).
    """

    points: tuple[Any, ...]

    def at(self, position: float) -> Any:
        """Value at a position 0..1 of the section."""
        if len(self.points) == 1:
            return self.points[0]
        place = min(max(position, 0.0), 1.0) * (len(self.points) - 1)
        left = min(int(place), len(self.points) - 2)
        return self.points[left] + (place - left) * (self.points[left + 1] - self.points[left])


@dataclass(frozen=True, slots=True)
class DayCurve:
    """A value that follows the time of day: straight lines from point to point, and over midnight to the first again.

    Attributes:
        points: (seconds since midnight, value) at different times of 0..86400, in order; at least one. A single one
            counts all day.
    """

    points: tuple[tuple[float, float], ...]

    def at(self, time_of_day: float) -> float:
        """Value at a time of day in seconds; any number is one, so that no clock can break the curve."""
        times, values = np.array(self.points).T
        return float(np.interp(time_of_day, times, values, period=DAY))


@dataclass(frozen=True, slots=True)
class DaySteps:
    """A value that changes at times of day, and is what it is until the next.

    Attributes:
        points: (seconds since midnight, value) at different times of 0..86400, in order; at least one.
    """

    points: tuple[tuple[float, Any], ...]

    def at(self, time_of_day: float) -> Any:
        """Value at a time of day in seconds: before the first point it is the last one's, from the day before."""
        passed = [value for time, value in self.points if time <= time_of_day % DAY]
        return passed[-1] if passed else self.points[-1][1]


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
class Source:
    """Another part's phrase, taken as chords, rhythm or primer.

    Attributes:
        part: its name.
        drum: only the notes of this drum class index (a bass that follows the kick); None for all.
    """

    part: str
    drum: int | None = None


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
        sound: instrument, level, pan and sends.
        chords: that are written for it, instead of another part's; None without.
    """

    name: str
    role: Role
    generator: str
    settings: Settings
    sources: Mapping[Link, Source]
    primer: Phrase | None
    phrase_bars: int
    transforms: tuple[tuple[str, Settings], ...]
    sound: PartSound
    chords: Progression | None = None

    @property
    def needs_network(self) -> bool:
        """Whether its generator or a transform is a network, so that a worker makes its phrases."""
        return GENERATORS.get(self.generator).network or any(
            TRANSFORMS.get(name).network for name, _ in self.transforms
        )


@dataclass(frozen=True, slots=True)
class Move:
    """A setting that a section moves or overrides.

    Attributes:
        part: whose setting.
        target: "level", "pan", "reverb", "delay" (of the sound), or a setting of the generator or of a transform.
        transform: index in the part's transforms that `target` belongs to; None for generator and sound.
        curve: its values, in the setting's base unit.
    """

    part: str
    target: str
    transform: int | None
    curve: Curve


@dataclass(frozen=True, slots=True)
class DayMove:
    """A setting that follows the time of day in every section that does not move it itself.

    Attributes:
        part, target, transform: as of a `Move`.
        curve: its values over the day, in the setting's base unit.
    """

    part: str
    target: str
    transform: int | None
    curve: DayCurve


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
    """

    name: str
    bars: Range
    parts: tuple[str, ...]
    repeat: Range
    next: Mapping[str, float]
    moves: tuple[Move, ...] = ()
    tempo: Tempo | None = None
    key: Key | None = None


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
