"""A mind in virtual time, under a hand, that is stopped and goes on, here or in another process.

`python -m tests.runtime.performance.resumed SCENE SEED NOW BARS` reads a mind's state from its standard
input and prints what is sent to the stage from there on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from engine.conductor.makers.contract import Job
from engine.conductor.makers.ladder import Ladder
from engine.form.scene import Scene
from engine.runtime.performance.course import Course
from engine.runtime.performance.mind.mind import Mind
from engine.runtime.performance.mind.state import MindState
from engine.runtime.rules import LocalRules, StandIns
from tests.conductor.resumed import DAY, answer, arrival, by_rules, lines_of, shipped
from tests.conductor.stage import StageRules, StageStandIns, network
from tests.conductor.virtual import VirtualClock, VirtualMakers


class VirtualWorkers(VirtualMakers):
    """Workers in virtual time."""

    statuses = ()

    def load(self, generators: object) -> None:
        """Nothing is to be loaded."""


class Link:
    """A stage that keeps what it is sent."""

    closed = False

    def __init__(self) -> None:
        self.sent: list[object] = []

    def send(self, message: object) -> None:
        self.sent.append(message)

    def receive(self, timeout: float) -> list[object]:
        return []


class VirtualMind(Mind):
    """In virtual time."""

    def _new_clock(self) -> VirtualClock:
        return VirtualClock(self._workers)

    def _new_conductor(self, plan, solo):
        conductor = super()._new_conductor(plan, solo)
        conductor._ladder = self.ladder()
        conductor._phrases._ladder = conductor._ladder
        return conductor

    ladder: Callable[[], Ladder]


class StoppableMind:
    """A mind with slow, late and failing networks, and what it sent to the stage."""

    def __init__(self, scene: Scene, seed: int, staged: bool = True, now: int = 0) -> None:
        healthy, rules, floor = by_rules, LocalRules(), StandIns()
        if staged:
            healthy, rules, floor = network, StageRules(), StageStandIns()
        self.makers = VirtualWorkers(lambda job: answer(job, healthy), self._duration)
        self.makers.now = now
        self.link = Link()

        class Here(VirtualMind):
            ladder = staticmethod(lambda: Ladder([self.makers, rules], floor))

        self.mind = Here(scene, Course(seed, day=DAY, live=False), self.makers, self.link, lambda event: None)

    def _duration(self, job: Job) -> int | None:
        due = arrival(job)
        return None if due is None else max(0, due - self.makers.now)

    def do(self, command) -> StoppableMind:
        """Have a hand do something now."""
        self.mind.submit(command)
        self.mind._look()
        return self

    def until(self, bar: int) -> StoppableMind:
        """Play until a bar is the next to be sealed."""

        def keep_on() -> bool:
            self.mind._look()
            return self.mind.conductor.next_bar < bar

        self.mind.conductor.run(None, keep_on)
        return self

    def heard(self, since: int = 0) -> list:
        """What was sent: every note, ramp and frame."""
        return lines_of(self.link.sent[since:])


def main(name: str, seed: str, now: str, bars: str) -> None:
    again = StoppableMind(shipped(name), int(seed), staged=False, now=int(now))
    state = MindState.from_json(sys.stdin.read())
    again.mind.resume(state)
    json.dump(again.until(state.conductor.next_bar + int(bars)).heard(), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
