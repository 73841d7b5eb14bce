# pyright: strict
"""The ear: events and sound in; what it heard, and what is to be done about it, out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.ear.answers import Commands
from engine.ear.cases import Cases, EarAnswer
from engine.ear.faults import EarFault, of_notes, of_signal
from engine.ear.leveling import Leveling
from engine.ear.notes import NoteEar, NoteFigures
from engine.events import BarSealed, Heard, PhraseDecided, SoundMeasured
from engine.form.scene import Scene
from engine.runtime.performance.commands import Command, words_of
from engine.score.time import SAMPLE_RATE

_OF_SOUND = frozenset({EarFault.DEAD_AIR, EarFault.TONE, EarFault.OFFSET})
_OF_NOTES = frozenset(EarFault) - _OF_SOUND


@dataclass(frozen=True, slots=True)
class Told:
    """What the ear heard, and what it asks for.

    Attributes:
        heard: for the journal, with the figure that is the reason.
        commands: to be submitted in this order.
    """

    heard: Heard
    commands: tuple[Command, ...]


def no_other() -> str | None:
    """Where no other scene may play."""
    return None


class Ear:
    """Listens to a performance. One thread calls all of it.

    Args:
        scene: that plays.
        seed: of the performance.
        other: names the file of a scene that may play in place of this one; None: there is none.
        target: LUFS that are asked for when nothing is turned down; None: the loudness is left alone.

    Attributes:
        notes: figures up to the last bar; None before there is one.
        signal: figures up to the last second; None likewise.
    """

    def __init__(
        self, scene: Scene, seed: int, other: Callable[[], str | None] = no_other, target: float | None = None
    ) -> None:
        self.notes: NoteFigures | None = None
        self.signal: SoundMeasured | None = None
        self._seed = seed
        self._other = other
        self._target = target
        self._leveling = Leveling()
        self._playing_until = 0.0
        self._ear = NoteEar({})
        self.take_scene(scene)

    def take_scene(self, scene: Scene) -> None:
        """Another scene plays from here on, or this one was edited."""
        self._scene = scene
        self._cases = Cases(Commands(scene, self._seed))
        self._ear.forget({part.name: part.role for part in scene.parts.values()})

    def hear(self, event: PhraseDecided | BarSealed) -> list[Told]:
        """Take in what a generator made, or a bar."""
        if isinstance(event, PhraseDecided):
            self._ear.decided(event)
            return []
        figures = self.notes = self._ear.sealed(event)
        hearing = self._scene.hearing
        findings = list(of_notes(figures, hearing, self._cases.on_trial))
        return self._told(self._cases.look(findings, _OF_NOTES, figures.seconds, event.section, self._other()))

    def hear_sound(self, figures: SoundMeasured, playing: bool) -> tuple[list[Told], Command | None]:
        """Take in a second of sound.

        Args:
            figures: as it left the pipe, before any gain.
            playing: whether sound is expected now.

        Returns:
            what was heard, and a movement of the gain that nobody needs to be told of.
        """
        self.signal = figures
        seconds = figures.frame / SAMPLE_RATE
        bar = self.notes
        expected = playing and bar is not None and bar.whole.quiet == 0.0
        findings = list(of_signal(figures, expected))
        answers = self._cases.look(findings, _OF_SOUND, seconds, bar.section if bar else "", self._other())
        return self._told(answers), self._leveling.hear(figures, self._target) if self._target is not None else None

    def _told(self, answers: list[EarAnswer]) -> list[Told]:
        found: list[Told] = []
        for one in answers:
            commands = one.commands if self._scene.hearing.answers else ()
            if commands and one.finding.part:
                self._ear.begin_anew(one.finding.part)
            words = "; ".join(f"{type(command).__name__} {words_of(command)}" for command in commands)
            finding = one.finding
            bar = self.notes.bar if self.notes is not None else 0
            heard = Heard(finding.part, str(finding.fault), bar, finding.figure, finding.limit, one.over, words)
            found.append(Told(heard, commands))
        return found
