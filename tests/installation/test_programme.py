"""Which scene follows which."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.installation.hours.programme import Turn, first_turn, fixed_turn, followers, next_turn, rotation
from engine.installation.installation import Order
from tests.installation.making import entry, hours, programme

SESSION = "2026-12-24T10:00+01:00"


def turns(made, count, session=SESSION):
    turn = first_turn(made, session)
    for _ in range(count):
        yield turn
        turn = next_turn(made, turn)


def names(made, count, session=SESSION):
    return [turn.scene for turn in turns(made, count, session)]


def test_in_the_order_of_the_file_scenes_come_round_and_those_with_hours_are_left_out():
    made = programme(entry("a"), entry("noon", hours=hours((12, 13))), entry("b"), entry("c"))
    assert rotation(made) == ["a", "b", "c"]
    assert names(made, 7) == ["a", "b", "c", "a", "b", "c", "a"]


def test_what_a_scene_says_of_the_next_one_counts_more_than_the_order():
    made = programme(entry("a"), entry("b", next={"b": 1.0, "a": 0.0}), entry("c"))
    assert names(made, 4) == ["a", "b", "b", "b"]


def test_drawn_by_weights_none_comes_twice_in_a_row_and_the_heavier_comes_oftener():
    made = programme(
        entry("a", weight=4.0), entry("b"), entry("c"), entry("never", weight=0.0), order=Order.RANDOM, seed=3
    )
    drawn = names(made, 3000)
    assert all(one != other for one, other in pairwise(drawn))
    count = Counter(drawn)
    assert set(count) == {"a", "b", "c"}
    # Of a chain without repeats: a is left always, and drawn from b or c with 4 of 5, so that it has 4/9 of all turns.
    assert abs(count["a"] / 3000 - 4 / 9) < 0.03
    assert abs(count["b"] / count["c"] - 1) < 0.2


def test_a_graph_is_followed_by_its_weights():
    made = programme(entry("a", next={"b": 3.0, "c": 1.0}), entry("b", next={"a": 1.0}), entry("c", next={"a": 1.0}))
    drawn = names(made, 4000)
    assert set(drawn[::2]) == {"a"}
    assert abs(Counter(drawn[1::2])["b"] / 2000 - 0.75) < 0.03


def test_a_single_scene_follows_itself():
    assert names(programme(entry("a"), order=Order.RANDOM), 3) == ["a", "a", "a"]


@given(st.integers(0, 2**63 - 1), st.text(max_size=30), st.integers(0, 40))
def test_a_turn_as_data_is_all_that_it_takes_to_go_on(seed, session, number):
    made = programme(*(entry(name, 60.0, 7200.0) for name in "abcd"), order=Order.RANDOM, seed=seed)
    course = list(turns(made, number + 3, session))
    kept = Turn(**{name: getattr(course[number], name) for name in Turn.__dataclass_fields__})
    assert next_turn(made, kept) == course[number + 1]
    assert [turn.number for turn in course] == list(range(number + 3))
    assert all(60 <= turn.seconds <= 7200 and 0 <= turn.seed < 2**63 for turn in course)


def test_sessions_and_seeds_differ_and_the_same_ones_agree():
    made = programme(*(entry(name) for name in "abcdef"), order=Order.RANDOM)
    other = programme(*(entry(name) for name in "abcdef"), order=Order.RANDOM, seed=1)
    assert list(turns(made, 20)) == list(turns(made, 20))
    assert len({tuple(names(one, 20, session)) for one in (made, other) for session in ("x", "y")}) == 4
    assert len({turn.seed for turn in turns(made, 20)}) == 20


def test_the_course_of_a_release_is_that_of_the_next_one():
    """If this fails, every installation plays another day than was planned: say so in the change log."""
    made = programme(*(entry(name, 600.0, 1800.0) for name in "abc"), order=Order.RANDOM, seed=7)
    assert [(turn.scene, turn.seconds) for turn in turns(made, 4)] == COURSE


COURSE = [("a", 1140.0), ("c", 1500.0), ("b", 1440.0), ("a", 1020.0)]


def test_lengths_are_drawn_over_their_whole_range_in_minutes():
    made = programme(entry("a", 1200.0, 2400.0))
    lengths = Counter(turn.seconds / 60 for turn in turns(made, 2000))
    assert set(lengths) == set(range(20, 41))
    exact = programme(entry("a", 90.0, 90.0))
    assert {turn.seconds for turn in turns(exact, 5)} == {90.0}


def test_a_scene_with_a_seed_of_its_own_is_the_same_each_time():
    made = programme(entry("a", seed=5), entry("noon", hours=hours((12, 13))))
    assert {turn.seed for turn in turns(made, 5)} == {5}
    first, second = (fixed_turn(made, "noon", day, 3600.0) for day in ("2026-12-24", "2026-12-25"))
    assert first.seed != second.seed
    assert first == fixed_turn(made, "noon", "2026-12-24", 3600.0)


def test_a_scene_that_was_edited_away_leads_to_one_that_is_there():
    made = programme(entry("a"), entry("b"))
    assert next_turn(made, Turn(SESSION, 7, "gone", 60.0, 0)).scene == "a"
    assert followers(made, "gone") == {"a": 1.0}
