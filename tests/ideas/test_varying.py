"""What becomes of an idea is what the word for it means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ideas import kinship
from engine.ideas.idea import DISTANCES, TakenUp, Variation
from engine.ideas.varying import chords_of, length_of, settled, shift_between, varied
from engine.score.harmony.chords import Chord
from engine.score.harmony.keys import MODES, Key
from engine.score.phrase import ChordSpan
from tests.ideas.making import idea, intervals

C = Key.parse("C major")
diatonic = st.lists(st.sampled_from([55, 57, 59, 60, 62, 64, 65, 67, 69, 71, 72]), min_size=4, max_size=8)


def notes_of(variation, pitches=(60, 62, 64, 67), key=C, seed=1, **how):
    taken = TakenUp(idea(pitches, **how), variation, 0.5)
    return varied(taken, key, np.random.default_rng(seed))


@given(tonic=st.integers(0, 11), one=st.sampled_from(sorted(MODES)), other=st.sampled_from(sorted(MODES)))
def test_a_scale_comes_into_another_key_with_as_few_notes_outside_as_any_transposition_leaves(tonic, one, other):
    before, after = Key(0, one), Key(tonic, other)
    outside = [sum((pitch + shift) % 12 not in after.scale for pitch in before.scale) for shift in range(12)]
    assert outside[shift_between(before, after) % 12] == min(outside)


@pytest.mark.parametrize(("to", "shift"), [("A minor", 0), ("D dorian", 0), ("G major", -5), ("E major", 4)])
def test_relatives_share_their_pitches_and_other_keys_their_intervals(to, shift):
    assert shift_between(C, Key.parse(to)) == shift
    found = notes_of(Variation.EXACT, key=Key.parse(to))
    assert intervals(found) == [2, 2, 3]


@given(pitches=diatonic, seed=st.integers(0, 99))
def test_a_transposed_idea_keeps_every_interval(pitches, seed):
    found = notes_of(Variation.TRANSPOSED, pitches, seed=seed, step=0.5)
    assert intervals(found) == np.diff(pitches).tolist()
    assert found["pitch"][0] != pitches[0]


@settings(max_examples=30)
@given(pitches=diatonic, seed=st.integers(0, 99))
def test_a_sequence_stays_in_the_key_and_keeps_the_direction_of_every_step(pitches, seed):
    found = notes_of(Variation.SEQUENCE, pitches, seed=seed, step=0.5)
    assert all(int(pitch) in C for pitch in found["pitch"])
    assert np.sign(intervals(found)).tolist() == np.sign(np.diff(pitches)).tolist()


@settings(max_examples=30)
@given(pitches=diatonic)
def test_an_inverted_idea_moves_the_other_way_and_inverted_twice_is_itself(pitches):
    found = notes_of(Variation.INVERTED, pitches, step=0.5)
    assert np.sign(intervals(found)).tolist() == (-np.sign(np.diff(pitches))).tolist()
    assert notes_of(Variation.INVERTED, found["pitch"].tolist(), step=0.5)["pitch"].tolist() == list(pitches)


def test_augmented_is_twice_as_slow_and_diminished_twice_as_fast():
    exact = notes_of(Variation.EXACT)["start"]
    assert (notes_of(Variation.AUGMENTED)["start"] == exact * 2).all()
    assert (notes_of(Variation.DIMINISHED)["start"] == exact / 2).all()
    assert length_of(TakenUp(idea(), Variation.AUGMENTED)) == 8.0


def test_thinned_leaves_out_what_falls_on_no_beat():
    found = notes_of(Variation.THINNED, (60, 62, 64, 65, 67, 69, 71, 72), step=0.5, seed=4)
    starts = set(found["start"].tolist())
    assert {0.0, 1.0, 2.0, 3.0} <= starts
    assert len(starts) < 8


def test_another_ending_keeps_the_beginning():
    found = notes_of(Variation.ENDING, (60, 62, 64, 65, 67, 69, 71, 72), step=0.5)
    assert found["pitch"][:5].tolist() == [60, 62, 64, 65, 67]
    assert found["pitch"][6:].tolist() != [71, 72]


def test_towards_another_idea_ends_like_that_one():
    other = idea((72, 71, 69, 67), theme="B")
    found = varied(TakenUp(idea(), Variation.TOWARDS, 0.5, other), C, np.random.default_rng(1))
    assert found["pitch"].tolist() == [60, 62, 69, 67]


@pytest.mark.parametrize("variation", [one for one in Variation if one is not Variation.TOWARDS])
def test_the_same_chance_gives_the_same_variation(variation):
    assert (notes_of(variation, seed=9) == notes_of(variation, seed=9)).all()


def test_only_held_notes_that_rub_are_moved():
    notes = idea((65, 64, 65, 62)).phrase.notes
    chords = [ChordSpan(0.0, 4.0, Chord(0, ""))]
    found, moved = settled(notes, chords, np.array([1.0, 0.6, 0.3, 0.6]), C)
    assert found["pitch"].tolist() == [64, 64, 65, 62]  # the first F rubs against E, the second only passes
    assert moved == 1


def test_a_progression_moves_with_its_key():
    one = idea()
    chords = (ChordSpan(0.0, 2.0, Chord(0, "")), ChordSpan(2.0, 4.0, Chord(7, "7")))
    phrase = type(one.phrase).of((), 4.0, one.phrase.provenance, chords)
    moved = chords_of(type(one)(one.kind, "A", "", 0, C, 4.0, phrase), Key.parse("D major"))
    assert [span.chord.name for span in moved] == ["D", "A7"]


def test_kinship_is_whole_with_itself_blind_to_transposition_and_none_with_what_is_foreign():
    tune = idea((60, 62, 64, 60, 67, 65, 64, 62), step=0.5).phrase.notes
    higher = tune.copy()
    higher["pitch"] += 5
    other = idea((60, 60, 72, 60), step=1.0).phrase.notes
    assert kinship.melodic(tune, tune) == kinship.melodic(higher, tune) == 1.0
    assert kinship.melodic(other, tune) == 0.0


def test_every_variation_has_a_distance():
    assert set(DISTANCES) == set(Variation)
