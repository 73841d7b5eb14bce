"""What a phrase may remember follows from the phrases that were decided; when they were asked for does not count."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.conductor.makers.contract import Reply
from engine.conductor.phrases.remembering import lag_of
from engine.form.plan import Plan
from engine.form.themes import theme_of, themes_in
from engine.generators.contract import GENERATORS, GeneratorKind, Role
from engine.generators.recall import RecallSettings
from engine.ideas.idea import IdeaKind, Variation, idea_of, kind_of_role
from engine.ideas.themes import PASSES
from engine.score.phrase import Origin
from engine.score.time import SAMPLE_RATE
from tests.conductor.stage import NET, RULE, Performance, StageStandIns, never_built, part, scene, section

RECALLING = GeneratorKind("recalling", "a network that recalls", RecallSettings, (Role.MELODY,), never_built, True)


@pytest.fixture(scope="module", autouse=True)
def kinds():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.form.scene.GENERATORS", GENERATORS.having(NET, RULE, RECALLING))
        yield


BEGUN = 6 * SAMPLE_RATE
"""What is due before that is asked for too late for any network that takes its time."""


def played(seconds, seed=3, bars=120, qpm=200.0, **more):
    """A performance whose networks take so many seconds, drawn for each job from a list."""
    lead = replace(part("lead", "net", 2), generator="recalling", settings=RecallSettings())
    song = replace(part("song", "net", 4), generator="recalling", settings=RecallSettings(recall="50 %"))
    made = scene([lead, song], [section("a", "lead", "song", bars=(8, 8)), section("b", "lead", bars=(4, 8))], qpm=qpm)

    def duration(job):
        drawn = np.random.default_rng([job.request.seed % 2**32, len(seconds)]).choice(seconds)
        if job.deadline < BEGUN:
            drawn = 0.0  # there is no time yet
        return None if np.isnan(drawn) else round(drawn * SAMPLE_RATE)

    return Performance(made, seed, duration=duration, **more).play(bars)


def asked(performance):
    return {(job.request.part, job.request.place.first_bar): job.request for job in performance.makers.submitted}


def expected_theme(performance, request, plan):
    """The idea that a phrase could take up, found by going through all that was decided before."""
    bar = request.place.first_bar
    visit = next(one for one in plan if one.first_bar <= bar < one.end_bar)
    theme = theme_of(performance.conductor.scene, 3, visit)
    found = []
    for event in performance.decided:
        if event.first_bar + event.bars > bar - lag_of(performance.conductor.scene):
            continue
        then = next(one for one in plan if one.first_bar <= event.first_bar < one.end_bar)
        kind = kind_of_role("melody")
        name = theme_of(performance.conductor.scene, 3, then)
        idea = idea_of(event.raw, kind, name, event.part, event.first_bar, then.key, 4.0)
        if name == theme and idea is not None and event.part in then.section.parts:
            found.append((event.first_bar + event.bars, event.part, idea))
    own = [one for one in found if one[1] == request.part] or found
    return min(own, key=lambda one: one[:2])[2] if own else None


def passes_of(performance):
    plan = Plan(performance.conductor.scene, 3)
    return list(itertools.takewhile(lambda visit: visit.first_bar < 200, plan.passes()))


@pytest.mark.parametrize("seconds", [[0.1], [0.1, 3.0, 30.0, np.nan]])
def test_what_is_taken_up_is_what_was_heard_first_long_enough_ago(seconds):
    """With networks that are in time, and with some that are late or never come: then the stand-in's phrase counts."""
    performance = played(seconds)
    plan = passes_of(performance)
    requests = [request for request in asked(performance).values() if request.taken is not None]
    assert len(requests) > 12
    for request in requests:
        expected = expected_theme(performance, request, plan)
        assert expected is not None
        assert request.taken.idea.digest == expected.digest
    ideas = [request.taken.idea for request in requests if request.taken.idea.first_bar >= 4]
    origins = {idea.phrase.provenance.origin for idea in ideas}
    assert origins == ({Origin.NETWORK} if len(seconds) == 1 else {Origin.NETWORK, Origin.FALLBACK})


