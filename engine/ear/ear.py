# pyright: strict
"""The ear: events and sound in; what it heard, and what is to be done about it, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.ear.answers import Commands
from engine.ear.cases import Cases, EarAnswer
from engine.ear.faults import EarFault, EarFinding, of_notes, of_sound
from engine.ear.leveling import Leveling
from engine.ear.notes import NoteEar, NoteFigures
from engine.ear.sound import SoundEar
from engine.events import BarSealed, Heard, PhraseDecided, QuietBegan, RepetitionMeasured, SoundMeasured
from engine.form.hearing import Hearing, SoundHearing
from engine.form.scene import Scene
from engine.runtime.performance.commands import Command, words_of
from engine.score.time import SAMPLE_RATE

_OF_SOUND = frozenset({EarFault.DEAD_AIR, EarFault.TONE, EarFault.OFFSET, EarFault.PEAK})
_OF_NOTES = frozenset(EarFault) - _OF_SOUND - {EarFault.LOUDNESS}

MINUTE = 60.0
"""Seconds of music between two measures of repetition."""

AFTER_QUIET = 5.0
"""Seconds after a planned quiet that still belong to it: what follows may begin softly."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the ear heard, and what it asks for.

    Attributes:
        heard: for the journal, with the figure that is the reason.
        commands: to be submitted in this order.
    """

    heard: Heard
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class EarSettings:
    """What an installation says of the ear.

    Attributes:
        hearing: limits of the notes, where a scene says nothing else.
        sound: limits of the sound.
        target: LUFS of what comes before the gain behind the pipe; None: loudness is left alone.
        ceiling: dB of true peak that nothing is to pass.
    """

    hearing: Hearing = field(default_factory=Hearing)
    sound: SoundHearing = field(default_factory=SoundHearing)
    target: float | None = None
    ceiling: float = -1.0


_NO_SETTINGS = EarSettings()


def no_other() -> str | None:
    """Where no other scene may play."""
    return None


class Ear:
    """Listens to a performance. One thread calls all of it.

    Args:
        scene: that plays.
        seed: of the performance.
        other: names the file of a scene that may play in place of this one; None: there is none.
        settings: of the installation.

    Attributes:
        notes: figures up to the last bar; None before there is one.
    """

    def __init__(
        self,
        scene: Scene,
        seed: int,
        other: Callable[[], str | None] = no_other,
        settings: EarSettings = _NO_SETTINGS,
    ) -> None:
        self.notes: NoteFigures | None = None
        self._seed = seed
        self._other = other
        self._ear = NoteEar({})
        self._quiet = 0, 0
        self._repetition_at = MINUTE
        self.take_settings(settings)
        self.take_scene(scene)

    def take_settings(self, settings: EarSettings) -> None:
        """The installation says something else from here on."""
        self._settings = settings
        self._sound = SoundEar()
        wanted = settings.target
        self._leveling = Leveling(wanted, settings.ceiling, settings.sound) if wanted is not None else None

    def take_scene(self, scene: Scene) -> None:
        """Another scene plays from here on, or this one was edited."""
        self._scene = scene
        self._cases = Cases(Commands(scene, self._seed))
        self._ear.forget({part.name: part.role for part in scene.parts.values()})
        if self._leveling is not None:
            self._leveling.forget()

    def hear(self, event: PhraseDecided | BarSealed | QuietBegan) -> list[Told]:
        """Take in what a generator made, a bar, or that it is quiet on purpose."""
        if isinstance(event, PhraseDecided):
            self._ear.decided(event)
            return []
        if isinstance(event, QuietBegan):
            self._quiet = event.begin, event.end + round(AFTER_QUIET * SAMPLE_RATE)
            return []
        figures = self.notes = self._ear.sealed(event)
        findings = list(of_notes(figures, self._hearing, self._cases.on_trial))
        return self._told(self._cases.look(findings, _OF_NOTES, figures.seconds, event.section, self._other()))

    def hear_sound(self, second: SoundMeasured, expected: bool) -> list[Told]:
        """Take in a second of sound.

        Args:
            second: behind every gain.
            expected: whether something is meant to be heard.
        """
        bar, (begin, end) = self.notes, self._quiet
        meant = expected and not begin <= second.frame < end
        # Bars are decided before they sound; one clock for both goes by what is further.
        now = max(second.frame / SAMPLE_RATE, bar.seconds if bar is not None else 0.0)
        findings = list(of_sound(self._sound.hear(second, meant), self._settings.sound, self._settings.ceiling))
        told = self._told(self._cases.look(findings, _OF_SOUND, now, bar.section if bar else "", self._other()))
        return [*told, *self._levelled(second)] if meant else told

    def repetition(self) -> RepetitionMeasured | None:
        """How much of what is played had been played before, once a minute of music; None in between."""
        notes = self.notes
        if notes is None or notes.seconds < self._repetition_at:
            return None
        self._repetition_at = notes.seconds + MINUTE
        shares: dict[str, float] = {}
        for part in notes.parts.values():
            # What stands in the scene, follows another part or takes up an idea comes again because it is meant to.
            if part.stale is not None and not part.written and not part.figuration:
                shares[part.role.value] = max(shares.get(part.role.value, 0.0), part.stale)
        return RepetitionMeasured(notes.bar, tuple(sorted(shares.items())))

    @property
    def _hearing(self) -> Hearing:
        return self._scene.hearing.over(self._settings.hearing)

    def _levelled(self, second: SoundMeasured) -> list[Told]:
        leveling = self._leveling
        trim = leveling.hear(second) if leveling is not None else None
        if leveling is None or trim is None:
            return []
        finding = EarFinding(EarFault.LOUDNESS, "", leveling.measured or 0.0, leveling.target)
        # A scene that wants no answers says nothing about the level of the room.
        return self._told([EarAnswer(finding, (trim,))], answered=True)

    def _told(self, answers: Sequence[EarAnswer], answered: bool | None = None) -> list[Told]:
        found: list[Told] = []
        for one in answers:
            commands = one.commands if (self._hearing.answers if answered is None else answered) else ()
            if commands and one.finding.part:
                self._ear.begin_anew(one.finding.part)
            words = "; ".join(f"{type(command).__name__} {words_of(command)}" for command in commands)
            finding = one.finding
            bar = self.notes.bar if self.notes is not None else 0
            heard = Heard(finding.part, str(finding.fault), bar, finding.figure, finding.limit, one.over, words)
            found.append(Told(heard, commands))
        return found
