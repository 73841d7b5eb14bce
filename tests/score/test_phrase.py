"""Facts about phrases."""

import numpy as np
import pytest

from engine.score.harmony.chords import Chord
from engine.score.phrase import ChordSpan, Origin, Phrase, Provenance, chords_between

RULES = Provenance("test", Origin.RULES)


def phrase(*notes, length=4.0, chords=()):
    return Phrase.of(notes, length, RULES, chords)


def test_notes_are_sorted_and_cannot_be_changed():
    made = phrase((2, 3, 60, 80), (0, 1, 64, 80), (0, 1, 60, 80))
    assert made.notes["pitch"].tolist() == [60, 64, 60]
    with pytest.raises(ValueError, match="read-only"):
        made.notes["pitch"][0] = 1


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ((float("nan"), 1, 60, 80), "not finite"),
        ((4, 5, 60, 80), "outside the phrase"),
        ((-0.1, 5, 60, 80), "outside the phrase"),
        ((1, 1, 60, 80), "no length"),
        ((0, 1, 128, 80), "pitch outside"),
        ((0, 1, 60, 0), "velocity outside"),
    ],
)
def test_notes_that_cannot_be_played_are_refused(note, message):
    with pytest.raises(ValueError, match=message):
        phrase(note)


def test_a_slice_holds_the_notes_that_start_inside_and_its_chords():
    made = phrase((0, 3, 60, 80), (2, 5, 62, 80), chords=[ChordSpan(0, 4, Chord(0))])
    part = made.slice(2, 4)
    assert part.notes.tolist() == [(0.0, 3.0, 62, 80)]
    assert part.chords == (ChordSpan(0, 2, Chord(0)),)


def test_slices_put_together_are_the_phrase_again():
    made = phrase((0, 1, 60, 80), (1.5, 2, 61, 80), (3.75, 4.5, 62, 80))
    again = Phrase.concatenate([made.slice(0, 1.5), made.slice(1.5, 4)])
    assert again.notes.tolist() == made.notes.tolist()
    assert again.length == made.length


def test_an_empty_phrase_is_a_rest():
    assert np.size(Phrase.empty(4, RULES).notes) == 0


def test_a_note_that_rounding_leaves_without_length_is_in_no_slice():
    """It would stop the conductor: notes without length cannot be played."""
    whole = phrase((4 - 8e-10, 4 - 2e-10, 60, 80), (4 - 5e-10, 5, 62, 80), length=8.0)
    assert whole.slice(0, 4).notes["pitch"].tolist() == []
    assert whole.slice(4, 8).notes.tolist() == [(0.0, 1.0, 62, 80)]


def test_chords_move_with_the_notes_under_them():
    span = ChordSpan(1.0, 2.0, Chord(0))
    assert span.moved(3.0) == ChordSpan(4.0, 5.0, Chord(0))
    assert chords_between([span], 1.5, 4.0) == (ChordSpan(0.0, 0.5, Chord(0)),)
