"""The memory of ideas is a fold: what is remembered at a bar follows from what was heard, and from nothing else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.conductor.phrases.stored_memory import StoredMemory
from engine.errors import PerpetuumError
from engine.ideas.idea import IdeaKind, idea_of
from engine.ideas.memory import MOST_KEPT, HeardIdea, IdeaMemory
from engine.score.harmony.keys import Key
from tests.ideas.making import idea

heard = st.lists(
    st.builds(
        lambda end, part, theme, pitch: HeardIdea(end, idea((pitch, 62, 64, 65), theme, part, end - 1)),
        st.integers(1, 40),
        st.sampled_from(["bass", "lead", "song"]),
        st.sampled_from(["A", "B", "C.2"]),
        st.integers(40, 80),
    ),
    max_size=24,
    unique_by=lambda one: (one.end_bar, one.idea.part),  # a part plays one thing at a time
)


def text_of(memory: IdeaMemory) -> str:
    return StoredMemory.of(memory).to_json()


@settings(max_examples=60, deadline=None)
@given(heard=heard, order=st.randoms(use_true_random=False), bar=st.integers(0, 45))
def test_neither_the_order_of_arrival_nor_when_it_is_folded_changes_what_is_remembered(heard, order, bar):
    at_once = IdeaMemory().hearing(heard).at(bar)
    shuffled = list(heard)
    order.shuffle(shuffled)
    by_bar = IdeaMemory()
    for now in range(bar + 1):
        by_bar = by_bar.hearing(one for one in shuffled if one.end_bar == now).at(now - order.randint(0, 3))
    later = [one for one in heard if one.end_bar > bar]
    assert text_of(by_bar.hearing(later).at(bar)) == text_of(at_once)


@settings(max_examples=40, deadline=None)
@given(heard=heard, bar=st.integers(0, 45))
def test_a_theme_is_what_was_heard_first_of_it(heard, bar):
    memory = IdeaMemory().hearing(heard).at(bar)
    for part in ("bass", "lead", "song"):
        for theme in ("A", "B", "C.2"):
            mine = [one for one in heard if one.end_bar <= bar and one.idea.theme == theme]
            own = [one for one in mine if one.idea.part == part] or mine
            first = min(own, key=lambda one: (one.end_bar, one.idea.part), default=None)
            found = memory.theme(theme, IdeaKind.MOTIF, part, ["bass", "lead", "song"])
            assert (found and found.digest) == (first and first.idea.digest)


@settings(max_examples=30, deadline=None)
@given(heard=heard, bar=st.integers(0, 45), more=heard)
def test_a_memory_that_was_written_down_goes_on_like_one_that_was_not(heard, bar, more):
    memory = IdeaMemory().hearing(heard).at(bar)
    again = StoredMemory.from_json(text_of(memory)).memory
    more = [HeardIdea(one.end_bar + 45, one.idea) for one in more]
    assert text_of(again.hearing(more).at(90)) == text_of(memory.hearing(more).at(90))


def test_what_others_play_is_a_theme_of_a_part_only_where_they_are_its_peers():
    memory = IdeaMemory().hearing([HeardIdea(4, idea(part="bass"))]).at(8)
    assert memory.theme("A", IdeaKind.MOTIF, "song", ["lead", "song"]) is None
    assert memory.theme("A", IdeaKind.MOTIF, "song", ["bass", "song"]) is not None


@pytest.mark.parametrize(
    ("pitches", "known_again"),
    [
        ((60, 62, 64, 65, 67, 60), True),
        ((60, 62, 64, 65, 67), False),  # too few
        ((60, 62, 60, 62, 60, 62), False),  # two pitches are a trill
        ((60, 60, 60, 60, 62, 64), False),  # mostly one note again
    ],
)
def test_a_motif_has_notes_enough_to_be_known_again(pitches, known_again):
    phrase = idea(pitches, step=0.5).phrase
    found = idea_of(phrase, IdeaKind.MOTIF, "A", "song", 0, Key.parse("C major"), 4.0)
    assert (found is not None) is known_again


def test_what_ends_before_the_fold_comes_too_late():
    memory = IdeaMemory().at(10).hearing([HeardIdea(9, idea()), HeardIdea(11, idea(part="song"))])
    assert [one.idea.part for one in memory.since] == ["song"]


def test_it_is_bounded_and_forgets_what_was_heard_longest_ago():
    memory = IdeaMemory()
    for bar in range(1, 3 * MOST_KEPT):
        fresh = HeardIdea(bar, idea(theme=f"T{bar}", first_bar=bar))
        memory = memory.hearing([fresh, HeardIdea(bar, idea(theme="T1", part="song"))]).at(bar)
    assert len(memory.kept) == MOST_KEPT
    assert memory.theme("T1", IdeaKind.MOTIF, "song", ()) is not None
    assert memory.theme("T2", IdeaKind.MOTIF, "lead", ["song"]) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("bar",), "x"),
        (("kept", 0, "kind"), "poem"),
        (("kept", 0, "beats_per_bar"), 0),
        (("kept", 0, "phrase", "notes", 0, 2), 200),
        (("kept", 0, "key", "mode"), "sad"),
    ],
)
def test_a_memory_that_was_tampered_with_is_refused(path, value):
    tree = json.loads(text_of(IdeaMemory().hearing([HeardIdea(1, idea())]).at(1)))
    place = tree
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(PerpetuumError):
        StoredMemory.from_json(json.dumps(tree))
