"""Facts about MIDI files: what is written comes back, and what is broken is said."""

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.score.harmony.chords import Chord
from engine.score.midi import reading as midi
from engine.score.midi import writing as midi_writing
from engine.score.phrase import NOTE, ChordSpan
from engine.score.piece import Piece, Track
from engine.score.time import Meter

MELODY = np.array([(0, 1, 60, 80), (1, 2, 60, 90), (2, 3.5, 67, 100)], NOTE)
DRUMS = np.array([(0, 0.25, 36, 110), (1, 1.25, 38, 70)], NOTE)
PIECE = Piece(
    (
        Track(MELODY, "Lead", 73),
        Track(DRUMS, "Kit", is_drum=True),
        Track(MELODY, "Second", 4),
    ),
    qpm=96.0,
    meter=Meter(3, 4),
    chords=(ChordSpan(0.0, 1.5, Chord(0)), ChordSpan(1.5, 2.0, Chord(9, "m7"))),
    tempos=((0.0, 96.0), (2.0, 120.0)),
    meters=((0.0, Meter(3, 4)), (3.0, Meter(6, 8))),
    markers=((0.0, "verse one"),),
)


def saved(path, *tracks, **options):
    """A file of messages; each is (ticks since the one before, message)."""
    file = mido.MidiFile(ticks_per_beat=480, **options)
    for messages in tracks:
        track = mido.MidiTrack(message.copy(time=time) for time, message in messages)
        file.tracks.append(track)
    file.save(path)
    return path


def on(pitch, channel=0, velocity=80):
    return mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)


def off(pitch, channel=0):
    return mido.Message("note_off", note=pitch, channel=channel)


def test_a_piece_comes_back_as_it_was_written(tmp_path):
    midi_writing.write_piece(tmp_path / "x.mid", PIECE)
    again = midi.read_piece(tmp_path / "x.mid")
    for one, other in zip(again.tracks, PIECE.tracks, strict=True):
        assert (one.name, one.program, one.is_drum) == (other.name, other.program, other.is_drum)
        np.testing.assert_array_equal(one.notes, other.notes)
    assert (again.qpm, again.meter, again.meters) == (PIECE.qpm, PIECE.meter, PIECE.meters)
    assert (again.tempos, again.chords, again.markers) == (PIECE.tempos, PIECE.chords, PIECE.markers)


def test_a_piece_without_changes_has_one_tempo_and_one_meter(tmp_path):
    midi_writing.write_piece(tmp_path / "x.mid", Piece((Track(MELODY),), 80.0, Meter(6, 8)))
    again = midi.read_piece(tmp_path / "x.mid")
    assert (again.qpm, again.tempos, again.meter, again.meters) == (80.0, (), Meter(6, 8), ())


def test_a_file_of_type_0_has_a_track_for_each_channel(tmp_path):
    first, second = on(60), on(40, channel=2)
    messages = [
        (0, mido.Message("program_change", channel=2, program=33)),
        (0, first), (0, second), (0, on(36, channel=9)), (480, off(60)), (0, off(40, 2)), (0, off(36, 9)),
    ]  # fmt: skip
    piece = midi.read_piece(saved(tmp_path / "x.mid", messages, type=0))
    assert [track.notes["pitch"].tolist() for track in piece.tracks] == [[60], [40], [36]]
    assert [track.is_drum for track in piece.tracks] == [False, False, True]
    assert [track.program for track in piece.tracks] == [0, 33, 0]
    assert piece.notes(is_drum=False)["pitch"].tolist() == [40, 60]


def test_notes_that_are_never_ended_end_with_their_track(tmp_path):
    end = mido.MetaMessage("end_of_track")
    piece = midi.read_piece(saved(tmp_path / "x.mid", [(0, on(60)), (480, on(62)), (480, end)]))
    assert piece.tracks[0].notes.tolist() == [(0.0, 2.0, 60, 80), (1.0, 2.0, 62, 80)]


