"""A plan is taken up at any bar, and says the same of all that follows as the one that was not stopped."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.conductor.daytime import CountedDay
from engine.errors import PerpetuumError
from engine.form.curves import DayCurve, DaySteps
from engine.form.plan import Plan
from engine.form.position import Position
from engine.form.scene import Section
from engine.score.harmony.keys import Key
from engine.score.time import DAY
from engine.units import Range
from tests.conductor.stage import kinds, part, scene, section  # noqa: F401
from tests.conductor.test_edits import edited

pytestmark = pytest.mark.usefixtures("kinds")

BARS = 40


def of_the_day(made):
    """The same scene with a tempo and a key that follow the time of day."""
    return replace(
        made,
        day_tempo=DayCurve(((0.0, 70.1), (DAY / 2, 133.7))),
        day_key=DaySteps(((0.0, Key(3, "dorian")), (6 * 3600.0, Key(8, "minor")))),
    )


def laid_out(plan: Plan, first: int) -> list:
    """All that a plan says of some bars: frames, tempi, passes, keys and the slots of all parts with their seeds."""
    parts = list(plan.scene.parts)
    return [
        (plan.bar(bar), plan.pass_at(bar), [plan.slot(name, bar) for name in parts])
        for bar in range(first, first + BARS)
    ]


def through_json(position: Position) -> Position:
    return Position.from_json(position.to_json())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), bar=st.integers(0, 60), day=st.booleans())
def test_a_plan_taken_up_at_any_bar_is_the_one_that_was_not_stopped(seed, bar, day):
    made = edited(np.random.default_rng(seed))
    made = of_the_day(made) if day else made
    clock = CountedDay(5.99 * 3600).at
    whole = Plan(made, seed, day=clock)
    again = Plan.at(through_json(whole.position(bar)), made, seed, clock)
    assert laid_out(again, bar) == laid_out(whole, bar)
    assert again.position(bar) == whole.position(bar)
    assert again.position(bar + BARS) == whole.position(bar + BARS)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 12), min_size=1, max_size=4), after=st.integers(0, 9))
def test_so_is_one_whose_scene_was_edited_again_and_again(seed, cuts, after):
    """Passes that an edit cut or lengthened, sections that are gone, several edits at one bar line."""
    rng = np.random.default_rng(seed)
    whole = again = Plan(edited(rng), seed)
    bar = 0
    for cut in cuts:
        bar += cut
        edit = edited(rng)
        again = Plan.at(through_json(again.position(bar)), again.scene, seed)
        again = Plan.edited(through_json(again.position(bar)), edit, seed)
        whole = whole.replaced_by(edit, bar)
    assert laid_out(again, bar + after) == laid_out(whole, bar + after)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), bar=st.integers(0, 40), forgotten=st.integers(0, 40))
def test_a_position_does_not_depend_on_what_was_forgotten(seed, bar, forgotten):
    made = edited(np.random.default_rng(seed))
    whole, short = Plan(made, seed), Plan(made, seed)
    short.forget_before(min(bar, forgotten))
    assert short.position(bar) == whole.position(bar)


def test_an_edit_at_the_first_bar_of_a_pass_goes_on_in_the_form_as_it_stood():
    """A section that is played twice has been played once: it comes once more, not twice."""
    twice = Section("a", Range(8, 8), ("pad",), Range(2, 2), {"b": 1.0})
    made = scene([part("pad", "rule")], [section("b", "pad", a=1), twice])
    whole = Plan(made, 1, "a")
    for plan in (whole.replaced_by(made, 8), Plan.edited(through_json(whole.position(8)), made, 1)):
        assert [plan.pass_at(bar).section.name for bar in (8, 16, 24, 32)] == ["a", "b", "a", "a"]


def test_an_edited_plan_shares_nothing_with_the_one_before():
    """Both go on, each on its own grid, in any order."""
    made = scene([part("pad", "rule")], [section("a", "pad"), section("b", "pad")], qpm=97.0)
    old, alone = Plan(made, 1), Plan(made, 1)
    new = old.replaced_by(scene([part("pad", "rule")], [section("a", "pad")], qpm=61.0), 5)
    assert new.bar(5).start == alone.bar(5).start
    new.bar(30)
    new.forget_before(20)
    assert laid_out(old, 0) == laid_out(alone, 0)


def test_a_section_that_the_scene_does_not_have_is_refused_by_name():
    position = Plan(scene([part("pad", "rule")], [section("a", "pad")]), 1).position(3)
    other = scene([part("pad", "rule")], [section("c", "pad"), section("d", "pad")])
    with pytest.raises(PerpetuumError, match=r"in section 'a'.*no such section\n  its sections are c, d"):
        Plan.at(position, other, 1)


POSITION = Plan(scene([part("pad", "rule")], [section("a", "pad"), section("b", "pad")]), 1).position(8).to_json()


def changed(*path_and_value):
    *path, last, value = path_and_value
    tree = json.loads(POSITION)
    place = tree
    for step in path:
        place = place[step]
    place[last] = value
    return json.dumps(tree)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        ("[" * 100_000, "Invalid JSON"),
        ("null", "object"),
        ("{}", "bar: Field required"),
        (changed("version", 2), "version: Input should be 1"),
        (changed("more", 1), "more: Extra inputs"),
        (changed("bar", -1), "bar: "),
        (changed("bar", True), "bar: "),
        (changed("bar", "8"), "bar: "),
        (changed("bar", 8.5), "bar: "),
        (changed("bar", 10**400), "bar: "),
        (changed("bar", 99), "bar 99 is not in the pass"),
        (changed("frame", 1 << 60), "frame: "),
        (changed("carry", 1.5), "carry: "),
        (changed("carry", float("nan")), "carry: "),
        (changed("running", "qpms", []), "running.qpms: "),
        (changed("running", "qpms", [1e-300] * 8), "running.qpms.0: "),
        (changed("running", "qpms", 1, float("inf")), "running.qpms.1: "),
        (changed("running", "key", "mode", "loud"), "there is no mode 'loud'"),
        (changed("running", "key", "tonic", 12), "running.key.tonic: "),
        (changed("running", "repeats_left", -2), "running.repeats_left: "),
        (changed("running", "next", [["a", -1.0]]), "running.next.0.1: "),
        (changed("edited", json.loads(changed("frame", 7))), "edit"),
    ],
)
def test_a_position_that_was_tampered_with_is_refused_and_the_message_says_where(text, words):
    with pytest.raises(PerpetuumError, match="the position cannot be read: ") as refused:
        Position.from_json(text)
    assert words in str(refused.value)


@given(st.floats(0, 1, exclude_max=True))
def test_numbers_go_through_json_exactly(carry):
    tree = json.loads(POSITION) | {"carry": carry}
    position = Position.from_json(json.dumps(tree))
    assert position.carry == carry
    assert through_json(position) == position
