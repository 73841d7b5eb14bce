"""Facts about files that are read and written back: what a synthesizer hears of their notes stays as it was."""

import importlib.util
import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.score.midi.reading import parse_piece
from engine.score.midi.smf_writing import write_smf
from engine.score.midi.writing import as_smf
from engine.score.phrase import NOTE, in_order, moved
from engine.score.piece import Piece, Track
from tests.score.midi.channel_simulator import restruck, simulate

CHANNELS = st.sampled_from([0, 1, 2, 9])
PITCHES = st.integers(58, 63)
VALUES = st.integers(0, 127)
CONTROLS = st.sampled_from([0, 32, 1, 6, 7, 10, 11, 38, 64, 66, 98, 99, 100, 101, 121])
MESSAGES = st.one_of(
    st.builds(mido.Message, st.just("note_on"), channel=CHANNELS, note=PITCHES, velocity=VALUES),
    st.builds(mido.Message, st.just("note_on"), channel=CHANNELS, note=PITCHES, velocity=VALUES),
    st.builds(mido.Message, st.just("note_off"), channel=CHANNELS, note=PITCHES),
    st.builds(mido.Message, st.just("note_off"), channel=CHANNELS, note=PITCHES),
    st.builds(mido.Message, st.just("control_change"), channel=CHANNELS, control=CONTROLS, value=VALUES),
    st.builds(mido.Message, st.just("program_change"), channel=CHANNELS, program=VALUES),
    st.builds(mido.Message, st.just("pitchwheel"), channel=CHANNELS, pitch=st.integers(-8192, 8191)),
    st.builds(mido.Message, st.just("aftertouch"), channel=CHANNELS, value=VALUES),
    st.builds(mido.Message, st.just("polytouch"), channel=CHANNELS, note=PITCHES, value=VALUES),
    st.builds(mido.Message, st.just("sysex"), data=st.lists(VALUES, max_size=200)),
    st.builds(mido.MetaMessage, st.just("midi_port"), port=st.integers(0, 2)),
    st.builds(mido.MetaMessage, st.sampled_from(["text", "lyrics", "marker"]), text=st.text("abC7m é", max_size=150)),
    st.builds(mido.MetaMessage, st.just("sequencer_specific"), data=st.lists(VALUES, max_size=5)),
    st.builds(mido.UnknownMetaMessage, st.integers(0x60, 0x7E), data=st.lists(VALUES, max_size=5)),
    st.builds(mido.MetaMessage, st.just("set_tempo"), tempo=st.integers(100_000, 2_000_000)),
    st.builds(mido.MetaMessage, st.just("time_signature"), numerator=st.integers(1, 12)),
)
TRACKS = st.lists(
    st.lists(st.tuples(st.sampled_from([0, 0, 1, 60, 240]), MESSAGES), max_size=40), min_size=1, max_size=5
)


def written(piece):
    """The bytes of the file of a piece."""
    return write_smf(as_smf(piece))


def file_of(tracks, division):
    """The bytes of a file of messages, each with the ticks since the one before; mido writes running status."""
    file = mido.MidiFile(ticks_per_beat=division, type=0 if len(tracks) == 1 else 1)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(message.copy(time=time) for time, message in messages))
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def with_more(piece, start, rows, later=0.0):
    """New notes in the parts of a piece in turn, in a track of no place, and in one on the channel of a part."""
    notes = np.array([(start + beat, start + beat + length, pitch, 70) for beat, length, pitch in rows], NOTE)
    notes = in_order(notes)
    tracks = [
        replace(track, notes=in_order(np.concatenate([track.notes, moved(notes, later * number)])))
        for number, track in enumerate(piece.tracks)
    ]
    tracks.append(Track(notes, "new", 40))
    if piece.tracks:
        place = piece.tracks[0].place._replace(track=None)
        tracks.append(Track(moved(notes, -later), "voices", piece.tracks[0].program, place.is_drum, place))
    return replace(piece, tracks=tuple(tracks))


def check(data, piece, new):
    """All old notes of a file are in the one that is written, as they sounded; so are its other events."""
    before, after = simulate(data), simulate(written(piece))
    assert not Counter(before.notes) - Counter(after.notes)
    assert len(after.notes) == len(before.notes) + new
    assert not Counter(before.others) - Counter(after.others)


ROWS = [(0, 1, 60), (1, 0.5, 60), (1.5, 0.25, 64)]


@settings(max_examples=60, deadline=None)
@given(tracks=TRACKS, division=st.sampled_from([24, 96, 480, 960]), more=st.booleans())
def test_random_files_sound_as_before_when_they_are_written_back(tracks, division, more):
    """Also with more behind them: many tracks on one channel, running status, ports, unended notes, texts, sysex."""
    data = file_of(tracks, division)
    piece = parse_piece(data)
    assert sum(len(track.notes) for track in piece.tracks) == len(simulate(data).notes)
    if more:
        ends = [sum(time for time, _ in messages) / division for messages in tracks]
        longer = with_more(piece, max(ends) + 5, ROWS, later=4.0)
        check(data, longer, len(ROWS) * len(longer.tracks))
        told = {note[1:3]: note.state[0] for note in simulate(written(longer)).notes if note.track >= len(tracks)}
        assert (0, 0, 40) in told.values(), "a new track has a channel and a program of its own"
    else:
        check(data, piece, 0)


@settings(max_examples=60, deadline=None)
@given(
    tracks=TRACKS,
    rows=st.lists(
        st.tuples(st.integers(0, 60).map(lambda step: step / 16), st.sampled_from([0.01, 0.1, 0.25, 1]), PITCHES),
        min_size=1,
        max_size=12,
    ),
)
def test_no_new_note_begins_while_its_pitch_sounds(tracks, rows):
    data = file_of(tracks, 480)
    old = restruck(data)
    for found in restruck(written(with_more(parse_piece(data), 0.0, rows))):
        assert found in old, f"{found} begins on a note that sounds"


PUBLIC = Path(importlib.util.find_spec("music21").origin).parent / "midi" / "testPrimitive"


@pytest.mark.parametrize("name", [path.name for path in sorted(PUBLIC.glob("*.mid"))])
def test_music21s_test_files_are_written_back_as_they_came_in(name):
    data = (PUBLIC / name).read_bytes()
    check(data, parse_piece(data), 0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.floats(0, 8), st.floats(0.001, 2), st.integers(60, 62)), min_size=1, max_size=60
    )
)
def test_what_comes_from_no_file_never_strikes_a_sounding_pitch(rows):
    """Such as the parts of a scene: humanized, with tails, two drum parts on the tenth channel."""
    parts = [
        Track(
            in_order(np.array([(start, start + long, pitch, 80) for at, start, long, pitch in rows if at == k], NOTE)),
            f"part {k}",
            is_drum=k > 1,
        )
        for k in range(4)
    ]  # fmt: skip
    data = written(Piece(tuple(parts)))
    assert restruck(data) == []
    wanted = {(at, round(start * 480), pitch) for at, start, _, pitch in rows}
    kept = {(note.track - 1, round(note.start * 480), note.pitch) for note in simulate(data).notes}
    assert {row[2] for row in kept} == {row[2] for row in wanted}
    assert kept <= wanted


def test_notes_that_overlap_end_where_their_pitch_is_struck_again():
    notes = in_order(np.array([(beat / 8, beat / 8 + 1, 60 + beat % 2, 80) for beat in range(64)], NOTE))
    found = simulate(written(Piece((Track(notes), Track(notes, is_drum=True), Track(notes, "third"))))).notes
    assert len(found) == 3 * 64
    assert {note.length for note in found} == {0.25, 1.0}