def test_a_note_that_ends_where_the_next_of_its_pitch_begins_keeps_its_length(tmp_path):
    """Also a note that rounding to ticks would make nothing."""
    notes = np.array([(0, 1, 60, 80), (1, 1.0001, 60, 80), (1.5, 2, 60, 80)], NOTE)
    midi_writing.write_piece(tmp_path / "x.mid", Piece((Track(notes),)))
    again = midi.read_piece(tmp_path / "x.mid").tracks[0].notes
    np.testing.assert_allclose(again["start"], notes["start"], atol=1 / 960)
    np.testing.assert_allclose(again["end"], notes["end"], atol=1 / 240)


def test_a_file_that_counts_in_frames_of_film_is_read_at_120(tmp_path):
    path = saved(tmp_path / "x.mid", [(0, on(60)), (1000, off(60))])
    data = bytearray(path.read_bytes())
    data[12:14] = bytes([0x100 - 25, 40])
    path.write_bytes(data)
    piece = midi.read_piece(path)
    assert piece.qpm == 120
    assert piece.tracks[0].notes["end"].tolist() == [2.0]


@pytest.mark.parametrize("kind", ["text", "marker", "lyrics"])
def test_texts_are_chords_where_nearly_all_of_them_are(tmp_path, kind):
    def written(*texts):
        messages = [(480 * bool(place), mido.MetaMessage(kind, text=text)) for place, text in enumerate(texts)]
        return midi.read_piece(saved(tmp_path / "x.mid", [*messages, (0, on(60)), (480, off(60))]))

    piece = written("Dm7", "G7", "N.C.", "Cmaj7")
    assert [(span.start, span.end, span.chord.name) for span in piece.chords] == [
        (0.0, 1.0, "Dm7"),
        (1.0, 2.0, "G7"),
        (3.0, 4.0, "Cmaj7"),
    ]
    assert piece.markers == ()
    song = written("A", "day", "in", "the life")
    assert song.chords == ()
    assert len(song.markers) == (4 if kind == "marker" else 0)


def test_markers_of_one_letter_are_parts_of_a_song(tmp_path):
    messages = [(480, mido.MetaMessage("marker", text=text)) for text in "ABAC"]
    piece = midi.read_piece(saved(tmp_path / "x.mid", [*messages, (0, on(60)), (480, off(60))]))
    assert piece.chords == ()
    assert [text for _, text in piece.markers] == list("ABAC")


@pytest.mark.parametrize("content", [b"", b"MThd", b"RIFF0000", b"MThd\0\0\0\6\0\1\0\1\0\0MTrk\xff\xff\xff\xff"])
def test_a_broken_midi_file_is_a_clear_error(tmp_path, content):
    file = tmp_path / "x.mid"
    file.write_bytes(content)
    with pytest.raises(PerpetuumError, match=r"x\.mid is not a readable MIDI file"):
        midi.read_piece(file)


def test_a_missing_file_and_a_folder_are_clear_errors(tmp_path):
    for path in (tmp_path / "none.mid", tmp_path):
        with pytest.raises(PerpetuumError, match=r"there is no file|cannot read .*: it is a folder"):
            midi.read_piece(path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.mid"
    midi_writing.write_piece(path, PIECE)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(0, len(content))) :]
    path.write_bytes(content)
    try:
        piece = midi.read_piece(path)
    except PerpetuumError:
        return
    assert all(np.isfinite(track.notes["end"]).all() for track in piece.tracks)
    midi_writing.write_piece(path, piece)


def test_a_write_that_is_interrupted_leaves_no_half_file(tmp_path, monkeypatch):
    def interrupted(self, file):
        file.write(b"MThd")
        raise KeyboardInterrupt

    monkeypatch.setattr(mido.MidiFile, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        midi_writing.write_piece(tmp_path / "x.mid", PIECE)
    assert list(tmp_path.iterdir()) == []
