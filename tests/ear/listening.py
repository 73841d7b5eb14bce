"""A performance in virtual time, with the ear at it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.conductor.daytime import CountedDay
from engine.ear.hand import Hand
from engine.ear.notes import NoteFigures
from engine.events import BarSealed, Commanded, Event, Heard, PhraseDecided, SceneTookOver
from engine.form.scene import Scene
from engine.runtime.ending import Ending
from engine.runtime.performance.commands import Command
from engine.runtime.performance.course import Course
from engine.runtime.performance.mind.mind import Mind
from engine.runtime.performance.unheard import UnheardLink
from engine.runtime.workers.workers import Workers
from engine.scenes import load
from engine.score.time import SAMPLE_RATE


@dataclass
class Listening:
    """What a performance played, and what the ear heard and did.

    Attributes:
        mind: plays.
        bars, heard, commands, events: as they came; `heard` with the second of the music.
        figures: after each bar.
    """

    mind: Mind
    bars: list[BarSealed] = field(default_factory=list)
    heard: list[tuple[float, Heard]] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    commanded: list[Commanded] = field(default_factory=list)
    figures: list[NoteFigures] = field(default_factory=list)

    @property
    def scene(self) -> Scene:
        """What plays now."""
        return self.mind.conductor.scene

    def submit(self, command: Command) -> None:
        """Do what the ear asks."""
        self.commands.append(command)
        self.mind.submit(command)  # type: ignore[arg-type]

    @property
    def faults(self) -> list[tuple[float, Heard]]:
        """When a fault was told, and what it was."""
        return [(second, heard) for second, heard in self.heard if not heard.over]


def scene_of(text: str, folder: Path) -> Scene:
    """The scene of a text."""
    path = folder / "scene.yaml"
    path.write_text(text)
    scene, problems = load(path)
    assert scene is not None, problems
    return scene


def listen(scene: Scene, minutes: float, seed: int = 5) -> Listening:
    """Play some minutes of a scene by rules."""
    course = Course(seed, day=CountedDay(), live=False)
    ending = Ending.after_seconds(course.plan(scene), minutes * 60)
    found: Listening

    def publish(event: Event) -> None:
        match event:
            case BarSealed():
                found.bars.append(event)
                hand(event)
                found.figures.append(hand.ear.notes)  # type: ignore[arg-type]
            case PhraseDecided() | SceneTookOver():
                hand(event)
            case Heard():
                found.heard.append((found.bars[-1].end / SAMPLE_RATE if found.bars else 0.0, event))
            case Commanded():
                found.commanded.append(event)
            case _:
                pass

    # Workers that are never started: all is played by rules.
    mind = Mind(scene, replace(course, ending=ending), Workers(), UnheardLink(ending.frames), publish)
    found = Listening(mind)
    hand = Hand(found, seed, publish)
    mind.run()
    assert mind.failure is None, mind.failure
    return found
