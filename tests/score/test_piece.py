"""Facts about pieces."""

import numpy as np

from engine.score.harmony.chords import Chord
from engine.score.phrase import NOTE, ChordSpan
from engine.score.piece import Piece, Track
from engine.score.time import Meter

NOTES = np.array([(0, 1, 60, 80), (3.5, 5, 62, 80), (4, 6, 64, 80), (8, 9, 65, 80)], NOTE)


def test_a_piece_is_as_long_as_its_last_note_or_chord():
    assert Piece(()).length == 0
    assert Piece((Track(NOTES),)).length == 9
    assert Piece((Track(NOTES),), chords=(ChordSpan(0, 12, Chord(0)),)).length == 12


def test_a_cut_begins_at_0_with_what_holds_there():
    piece = Piece(
        (Track(NOTES, "a"),),
        qpm=90,
        chords=(ChordSpan(0, 6, Chord(0)), ChordSpan(6, 9, Chord(7))),
        tempos=((0.0, 90.0), (2.0, 100.0), (6.0, 110.0), (9.0, 60.0)),
        meters=((0.0, Meter(4, 4)), (4.0, Meter(3, 4))),
        markers=((0.0, "a"), (4.0, "b")),
    )
    part = piece.cut(4.0, 8.0)
    assert part.tracks[0].notes.tolist() == [(0.0, 2.0, 64, 80)]
    assert (part.qpm, part.tempos) == (100.0, ((0.0, 100.0), (2.0, 110.0)))
    assert (part.meter, part.meters) == (Meter(3, 4), ((0.0, Meter(3, 4)),))
    assert part.chords == (ChordSpan(0, 2, Chord(0)), ChordSpan(2, 4, Chord(7)))
    assert part.markers == ((0.0, "b"),)


def test_a_meter_holds_from_its_beat_on():
    piece = Piece((), meter=Meter(4, 4), meters=((0.0, Meter(4, 4)), (4.0, Meter(3, 4))))
    assert piece.meter_at(3.9) == (0.0, Meter(4, 4))
    assert piece.meter_at(4.0) == (4.0, Meter(3, 4))
    assert Piece((), meter=Meter(6, 8)).meter_at(100.0) == (0.0, Meter(6, 8))


def test_drums_and_other_notes_are_told_apart():
    piece = Piece((Track(NOTES[2:]), Track(NOTES[:1], is_drum=True), Track(NOTES[1:2])))
    assert piece.notes(is_drum=False)["pitch"].tolist() == [62, 64, 65]
    assert piece.notes(is_drum=True)["pitch"].tolist() == [60]
