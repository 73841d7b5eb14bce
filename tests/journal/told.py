"""A conductor in virtual time whose journal is told what the keeper tells it."""

from __future__ import annotations

from pathlib import Path

from engine.conductor.makers.ladder import unheard
from engine.events.vocabulary import BarSealed, Event
from engine.form.scene import Scene
from engine.journal.entries import (
    ENTRIES,
    EVENTS,
    HAPPENINGS,
    TO_STAGE,
    Decision,
    Entry,
    Happened,
    HeardUntil,
    Noted,
    SittingBegan,
    TurnBegan,
)
from engine.journal.recalled import Recalled
from engine.journal.writer import JournalWriter
from engine.runtime.performance.mind.state import MindState
from engine.score.time import SAMPLE_RATE
from tests.conductor.resumed import Stoppable

MORNING = 1_795_858_000.0
"""A moment in November 2026, at which the first sitting begins."""


class Keeping:
    """What the keeper tells a journal, with a clock on the wall that goes as the sound does.

    Args:
        path: of the journal.
        wall: moment at which frame 0 is heard.
    """

    def __init__(self, path: Path, wall: float = MORNING) -> None:
        self.writer = JournalWriter(path)
        self.path = path
        self.wall = wall
        self.index = 0
        self.frame = 0

    def tell(self, *entries: Entry) -> None:
        """Keep some entries, in one commit."""
        batch = []
        for entry in entries:
            self.index += 1
            wall = self.wall + self.frame / SAMPLE_RATE
            batch.append(Noted(self.index, wall, self.frame, ENTRIES.encode(entry)))
        self.writer.take(batch)

    def happened(self, value: object) -> None:
        self.tell(Happened(HAPPENINGS.encode(value)))

    def begin(self, scene: Path, seed: int, frame: int = 0, continues: int = 0) -> None:
        self.tell(SittingBegan("installation.yaml", str(scene), seed, frame, continues, "0.0", "a test"))

    def turn(self, scene: Path, seed: int, index: int = 0, seconds: float = 1800.0) -> TurnBegan:
        turn = TurnBegan("programme", "2026-11-28 09:00", index, scene.stem, str(scene), seconds, seed)
        self.happened(turn)
        return turn


class Told:
    """A performance that is journalled bar by bar."""

    def __init__(self, keeping: Keeping, scene: Scene, seed: int, staged: bool = True, now: int = 0) -> None:
        self.keeping = keeping
        self.events: list[Event] = []
        self.played = Stoppable(scene, seed, staged, now, publish=self.events.append)
        self.conductor = self.played.conductor
        self.bars: dict[int, BarSealed] = {}
        self._sent = 0

    def until(self, bar: int) -> Told:
        """Play until a bar is the next to be sealed; each step is told as a mind hands it over."""
        self._hand_over()
        while self.conductor.next_bar < bar:
            self.conductor.step()
            self._hand_over()
        return self

    def _hand_over(self) -> None:
        if not self.events and self._sent == len(self.played.sent) and self.keeping.index > 3:
            return
        messages = self.played.sent[self._sent :]
        self._sent = len(self.played.sent)
        events = tuple(EVENTS.encode(event) for event in self.events)
        self.bars |= {event.bar: event for event in self.events if isinstance(event, BarSealed)}
        self.events.clear()
        self.keeping.frame = max(self.played.makers.now, 0)
        state = MindState.of(self.conductor.state(), {}, frozenset(), None, None, {}, {}).to_json()
        scene = self.conductor.scene
        self.keeping.tell(
            Decision(
                tuple(TO_STAGE.encode(one) for one in messages), events, state.encode(), str(scene.path), self.seed
            ),
            HeardUntil(self.keeping.frame, self.keeping.frame / SAMPLE_RATE),
        )

    @property
    def seed(self) -> int:
        return self.conductor.plan.seed


def resumed(recalled: Recalled, scene: Scene, staged: bool = True, publish=unheard) -> Stoppable:
    """A performance that goes on where the music stood."""
    again = Stoppable(scene, recalled.seed, staged, now=recalled.frame, publish=publish)
    again.conductor.restore(MindState.from_json(recalled.state).conductor)
    again.conductor.skip_to(recalled.frame)
    return again
