"""Facts about the form of a performance."""

from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest

from engine.form.curves import Curve
from engine.form.plan import Plan
from engine.form.scene import Section, Tempo
from engine.score.time import SAMPLE_RATE
from engine.units import Range
from tests.conductor.stage import kinds, part, scene, section  # noqa: F401

pytestmark = pytest.mark.usefixtures("kinds")

PAD = part("pad", "rule")


def names(plan, count):
    return [visit.section.name for visit in islice(plan.passes(), count)]


def test_sections_follow_in_the_order_of_the_file_without_end():
    plan = Plan(scene([PAD], [section("a", "pad"), section("b", "pad")]), seed=1)
    assert names(plan, 7) == ["a", "b", "a", "b", "a", "b", "a"]


def test_weights_decide_how_often_a_section_follows():
    plan = Plan(scene([PAD], [section("a", "pad", a=3, b=1), section("b", "pad", a=1)]), seed=1)
    counts = Counter(names(plan, 2000))
    assert counts["a"] / counts["b"] == pytest.approx(4, rel=0.15)


def test_a_section_repeats_as_often_as_drawn():
    loop = Section("a", Range(4, 4), ("pad",), Range(2, 3), {"b": 1})
    plan = Plan(scene([PAD], [loop, section("b", "pad")]), seed=3)
    runs = [len(run) for run in "".join(names(plan, 400)).split("b")[:-1]]
    assert set(runs) == {2, 3}


def test_lengths_are_drawn_from_the_range_in_whole_periods():
    made = scene([PAD], [section("a", "pad", bars=(8, 17))])
    for period, lengths in ((8, {8, 16}), (6, {12}), (0, {8, 12, 16}), (5, {10, 15}), (32, {8, 12, 16})):
        plan = Plan(replace(made, period=period), seed=1)
        assert {visit.bars for visit in islice(plan.passes(), 60)} == lengths


def test_the_form_of_a_pass_does_not_depend_on_how_far_was_looked_ahead():
    a, b = (Plan(scene([PAD], [section("a", "pad", bars=(5, 7)), section("b", "pad")]), seed=9) for _ in range(2))
    a.bar(300)
    for bar in range(300):
        assert b.bar(bar) == a.bar(bar)


def test_each_pass_draws_its_tempo_and_a_drift_moves_within_it():
    drawn = scene([PAD], [section("a", "pad")])
    ranged = Plan(type(drawn)(**{**fields(drawn), "tempo": Tempo(Range(80, 90))}), seed=1)
    tempos = {visit.qpms[0] for visit in islice(ranged.passes(), 20)}
    assert len(tempos) > 10
    assert all(80 <= qpm <= 90 for qpm in tempos)
    drift = Plan(type(drawn)(**{**fields(drawn), "tempo": Tempo(Range(80, 96), Curve((80, 96)))}), seed=1)
    assert drift.pass_at(0).qpms == (80, 82, 84, 86, 88, 90, 92, 94)


def test_slots_tile_each_section_and_are_cut_at_its_end():
    plan = Plan(scene([PAD], [section("a", "pad", bars=(6, 6))]), seed=1)
    slots, bar = [], 0
    while bar < 12:
        slot = plan.slot("pad", bar)
        slots.append((slot.first_bar, slot.bars))
        bar = slot.end_bar
    assert slots == [(0, 4), (4, 2), (6, 4), (10, 2)]


def test_the_opening_ends_at_a_bar_line_and_cuts_the_slot_of_a_network():
    plan = Plan(scene([part("lead", "net", 8)], [section("a", "lead", bars=(16, 16))], opening=3), seed=1)
    slots = [plan.slot("lead", bar) for bar in (0, 3, 11)]
    assert [(s.first_bar, s.bars, s.opening) for s in slots] == [(0, 3, True), (3, 8, False), (11, 5, False)]


def test_a_plan_can_begin_with_any_section():
    assert names(Plan(scene([PAD], [section("a", "pad"), section("b", "pad")]), 1, "b"), 2) == ["b", "a"]


def test_an_edited_scene_goes_on_within_the_same_section():
    old = scene([PAD], [section("a", "pad"), section("b", "pad", bars=(12, 12))])
    plan = Plan(old, seed=1)
    edited = scene([PAD], [section("a", "pad"), section("b", "pad", bars=(9, 9))])
    after = plan.replaced_by(edited, 12)
    visit = after.pass_at(12)
    assert (visit.section.name, visit.first_bar, visit.bars) == ("b", 8, 9)
    assert after.bar(12).start == 12 * 2 * SAMPLE_RATE
    assert after.pass_at(17).section.name == "a"


def test_an_edited_scene_without_the_section_begins_anew():
    plan = Plan(scene([PAD], [section("a", "pad"), section("b", "pad")]), seed=1)
    after = plan.replaced_by(scene([PAD], [section("c", "pad")]), 3)
    assert after.pass_at(3).section.name == "c"
    assert after.pass_at(3).first_bar == 3


def fields(made):
    return {name: getattr(made, name) for name in made.__dataclass_fields__}
