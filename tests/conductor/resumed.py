"""A performance in virtual time that is stopped and goes on, here or in another process.

`python -m tests.conductor.resumed SCENE SEED NOW BARS` reads a conductor's state from its standard input and prints
what is sent to the sound from there on.
"""

from __future__ import annotations

import json
import sys

import numpy as np

from engine import assets
from engine.conductor.conductor import Conductor
from engine.conductor.daytime import CountedDay
from engine.conductor.makers.contract import Job, Reply
from engine.conductor.makers.ladder import Ladder, unheard
from engine.conductor.state import ConductorState
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.generators import chain
from engine.runtime.rules import LocalRules, StandIns
from engine.scenes import load
from engine.score.phrase import Phrase
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import Notes
from tests.conductor.stage import StageRules, StageStandIns, network
from tests.conductor.virtual import VirtualClock, VirtualMakers

SECONDS = [-9.0, -2.0, -0.5, 0.3, 4.0, np.nan]
"""By which phrases come after they are due; nan: never."""

DAY = CountedDay(11.9 * 3600)


def arrival(job: Job) -> int | None:
    """Frame at which a job's phrase is there, whoever asks for it and when: in time, late, or never."""
    seconds = np.random.default_rng(job.request.seed).choice(SECONDS, p=[0.5, 0.1, 0.1, 0.1, 0.1, 0.1])
    return None if np.isnan(seconds) else job.deadline + round(seconds * SAMPLE_RATE)


def answer(job: Job, healthy) -> Reply:
    """A phrase, a failure, or what cannot be played."""
    accident = np.random.default_rng(job.request.seed + 1).random()
    if accident < 0.15:
        return Reply(job.ticket, None, None, "NaN in the logits")
    reply = healthy(job)
    if accident < 0.25:
        phrase = Phrase.empty(reply.raw.length + 1, reply.raw.provenance)
        return Reply(job.ticket, phrase, phrase)
    return reply


def by_rules(job: Job) -> Reply:
    return Reply(job.ticket, *chain.stand_in(job.request, ""))


class Stoppable:
    """A conductor with slow, late and failing networks, and what it sent to the sound."""

    def __init__(self, scene: Scene, seed: int, staged: bool = True, now: int = 0, day=DAY, publish=unheard) -> None:
        healthy, rules, floor = by_rules, LocalRules(), StandIns()
        if staged:
            healthy, rules, floor = network, StageRules(), StageStandIns()
        self.makers = VirtualMakers(lambda job: answer(job, healthy), self._duration)
        self.makers.now = now
        self.sent: list[object] = []
        ladder = Ladder([self.makers, rules], floor)
        self.conductor = Conductor(
            Plan(scene, seed, day=day.at),
            ladder,
            self.sent.append,
            VirtualClock(self.makers),
            day=day,
            publish=publish,
        )

    def _duration(self, job: Job) -> int | None:
        due = arrival(job)
        return None if due is None else max(0, due - self.makers.now)

    def until(self, bar: int) -> Stoppable:
        """Play until a bar is the next to be sealed. The conductor does not know that it is to be stopped."""
        self.conductor.run(None, lambda: self.conductor.next_bar < bar)
        return self

    def heard(self, since: int = 0) -> list:
        """What was sent: every note, ramp and frame."""
        return lines_of(self.sent[since:])


def lines_of(messages: list[object]) -> list:
    """Messages to the sound as what JSON knows."""
    return [
        ["Notes", message.part, message.notes.tolist()] if isinstance(message, Notes) else repr(message)
        for message in messages
    ]


def shipped(name: str) -> Scene:
    scene, _ = load(assets.scene(name))
    assert scene is not None
    return scene


def main(name: str, seed: str, now: str, bars: str) -> None:
    again = Stoppable(shipped(name), int(seed), staged=False, now=int(now))
    state = ConductorState.from_json(sys.stdin.read())
    again.conductor.restore(state)
    json.dump(again.until(state.next_bar + int(bars)).heard(), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
