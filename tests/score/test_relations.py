"""Keys by their relation to another, and music taken from one key into another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.score.harmony.keys import MODES, Key
from engine.score.harmony.relations import RELATIONS, parallel, relative, taken_into

CHURCH = ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian")
KEYS = st.builds(Key, st.integers(0, 11), st.sampled_from(list(MODES)))


@pytest.mark.parametrize(
    ("name", "of", "is_"),
    [
        ("fifth up", "C major", "G major"),
        ("fifth down", "D dorian", "G dorian"),
        ("major third down", "C major", "Ab major"),
        ("minor third up", "A minor", "C minor"),
        ("step down", "C minor", "Bb minor"),
        ("relative", "C major", "A minor"),
        ("relative", "A minor", "C major"),
        ("relative", "D dorian", "C major"),
        ("relative", "F lydian", "A minor"),
        ("relative", "A harmonic minor", "C major"),
        ("relative", "A minor pentatonic", "C major pentatonic"),
        ("parallel", "D dorian", "D major"),
        ("parallel", "G mixolydian", "G minor"),
    ],
)
def test_relations_are_those_of_any_book_of_harmony(name, of, is_):
    assert RELATIONS[name](Key.parse(of)) == Key.parse(is_)


@given(st.integers(0, 11), st.sampled_from(CHURCH))
def test_a_relative_key_has_the_same_notes_and_a_parallel_one_the_same_tonic(tonic, mode):
    key = Key(tonic, mode)
    assert set(relative(key).scale) == set(key.scale)
    assert parallel(key).tonic == tonic
    assert set(parallel(key).scale) != set(key.scale)


@given(KEYS, KEYS, st.lists(st.integers(12, 115), min_size=1, max_size=20))
def test_what_is_taken_into_another_key_lies_in_it_and_moves_little(old, new, pitches):
    inside = np.array([old.nearest(pitch) for pitch in pitches])
    moved = taken_into(inside, old, new)
    if len(old.scale) == len(new.scale):
        assert all(int(pitch) in new for pitch in moved)
    assert np.all(np.abs(moved - inside) <= 8)
    assert np.all((moved >= 0) & (moved <= 127))
    # A line keeps its shape: what was not lower is not lower.
    order = np.argsort(inside, kind="stable")
    assert np.all(np.diff(taken_into(np.sort(inside), old, new)) >= 0), order


def test_degrees_are_kept_and_notes_between_them_stay_between():
    into = taken_into(np.array([60, 62, 64, 66, 67, 71]), Key.parse("C major"), Key.parse("A minor"))
    # c d e f# g b are 1 2 3 #4 5 7: a b c d# e g in A minor, a third lower.
    assert into.tolist() == [57, 59, 60, 63, 64, 67]
