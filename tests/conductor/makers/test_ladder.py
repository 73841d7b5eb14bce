"""The ladder: whatever its rungs do, a phrase comes; and who may fail cannot stand where nobody may."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.conductor.makers.breaker import MOST_FAILURES, OPEN_FRAMES, Circuit, CircuitBreaker
from engine.conductor.makers.contract import Floor, Job, Made, PromptRung, Reply
from engine.conductor.makers.ladder import Ladder
from engine.events import SteppedDown, SteppedUp
from engine.fallibility import Fallible, Infallible
from engine.form.plan import Plan
from engine.generators.contract import Place, Request, Role
from engine.score.harmony.keys import Key
from engine.score.phrase import Origin, Phrase, Provenance
from engine.score.time import Meter
from tests.conductor.stage import (  # noqa: F401
    Performance,
    StageRules,
    StageStandIns,
    Temper,
    compose,
    kinds,
    network,
    part,
    scene,
    section,
)
from tests.conductor.virtual import VirtualMakers

ROOT = Path(__file__).parents[3]


def request(bar: int = 0, seed: int = 1) -> Request:
    place = Place("a", 0, bar, 64, bar)
    return Request("lead", Role.MELODY, 2, Meter(), 120.0, Key(), seed, Temper(), place)


class Named(VirtualMakers):
    """A slow rung of any name."""

    def __init__(self, name: str, make, duration=lambda job: 0) -> None:
        super().__init__(make, duration)
        self.name = name


class Prompt(PromptRung):
    """A rung that answers at once."""

    def __init__(self, name: str, make) -> None:
        self.name = name
        self.make_it = make

    def make(self, job: Job) -> Made:
        return self.make_it(job)


def healthy(job: Job) -> Made:
    phrase = compose(job.request, Origin.RULES, "healthy")
    return Made(phrase, phrase)


def fails(job: Job) -> Made:
    raise RuntimeError("no power")


def asked(ladder: Ladder, bar: int = 0, deadline: int = 0) -> Made:
    answer = ladder.ask("net", request(bar), deadline, True)
    if isinstance(answer, Made):
        return answer
    return ladder.poll(0.0)[0].made


def wrong(length: float = 8.0, **columns) -> Phrase:
    """A phrase that says it is one, made past all checks."""
    good = compose(request(), Origin.NETWORK, "wrong")
    notes = good.notes.copy()
    for column, value in columns.items():
        notes[column][3] = value
    return Phrase(notes, length, good.provenance)


WRONG = {
    "nothing": None,
    "a dictionary": {"notes": []},
    "of another length": Phrase.empty(7.0, Provenance("wrong", Origin.NETWORK)),
    "a start that is no number": wrong(start=float("nan")),
    "an end without end": wrong(end=float("inf")),
    "a note before the phrase": wrong(start=-1.0),
    "a note after the phrase": wrong(start=8.5, end=9.0),
    "a note without length": wrong(end=0.0),
    "a pitch that is none": wrong(pitch=200),
    "a velocity that is none": wrong(velocity=0),
    "a length that is no number": wrong(length=float("nan")),
    "notes of another kind": Phrase([(0, 1, 60, 80)], 8.0, Provenance("wrong", Origin.NETWORK)),
}


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_played_is_refused_and_the_next_rung_plays(kind, slow):
    bad = WRONG[kind]
    top = Named("top", lambda job: Reply(job.ticket, bad, bad)) if slow else Prompt("top", lambda job: Made(bad, bad))
    events: list = []
    made = asked(Ladder([top, Prompt("low", healthy)], StageStandIns(), events.append))
    assert made.rung == "low"
    assert made.phrase.provenance.generator == "healthy"
    assert [(type(event), event.rung) for event in events] == [(SteppedDown, "top")]
    assert events[0].reason
    assert events[0].reason in made.reason


def test_notes_in_disorder_are_sorted():
    good = compose(request(), Origin.NETWORK, "net")
    mixed = Phrase(good.notes[::-1].copy(), 8.0, good.provenance)
    made = asked(Ladder([Prompt("top", lambda job: Made(mixed, mixed))], StageStandIns()))
    assert (made.phrase.notes == good.notes).all()


@pytest.mark.parametrize("where", ["submit", "poll", "cancel"])
def test_a_slow_rung_that_raises_wherever_it_can_costs_no_phrase(where):
    top = Named("top", network, lambda job: None)
    setattr(top, where, lambda *_: 1 / 0)
    ladder = Ladder([top, Prompt("low", healthy)], StageStandIns())
    answer = ladder.ask("net", request(), 0, True)
    if where == "cancel":
        assert isinstance(answer, Job)
        answer = ladder.give_up(answer, "late")
    elif where == "poll":
        answer = ladder.poll(0.0)[0].made
    assert isinstance(answer, Made)
    assert answer.rung == "low"


def test_when_all_fail_the_floor_plays_and_knows_every_reason():
    ladder = Ladder(
        [Named("pool", lambda job: Reply(job.ticket, None, None, "no route")), Prompt("low", fails)], StageStandIns()
    )
    made = asked(ladder)
    assert (made.rung, made.reason) == ("stand-in", "no route; no power")
    assert made.phrase.provenance.reason == "no route; no power"


def test_a_ladder_without_rungs_is_its_floor():
    assert asked(Ladder([], StageStandIns())).rung == "stand-in"


def test_who_is_late_is_replaced_by_what_can_be_made_at_once():
    """A second slow rung cannot."""
    slow = [Named(name, network, lambda job: None) for name in ("pool", "host")]
    ladder = Ladder([*slow, Prompt("rules", healthy)], StageStandIns())
    job = ladder.ask("net", request(), 0, True)
    assert isinstance(job, Job)
    made = ladder.give_up(job, "its phrase was late")
    assert (made.rung, made.reason) == ("rules", "its phrase was late")
    assert slow[0].cancelled == [job.ticket]
    assert slow[1].submitted == []


def test_a_rung_that_fails_again_and_again_is_left_alone_then_tried_once_and_taken_back():
    broken = True
    seen, events = [], []

    def make(job: Job) -> Reply:
        seen.append(job.deadline)
        return Reply(job.ticket, None, None, "no power") if broken else network(job)

    ladder = Ladder([Named("top", make)], StageStandIns(), events.append)
    for turn in range(MOST_FAILURES + 3):
        asked(ladder, turn, turn)
    assert seen == list(range(MOST_FAILURES))
    assert asked(ladder).reason == "it failed 5 times in a row, the last time: no power"
    trial = MOST_FAILURES - 1 + OPEN_FRAMES
    asked(ladder, deadline=trial)
    asked(ladder, deadline=trial + OPEN_FRAMES - 1)
    assert seen[MOST_FAILURES:] == [trial], "one trial, and then none for a while"
    broken = False
    assert asked(ladder, 50, trial + OPEN_FRAMES).rung == "top"
    assert asked(ladder, 51, trial + OPEN_FRAMES).rung == "top"
    assert [event.bar for event in events if isinstance(event, SteppedUp)] == [50]
    assert sum(isinstance(event, SteppedDown) for event in events) == MOST_FAILURES + 3 + 3
    assert ladder.breakers == {}


@pytest.mark.usefixtures("kinds")
def test_the_network_of_one_part_may_be_broken_while_that_of_another_plays():
    def make(job: Job) -> Reply:
        return Reply(job.ticket, None, None, "broken") if job.request.part == "bad" else network(job)

    made = scene([part("bad", "net", 1), part("good", "net", 1)], [section("a", "bad", "good")])
    played = Performance(made, make=make, duration=lambda job: 0, clock=FastClock()).play(24)
    assert set(played.origins("good")) == {Origin.NETWORK}
    assert set(played.origins("bad")) == {Origin.FALLBACK}


def test_what_is_late_of_a_rung_that_still_loads_is_not_held_against_it():
    top = Named("top", network, lambda job: None)
    top.is_ready = lambda: False
    ladder = Ladder([top], StageStandIns())
    for turn in range(2 * MOST_FAILURES):
        job = ladder.ask("net", request(turn), turn, True)
        assert isinstance(job, Job)
        assert ladder.give_up(job, "late").reason == "late"


def test_a_trial_that_nobody_waits_for_any_more_leaves_room_for_another():
    breaker = CircuitBreaker()
    for frame in range(MOST_FAILURES):
        assert breaker.admits(frame)
        breaker.failed(frame, "no")
    assert breaker.state is Circuit.OPEN
    later = MOST_FAILURES + OPEN_FRAMES
    assert breaker.admits(later)
    assert breaker.state is Circuit.HALF_OPEN
    assert not breaker.admits(later)
    breaker.abandoned()
    assert breaker.admits(later)
    assert breaker.succeeded()
    assert breaker.state is Circuit.CLOSED


# Types


def test_a_ladder_that_may_fail_is_not_built():
    rung, floor = Prompt("rules", healthy), StageStandIns()
    with pytest.raises(TypeError, match="a ladder must end in something Infallible; Prompt may fail"):
        Ladder([rung], rung)
    with pytest.raises(TypeError, match="takes what is Fallible above its floor; StageStandIns is not"):
        Ladder([floor], floor)
    with pytest.raises(ValueError, match="names of their own: rules, rules"):
        Ladder([rung, Prompt("rules", fails)], floor)
    plan = Plan(scene([part("pad", "rule")], [section("a", "pad")]), 1)
    for fallible in (rung, floor, StageRules()):
        with pytest.raises(TypeError, match=f"takes a Ladder, which never fails; {type(fallible).__name__} may"):
            Conductor(plan, fallible, print, FastClock())
    with pytest.raises(TypeError, match="abstract"):
        Floor()


def test_nothing_is_both_fallible_and_infallible():
    with pytest.raises(TypeError, match="Both cannot be both Fallible and Infallible"):

        class Both(Fallible, Infallible):
            pass

    assert not issubclass(Ladder, Fallible)
