"""Facts about keys and chords."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.score.harmony.chords import QUALITIES, Chord, diatonic, recognise
from engine.score.harmony.keys import MODES, Key, parse_pitch, pitch_name

KEYS = st.builds(Key, st.integers(0, 11), st.sampled_from(sorted(MODES)))


def test_middle_c_is_c4():
    assert (parse_pitch("C4"), parse_pitch("Bb3"), parse_pitch("F#5")) == (60, 58, 78)


@given(st.integers(0, 127), st.booleans())
def test_a_pitch_survives_its_name(pitch, flats):
    assert parse_pitch(pitch_name(pitch, flats)) == pitch


@given(KEYS)
def test_a_key_survives_its_name(key):
    assert Key.parse(str(key)) == key


def test_an_unknown_mode_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match="'dorain' is not a mode; known are major, minor"):
        Key.parse("D dorain")


@given(KEYS, st.integers(0, 127))
def test_the_nearest_pitch_is_in_the_key_and_near(key, pitch):
    near = key.nearest(pitch)
    assert near in key
    assert abs(near - pitch) <= 2
    assert pitch not in key or near == pitch


def test_the_chords_of_c_major_are_the_textbook_ones():
    names = [diatonic(Key.parse("C"), degree).name for degree in range(7)]
    assert names == ["C", "Dm", "Em", "F", "G", "Am", "Bdim"]
    sevenths = [diatonic(Key.parse("C"), degree, seventh=True).name for degree in range(7)]
    assert sevenths == ["Cmaj7", "Dm7", "Em7", "Fmaj7", "G7", "Am7", "Bm7b5"]


@given(KEYS, st.integers(-7, 14), st.booleans())
def test_every_key_has_a_chord_on_every_degree(key, degree, seventh):
    assert diatonic(key, degree, seventh).quality in QUALITIES


@given(st.integers(0, 11), st.sampled_from(["", "m", "7", "maj7", "sus4", "dim"]))
def test_a_chord_in_root_position_is_recognised(root, quality):
    chord = Chord(root, quality)
    pitches = np.array([48 + root + step for step in QUALITIES[quality]])
    assert recognise(pitches, np.ones(len(pitches)), int(pitches[0])) == chord


def test_silence_is_no_chord():
    assert recognise(np.array([]), np.array([])) is None