@settings(max_examples=6, deadline=None)
@given(order=st.lists(st.floats(0.01, 2.5), min_size=2, max_size=6))
def test_how_long_networks_take_changes_no_request_as_long_as_they_are_in_time(order):
    one, other = asked(played([0.1], bars=60)), asked(played(order, bars=60))
    assert {key: repr(request) for key, request in one.items()} == {key: repr(other[key]) for key in one}


def test_a_longer_horizon_asks_sooner_and_for_the_same():
    near, far = asked(played([0.1], bars=60)), asked(played([0.1], bars=60, horizon=90 * SAMPLE_RATE))
    common = near.keys() & far.keys()
    assert len(common) > 20
    assert all(repr(near[key]) == repr(far[key]) for key in common)


def test_a_stand_in_is_asked_to_take_up_the_very_same_idea(monkeypatch):
    replaced = []

    def make(self, request, reason):
        replaced.append(request)
        return stand_in(self, request, reason)

    stand_in = StageStandIns.make
    monkeypatch.setattr(StageStandIns, "make", make)
    performance = played([0.1], make=lambda job: Reply(job.ticket, None, None, "broken"))
    submitted = asked(performance)
    taken = [request for request in replaced if request.taken is not None]
    assert taken
    for request in taken:
        assert (request.part, request.place.first_bar) not in submitted or request is submitted[
            request.part, request.place.first_bar
        ]


def test_the_lag_covers_the_horizon_at_the_fastest_tempo_and_the_phrases_ahead():
    slow, fast = played([0.1], bars=1, qpm=60.0), played([0.1], bars=1, qpm=240.0)
    assert lag_of(slow.conductor.scene) == 6 + 4
    assert lag_of(fast.conductor.scene) == 24 + 4


def test_themes_that_are_found_give_way_one_by_one_and_no_name_comes_twice():
    performance = played([0.1], bars=1)
    plan = passes_of(performance)
    names = [tuple(themes_in(performance.conductor.scene, replace(plan[0], index=index))) for index in range(200)]
    changes = [sum(a != b for a, b in zip(one, other, strict=True)) for one, other in itertools.pairwise(names)]
    assert max(changes) == 1
    assert sum(changes) in (4 * 200 // PASSES, 4 * 200 // PASSES + 1)
    assert all(len(set(one)) == 4 for one in names)


def test_a_network_s_phrase_that_came_too_late_is_no_idea():
    performance = played([0.1, 30.0])
    late = {(event.part, event.first_bar) for event in performance.decided if event.reason}
    assert late
    taken = [request.taken.idea for request in asked(performance).values() if request.taken is not None]
    for idea in [idea for idea in taken if idea.first_bar >= 4]:
        origin = Origin.FALLBACK if (idea.part, idea.first_bar) in late else Origin.NETWORK
        assert idea.phrase.provenance.origin is origin


def test_only_parts_that_come_back_to_what_they_say_leave_ideas():
    lead = replace(part("lead", "net", 4), generator="recalling", settings=RecallSettings())
    made = scene([lead, part("plain", "net", 4)], [section("a", "lead", "plain")])
    performance = Performance(made, 3).play(80)
    assert {idea.part for idea in performance.conductor.state().memory.memory.kept} == {"lead"}


class Walking(RecallSettings):
    @property
    def shared_way(self):
        return "trio, way 7"


def test_parts_that_go_one_way_through_a_space_come_back_to_the_same_places_together():
    lead, song = (
        replace(part(name, "net", 4), generator="recalling", settings=Walking(recall="50 %"))
        for name in ("lead", "song")
    )
    made = scene([lead, song], [section("a", "lead", "song"), section("b", "lead")])
    requests = asked(Performance(made, 3).play(160))
    pairs = [(requests["lead", bar], one) for (name, bar), one in requests.items() if name == "song"]
    assert {mine.taken == theirs.taken for mine, theirs in pairs} == {True}
    taken = [one.taken for _, one in pairs if one.taken is not None]
    assert {one.idea.kind for one in taken} == {IdeaKind.POINT}
    assert {one.variation for one in taken} == {Variation.EXACT, Variation.TOWARDS}
    assert any(one.taken is None for _, one in pairs)
