"""A stage for the conductor: small scenes, generators that count, and everything that was sent to the sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.conductor.clocks import Clock
from engine.conductor.conductor import Conductor
from engine.conductor.makers.contract import Floor, Job, Made, PromptRung, Reply
from engine.conductor.makers.ladder import Ladder
from engine.events import Event, PhraseDecided
from engine.form.curves import Curve, Move
from engine.form.plan import Plan
from engine.form.scene import Part, PartSource, Scene, Section, Tempo
from engine.generators.contract import (
    GENERATORS,
    TRANSFORMS,
    GeneratorKind,
    Link,
    Request,
    Role,
    Settings,
    TransformKind,
)
from engine.score.harmony.keys import Key
from engine.score.phrase import Origin, Phrase, Provenance
from engine.score.time import Meter
from engine.sound.messages import Notes, PartSound
from engine.units import Range
from tests.conductor.sealed import EachPart, Sealed
from tests.conductor.virtual import VirtualClock, VirtualMakers


class Temper(Settings):
    """Settings with one number."""

    temperature: float = 1.0


def never_built(settings):
    """The conductor knows kinds by what they say of themselves, and builds none."""
    raise AssertionError


NET = GeneratorKind("net", "a network", Temper, (Role.MELODY,), never_built, network=True)
RULE = GeneratorKind("rule", "rules", Temper, (Role.CHORDS,), never_built)
FEEL = TransformKind("feel", "a network, too", Temper, None, None, never_built)
KINDS = {kind.name: kind for kind in (NET, RULE)}


@pytest.fixture
def kinds(monkeypatch):
    """Two kinds of generators, one of them a network, and a transform that needs one."""
    monkeypatch.setattr("engine.form.scene.GENERATORS", GENERATORS.having(NET, RULE))
    monkeypatch.setattr("engine.form.scene.TRANSFORMS", TRANSFORMS.having(FEEL))


def compose(request: Request, origin: Origin, name: str) -> Phrase:
    """A note on every beat; its pitches depend on everything that a phrase may depend on."""
    rng = np.random.default_rng(request.seed)
    heard = sum(int(phrase.notes["pitch"].sum()) for phrase in request.sources.values())
    past = int(request.history.notes["pitch"][-1]) if request.history is not None else 0
    pitches = 48 + (rng.integers(0, 24, int(request.beats)) + heard + past) % 24
    notes = [(beat, beat + 1, int(pitch), 80) for beat, pitch in enumerate(pitches)]
    return Phrase.of(notes, request.beats, Provenance(name, origin, request.seed))


class StageRules(PromptRung):
    """Rules that keep what they were asked."""

    name = "rules"

    def takes(self, job: Job) -> bool:
        return not job.network

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def make(self, job: Job) -> Made:
        self.requests.append(job.request)
        phrase = compose(job.request, Origin.RULES, job.kind)
        return Made(phrase, phrase)


class StageStandIns(Floor):
    """What is played in place of whatever fails."""

    name = "stand-in"

    def make(self, request: Request, reason: str) -> Made:
        phrase = compose(request, Origin.FALLBACK, "stand-in")
        phrase = phrase.with_provenance(Provenance("stand-in", Origin.FALLBACK, request.seed, reason))
        return Made(phrase, phrase)


def network(job: Job) -> Reply:
    """What a healthy network answers."""
    phrase = compose(job.request, Origin.NETWORK, job.kind)
    return Reply(job.ticket, phrase, phrase)


def part(name: str, generator: str, phrase_bars: int = 4, transforms: tuple[str, ...] = (), **sources: str) -> Part:
    return Part(
        name=name,
        role=KINDS[generator].roles[0],
        generator=generator,
        settings=Temper(),
        sources={Link(link): PartSource(source) for link, source in sources.items()},
        primer=None,
        phrase_bars=phrase_bars,
        transforms=tuple((transform, Temper()) for transform in transforms),
        sound=PartSound(name, f"{name}.yaml", level=-12.0),
    )


def section(name: str, *parts: str, bars: tuple[int, int] = (8, 8), move: tuple[Move, ...] = (), **after: float):
    return Section(name, Range(*bars), parts, Range(1, 1), after, move)


def scene(parts: list[Part], sections: list[Section], opening: int = 0, qpm: float = 120.0) -> Scene:
    names = [s.name for s in sections]
    ring = dict(zip(names, names[1:] + names[:1], strict=True))
    linked = {
        s.name: s if s.next else Section(s.name, s.bars, s.parts, s.repeat, {ring[s.name]: 1.0}, s.moves)
        for s in sections
    }
    return Scene(
        path=Path("stage.yaml"),
        title="Stage",
        credits="",
        seed=1,
        meter=Meter(),
        tempo=Tempo(Range(qpm, qpm)),
        key=Key(),
        opening=opening,
        parts={p.name: p for p in parts},
        sections=linked,
    )


def curve(name: str, target: str, *points: float) -> Move:
    return Move(name, target, None, Curve(points))


class Performance:
    """A conductor in virtual time, and all that came out of it."""

    def __init__(
        self,
        played: Scene,
        seed: int = 1,
        make: Callable[[Job], Reply] = network,
        duration: Callable[[Job], int | None] = lambda job: 1000,
        clock: Clock | None = None,
        **options,
    ) -> None:
        self.makers = VirtualMakers(make, duration)
        self.rules = StageRules()
        self.sent: list[object] = []
        self.sent_at: list[int] = []
        self.sealed: list[Sealed] = []
        self.clock = clock or VirtualClock(self.makers)
        self.events: list[Event] = []
        self.ladder = Ladder([self.makers, self.rules], StageStandIns(), self.events.append)
        each_part = EachPart(self.sealed.append, self.events.append)
        self.conductor = Conductor(
            Plan(played, seed),
            self.ladder,
            self._send,
            self.clock,
            publish=each_part,
            **options,
        )
        each_part.conductor = self.conductor

    def _send(self, message: object) -> None:
        self.sent.append(message)
        self.sent_at.append(self.clock.now())

    @property
    def decided(self) -> list[PhraseDecided]:
        """The phrases, as they were told."""
        return [event for event in self.events if isinstance(event, PhraseDecided)]

    @property
    def accidents(self) -> int:
        """Phrases that had to be replaced."""
        return sum(isinstance(event, PhraseDecided) and bool(event.reason) for event in self.events)

    def play(self, bars: int) -> Performance:
        self.conductor.run(bars)
        return self

    def notes(self, name: str) -> list[tuple]:
        return [
            tuple(row)
            for message in self.sent
            if isinstance(message, Notes) and message.part == name
            for row in message.notes.tolist()
        ]

    def origins(self, name: str) -> list[Origin]:
        return [sealed.phrase.provenance.origin for sealed in self.sealed if sealed.part == name]
