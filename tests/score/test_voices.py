"""Facts about what a network hears of a piece."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from engine.score.voices import MelodyVoice, drum_track, melody_track, named_track, reduce


def notes(*rows):
    return np.array(list(rows), NOTE)


def lines(made):
    return [(start, end, pitch) for start, end, pitch, _ in made.tolist()]


CHORDS = notes((0, 1, 60, 80), (0, 1, 64, 80), (0, 1, 67, 80), (1, 2, 62, 80), (2, 3, 59, 80), (2.01, 3, 65, 80))


def test_the_skyline_is_the_top_notes_and_says_how_many_chords_it_reduced():
    made, chords = reduce(CHORDS, MelodyVoice.SKYLINE)
    assert lines(made) == [(0, 1, 67), (1, 2, 62), (2, 3, 65)]
    assert chords == 2


def test_the_lowest_voice_is_the_bottom_notes():
    made, chords = reduce(CHORDS, MelodyVoice.LOWEST)
    assert lines(made) == [(0, 1, 60), (1, 2, 62), (2, 3, 59)]
    assert chords == 2


def test_an_accompaniment_under_a_held_note_is_not_the_tune():
    held = notes((0, 4, 72, 90), (0.5, 1, 60, 60), (1, 1.5, 64, 60), (4, 5, 74, 90))
    made, chords = reduce(held, MelodyVoice.SKYLINE)
    assert lines(made) == [(0, 4, 72), (4, 5, 74)]
    assert chords == 1


def test_a_melody_played_legato_downwards_is_no_chord():
    legato = notes((0, 1.1, 72, 90), (1, 2.1, 71, 90), (2, 3, 69, 90))
    made, chords = reduce(legato, MelodyVoice.SKYLINE)
    assert lines(made) == [(0, 1, 72), (1, 2, 71), (2, 3, 69)]
    assert chords == 0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 64), st.integers(1, 32), st.integers(0, 127), st.integers(1, 127)), max_size=40),
    st.sampled_from(MelodyVoice),
)
def test_one_voice_never_overlaps_and_holds_notes_that_were_there(rows, voice):
    given_notes = np.array(
        [(start / 8, (start + length) / 8, pitch, loud) for start, length, pitch, loud in rows], NOTE
    )
    before = given_notes.copy()
    made, _ = reduce(given_notes, voice)
    assert (made["start"][1:] >= made["end"][:-1]).all()
    assert (made["end"] > made["start"]).all()
    assert {(start, pitch, loud) for start, _, pitch, loud in made.tolist()} <= {
        (start, pitch, loud) for start, _, pitch, loud in before.tolist()
    }
    assert len(made) > 0 or not rows
    np.testing.assert_array_equal(before, given_notes)


TUNE = Track(notes(*((beat, beat + 1, 72 + beat % 5, 80) for beat in range(16))), "Flute", 73)
PAD = Track(notes(*((beat, beat + 1, 50 + beat % 5, 80) for beat in range(16))), "Strings", 48)
BELL = Track(notes((0, 1, 96, 80)), "Bell", 14)
KIT = Track(notes((0, 0.25, 36, 80), (1, 1.25, 38, 80)), "Kit", is_drum=True)
SHAKER = Track(notes((0, 0.25, 70, 80)), "Shaker", is_drum=True)


def test_the_tune_is_the_highest_of_the_busy_tracks():
    assert melody_track(Piece((PAD, BELL, TUNE, KIT))) is TUNE


def test_the_tune_is_the_track_that_is_called_so():
    called = Track(PAD.notes, "Lead vocal")
    assert melody_track(Piece((TUNE, called))) is called


def test_chords_above_the_tune_are_not_the_tune():
    strings = notes(*((bar, bar + 1, pitch, 80) for bar in range(16) for pitch in (69, 73, 76)))
    assert melody_track(Piece((Track(strings, "Strings"), TUNE))) is TUNE
    piano = notes(*((bar, bar + 1, pitch, 80) for bar in range(16) for pitch in (64, 67, 72)))
    assert melody_track(Piece((Track(piano, "Piano"), PAD))).name == "Piano"


def test_the_drums_are_the_track_with_most_strokes():
    assert drum_track(Piece((TUNE, SHAKER, KIT))) is KIT


def test_a_track_is_found_by_its_name_or_its_number():
    piece = Piece((PAD, TUNE, KIT))
    assert named_track(piece, "flute") is TUNE
    assert named_track(piece, "3") is KIT
    assert melody_track(piece, "Strings") is PAD
    with pytest.raises(
        PerpetuumError, match=r"(?s)no track 'Oboe'.*1 Strings \(16 notes\), 2 Flute.*3 Kit \(2 drums\)"
    ):
        named_track(piece, "Oboe")


def test_a_message_names_some_tracks_by_the_beginnings_of_their_names():
    piece = Piece(tuple(Track(TUNE.notes, "x" * 100_000) for _ in range(1024)))
    with pytest.raises(PerpetuumError, match=r"(?s)1 x{60}… \(.* and 1004 more") as refused:
        named_track(piece, "y" * 100_000)
    assert len(str(refused.value)) < 2500


def test_a_piece_without_the_kind_that_is_needed_is_a_clear_error():
    with pytest.raises(PerpetuumError, match="no notes but drums"):
        melody_track(Piece((KIT,)))
    with pytest.raises(PerpetuumError, match="there are no notes\n"):
        melody_track(Piece(()))
    with pytest.raises(PerpetuumError, match="there are no drums"):
        drum_track(Piece((TUNE,)))
